import { describe, expect, it } from '@jest/globals';
import { memoryKube } from '../../cluster/test/memory-kube.js';
import { deployment } from '../../cluster/test/objects.js';
import { drain, metricsPortOf } from '../src/drain.js';
import { observePods, type PodMemory } from '../src/pod-health.js';
import { listPods, type ServicePod } from '../src/pods.js';
import { deps, instantClock, namespace, target } from './shop.js';

function pod(name: string, labels: Record<string, string>, status: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      containers: [
        {
          name: 'web',
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'metrics', containerPort: 9090 },
          ],
        },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-22T19:00:00Z' }],
      containerStatuses: [{ name: 'web', ready: true, restartCount: 0 }],
      ...status,
    },
  };
}

describe('listPods', () => {
  const stable = deployment('shop', { labels: { app: 'shop', track: 'stable' } });

  it('finds both tracks with one request, and nobody else', async () => {
    const kube = memoryKube(
      pod('a', { app: 'shop', track: 'stable' }),
      pod('b', { app: 'shop', track: 'canary' }),
      pod('c', { app: 'shop', track: 'experiment' }),
      pod('d', { app: 'cart', track: 'stable' }),
      pod('e', { app: 'shop', track: 'stable' }, { phase: 'Failed' }),
    );
    const pods = await listPods(kube, target(), stable);
    expect(pods.map(({ name, track }) => `${name} ${track}`)).toEqual(['a stable', 'b canary']);
    expect(kube.requests).toEqual({ list: 1 });
    expect(pods[0]).toMatchObject({ ready: true, readyAt: Date.parse('2026-11-22T19:00:00Z'), restarts: 0, fatal: null });
  });

  it('takes the start of the released container for the start of its counters, not the last time it became ready', async () => {
    const statuses = [
      { name: 'proxy', ready: true, restartCount: 1, state: { running: { startedAt: '2026-11-22T19:05:00Z' } } },
      { name: 'web', ready: true, restartCount: 0, state: { running: { startedAt: '2026-11-22T18:00:00Z' } } },
    ];
    const kube = memoryKube(pod('a', { app: 'shop', track: 'stable' }, { containerStatuses: statuses }));
    const expected = { startedAt: Date.parse('2026-11-22T18:00:00Z'), readyAt: Date.parse('2026-11-22T19:00:00Z') };
    expect((await listPods(kube, { ...target(), container: 'web' }, stable))[0]).toMatchObject(expected);
    expect((await listPods(kube, target(), stable))[0]).toMatchObject(expected);
  });

  it('tells a crash loop', async () => {
    const waiting = { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } };
    const kube = memoryKube(
      pod(
        'b',
        { app: 'shop', track: 'canary' },
        { conditions: [], containerStatuses: [{ name: 'web', ready: false, restartCount: 3, ...waiting }] },
      ),
    );
    expect((await listPods(kube, target(), stable))[0]).toMatchObject({
      ready: false,
      restarts: 3,
      fatal: 'CrashLoopBackOff: exit code 1',
    });
  });
});

describe('observePods', () => {
  const seen = (part: Partial<ServicePod>): ServicePod => ({
    name: 'a',
    track: 'canary',
    ready: true,
    restarts: 0,
    fatal: null,
    object: {} as never,
    ...part,
  });
  const looks = (...parts: Partial<ServicePod>[]) => {
    let memory: PodMemory = new Map();
    return parts.map((part) => {
      const changes = observePods(memory, [seen(part)]);
      memory = changes.memory;
      return changes;
    });
  };

  it('counts restarts since the last look, not those before the first', () => {
    expect(looks({ restarts: 4 }, { restarts: 4 }, { restarts: 6 }).map(({ restarts }) => restarts)).toEqual([0, 0, 2]);
  });
  it('does not blame a pod that is still starting', () => {
    expect(looks({ ready: false }, { ready: false }).map(({ failing }) => failing)).toEqual([[], []]);
  });
  it('blames one that was ready, and gives it up at the second look', () => {
    const [, first, second, well] = looks({}, { ready: false }, { ready: false }, { ready: true });
    expect(first).toMatchObject({ failing: ['a'], lost: [] });
    expect(second).toMatchObject({ failing: ['a'], lost: ['a'] });
    expect(well).toMatchObject({ failing: [], lost: [] });
  });
  it('gives up at once what cannot come back', () => {
    expect(looks({ ready: false, fatal: 'CrashLoopBackOff' })[0]?.lost).toEqual(['a']);
  });
});

describe('metricsPortOf', () => {
  const one = pod('a', {}) as never;
  it.each([
    [undefined, 8080],
    [9191, 9191],
    ['metrics', 9090],
    ['admin', 'admin'],
  ])('%p is port %p', (metricsPort, port) => expect(metricsPortOf(one, metricsPort === undefined ? {} : { metricsPort })).toBe(port));
});

describe('drain', () => {
  const canary = deployment('shop-canary', { labels: { app: 'shop', track: 'canary' } });
  async function seconds(page: (look: number) => string): Promise<number> {
    const kube = memoryKube(pod('b', { app: 'shop', track: 'canary' }));
    let looks = 0;
    kube.proxy = async () => page(looks++);
    const clock = instantClock();
    const began = clock.at;
    const run = deps(kube);
    await drain(
      { deps: { ...run, context: { ...run.context, clock } }, client: kube, router: {} as never, signal: new AbortController().signal },
      canary,
      target(),
    );
    return (clock.at - began) / 1000;
  }

  it('takes as long as `drain` when nothing comes any more', async () =>
    expect(await seconds(() => 'http_requests_total{code="200"} 7')).toBe(5));
  it('goes on while requests come', async () =>
    expect(await seconds((look) => `http_requests_total{code="200"} ${Math.min(look, 8)}`)).toBe(13));
  it('ends after 30 s at most', async () => expect(await seconds((look) => `http_requests_total ${look}`)).toBe(30));
  it('waits its time where metrics say nothing', async () => expect(await seconds(() => 'up 1')).toBe(5));
});
