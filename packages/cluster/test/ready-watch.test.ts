import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@slipway/core';
import type { KubeClient, KubeObject } from '../src/kube.js';
import { type ReadyOptions, waitReady } from '../src/workloads/ready.js';
import { memoryKube, readyAtOnce, refusal } from './memory-kube.js';
import { deployment } from './objects.js';

type Watch = NonNullable<KubeClient['watch']>;

/** A Deployment that is not ready yet, a client that watches as it is told, and real time. */
function world(watch: Watch | undefined) {
  const kube = memoryKube(deployment('shop', { replicas: 10 }));
  const stored = kube.at('deployments', 'shop', 'shop');
  stored.metadata.generation = 2;
  const asked: Parameters<Watch>[] = [];
  const client: KubeClient = { ...kube };
  if (watch) {
    client.watch = (...call) => {
      asked.push(call);
      return watch(...call);
    };
  }
  const wait = (options: Partial<ReadyOptions> = {}) =>
    waitReady(client, 'shop', 'shop', { generation: 2, timeoutMs: 60_000, clock: systemClock, ...options });
  /** The Deployment as it is when the controller has done so much. */
  const after = (status: object): KubeObject => ({ ...structuredClone(stored), status: { ...stored.status, ...status } });
  const ready = () => after({ observedGeneration: 2 });
  return { kube, stored, wait, after, ready, asked };
}

const times = (kube: ReturnType<typeof memoryKube>, plural: string) => kube.calls.filter((call) => call.plural === plural).length;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('waitReady with a watch', () => {
  it('knows at once, with one read and one watch', async () => {
    const { kube, stored, wait, after, ready, asked } = world(async function* () {
      await later(20);
      yield after({ observedGeneration: 2, updatedReplicas: 4 });
      await later(80);
      yield ready();
    });
    const began = Date.now();
    expect(await wait()).toMatchObject({ revision: '1', replicas: 10 });
    expect(Date.now() - began).toBeLessThan(700);
    expect(kube.calls).toHaveLength(1);
    expect(asked).toHaveLength(1);
    const [resource, namespace, name, options] = asked[0] as Parameters<Watch>;
    expect([resource.plural, namespace, name, options.resourceVersion]).toEqual([
      'deployments',
      'shop',
      'shop',
      stored.metadata.resourceVersion,
    ]);
    expect(options.signal.aborted).toBe(true);
  });

  it('opens none when there is nothing to wait for', async () => {
    const { stored, wait, asked } = world(async function* () {});
    readyAtOnce(stored);
    await wait();
    expect(asked).toHaveLength(0);
  });

  it('reads no Deployment while the stream tells of it, and looks at its pods all the same', async () => {
    const { kube, wait, after, ready } = world(async function* () {
      for (let updated = 0; updated < 10; updated++) {
        yield after({ observedGeneration: 2, updatedReplicas: updated });
        await later(150);
      }
      yield ready();
    });
    await wait();
    expect(times(kube, 'deployments')).toBe(1);
    expect(times(kube, 'replicasets')).toBe(1);
  });

  it.each<[string, Watch | undefined]>([
    ['that may not be', () => refused()],
    ['that ends', async function* () {}],
    [
      'that breaks after a while',
      async function* () {
        await later(10);
        yield* refused();
      },
    ],
    ['that says nothing', (...[, , , { signal }]) => silent(signal)],
    ['where there is none', undefined],
  ])('reads the Deployment itself with a watch %s', async (_, watch) => {
    const { kube, stored, wait } = world(watch);
    const waiting = wait();
    await later(50);
    readyAtOnce(stored);
    expect((await waiting).replicas).toBe(10);
    expect(times(kube, 'deployments')).toBe(2);
  });

  it('reads it when the stream has been silent for so long that it may be broken', async () => {
    let now = 0;
    const { kube, stored, wait, after } = world(async function* (...[, , , { signal }]) {
      yield after({ observedGeneration: 2, updatedReplicas: 5 });
      yield* silent(signal);
    });
    const sleep = async (ms: number) => {
      await later(0);
      now += ms;
      if (now > 5_000) readyAtOnce(stored);
    };
    expect((await wait({ clock: { now: () => now, sleep } })).replicas).toBe(10);
    expect(times(kube, 'deployments')).toBe(2);
    expect(now).toBeGreaterThanOrEqual(10_000);
    expect(now).toBeLessThan(16_000);
  });

  it('ends with the reason of its signal, and closes the stream', async () => {
    const { wait, asked } = world((...[, , , { signal }]) => silent(signal));
    const run = new AbortController();
    const waiting = wait({ signal: run.signal });
    setTimeout(() => run.abort(new Error('cancelled')), 20);
    await expect(waiting).rejects.toThrow('cancelled');
    expect(asked[0]?.[3].signal.aborted).toBe(true);
  });

  it('sees that somebody set another image, though those pods are ready', async () => {
    const { wait, ready } = world(async function* () {
      const other = ready();
      other.spec.template.spec.containers[0].image = 'shop:hotfix';
      yield other;
    });
    await expect(wait({ expect: { container: 'web', image: 'registry.example/shop:v1' } })).rejects.toMatchObject({
      reason: 'WORKLOAD_CHANGED',
    });
  });
});

// biome-ignore lint/correctness/useYield: it never comes to that
async function* refused(): AsyncGenerator<KubeObject> {
  throw refusal('FORBIDDEN', 403, 'may not watch deployments');
}

async function* silent(signal: AbortSignal): AsyncGenerator<KubeObject> {
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
