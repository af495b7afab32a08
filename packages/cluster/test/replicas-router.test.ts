import { describe, expect, it } from '@jest/globals';
import { createRouter, type RouterOptions } from '../src/traffic/create-router.js';
import type { Routing } from '../src/traffic/routing.js';
import { type MemoryKube, memoryKube, readyAtOnce } from './memory-kube.js';
import { deployment } from './objects.js';

const at = (weight: number, rest: Partial<Routing> = {}): Routing => ({ weight, mirror: 0, match: false, ...rest });

const hpa = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'shop', namespace: 'shop' },
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 9 },
};

function world(options: { stable?: number; canary?: number; surge?: boolean; objects?: object[]; router?: Partial<RouterOptions> } = {}) {
  const { stable = 10, canary = 0, surge = true, objects = [], router = {} } = options;
  const shop = deployment('shop', { replicas: stable });
  if (!surge) shop.spec.strategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };
  const ours = deployment('shop-canary', { replicas: canary });
  ours.metadata.annotations = { ...ours.metadata.annotations, 'slipway.dev/canary-of': 'shop' };
  const kube = memoryKube(shop, ours, ...objects);
  kube.react = readyAtOnce;
  let now = 0;
  const sleep = async (ms: number) => {
    now += ms;
  };
  const clock = { now: () => now, sleep };
  const made = createRouter(kube, {
    namespace: 'shop',
    stable: 'shop',
    canary: 'shop-canary',
    kubeService: 'shop',
    traffic: { router: 'replicas', gitopsIgnoresWeights: false },
    replicas: 10,
    clock,
    readyTimeoutMs: 60_000,
    ...router,
  });
  return { kube, router: made, elapsed: () => now };
}

const counts = (kube: MemoryKube) => [
  kube.at('deployments', 'shop', 'shop-canary').spec.replicas,
  kube.at('deployments', 'shop', 'shop').spec.replicas,
];
const scales = (kube: MemoryKube) =>
  kube.writes().map(({ name, body }) => `${name}=${(body as { spec: { replicas: number } }).spec.replicas}`);

describe('the replicas router', () => {
  it('grows the canary before it shrinks stable, in steps, and comes back', async () => {
    const { kube, router } = world();
    await router.check();
    await router.route(at(20));
    expect(counts(kube)).toEqual([2, 8]);
    await router.route(at(50));
    expect(counts(kube)).toEqual([5, 5]);
    await router.route(at(20));
    expect(counts(kube)).toEqual([2, 8]);
    await router.route(at(0));
    expect(counts(kube)).toEqual([0, 10]);
    expect(scales(kube)).toEqual([
      'shop-canary=2',
      'shop=8',
      'shop-canary=5',
      'shop=5',
      'shop=8',
      'shop-canary=2',
      'shop-canary=0',
      'shop=10',
    ]);
  });

  it('writes nothing when the pods are as they should be', async () => {
    const { kube, router } = world({ stable: 8, canary: 2 });
    await router.route(at(20));
    expect(kube.writes()).toEqual([]);
    expect(await router.read()).toMatchObject({ weight: 20, settled: true });
  });

  it('leaves stable as it is while the canary is not ready', async () => {
    const { kube, router } = world({ router: { readyTimeoutMs: 5_000 } });
    kube.react = () => undefined;
    await expect(router.route(at(20))).rejects.toMatchObject({ reason: 'READY_TIMEOUT' });
    expect(counts(kube)).toEqual([2, 10]);
  });

  it('uses the surge for a closer ratio, unless there is none', async () => {
    const close = world();
    await close.router.route(at(10));
    expect(counts(close.kube)).toEqual([1, 9]);
    const withSurge = world();
    await withSurge.router.route(at(18));
    expect(counts(withSurge.kube)).toEqual([2, 9]);
    const without = world({ surge: false });
    await without.router.route(at(18));
    expect(counts(without.kube)).toEqual([2, 8]);
    expect(without.router.capacity(at(18), 10)).toEqual({ canary: 2, stable: 8 });
  });

  it('refuses a weight that one pod cannot have, and a canary that is not there', async () => {
    const one = world({ stable: 1, surge: false, router: { replicas: 1 } });
    await expect(one.router.check()).rejects.toMatchObject({ reason: 'WEIGHT_IMPOSSIBLE' });
    await expect(one.router.route(at(10))).rejects.toMatchObject({ reason: 'WEIGHT_IMPOSSIBLE' });
    const none = world({ router: { canary: 'other' } });
    await expect(none.router.route(at(10))).rejects.toMatchObject({ reason: 'CANARY_MISSING' });
    expect([...one.kube.writes(), ...none.kube.writes()]).toEqual([]);
  });

  it('never writes the replicas of a Deployment that an autoscaler owns', async () => {
    const { kube, router } = world({ objects: [hpa] });
    await expect(router.check()).rejects.toMatchObject({ reason: 'HPA_OWNS_REPLICAS' });
    await expect(router.route(at(20))).rejects.toMatchObject({ reason: 'HPA_OWNS_REPLICAS' });
    expect(kube.writes().filter(({ name }) => name === 'shop')).toEqual([]);
    const back = world({ stable: 6, canary: 4, objects: [hpa] });
    await back.router.route(at(0));
    expect(scales(back.kube)).toEqual(['shop-canary=0']);
  });

  it('verifies by pods that are ready, and waits for them', async () => {
    const { kube, router, elapsed } = world({ stable: 8, canary: 2 });
    kube.at('deployments', 'shop', 'shop-canary').status.availableReplicas = 0;
    kube.before = () => {
      if (elapsed() >= 3_000) kube.at('deployments', 'shop', 'shop-canary').status.availableReplicas = 2;
      return undefined;
    };
    expect((await router.verify(at(20))).weight).toBe(20);
    expect(elapsed()).toBe(3_000);
    await expect(router.verify(at(50))).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE' });
  });

  it('makes users safe with its first request, needing nothing that was read', async () => {
    const { kube, router } = world({ stable: 5, canary: 5 });
    expect(router.wayOut()).toEqual([
      expect.objectContaining({
        name: 'shop-canary',
        patch: {
          type: 'json',
          body: [
            { op: 'test', path: '/metadata/annotations/slipway.dev~1canary-of', value: 'shop' },
            { op: 'add', path: '/spec/replicas', value: 0 },
          ],
        },
      }),
    ]);
    await router.makeSafe();
    expect(kube.calls[0]).toMatchObject({ verb: 'patch', name: 'shop-canary' });
    expect(counts(kube)).toEqual([0, 10]);
  });

  it('is safe without a canary', async () => {
    const { kube, router } = world({ stable: 5, router: { canary: 'gone' } });
    await router.makeSafe();
    expect(kube.at('deployments', 'shop', 'shop').spec.replicas).toBe(10);
  });

  it('writes nothing forward once the signal has aborted, and still gets everybody out', async () => {
    const stop = new AbortController();
    const { kube, router } = world({ router: { signal: stop.signal } });
    kube.before = ({ verb, name }) => {
      if (verb === 'patch' && name === 'shop-canary' && !stop.signal.aborted) stop.abort(new Error('SIGINT'));
      return undefined;
    };
    await expect(router.route(at(50))).rejects.toThrow('SIGINT');
    expect(counts(kube)).toEqual([5, 10]);
    await router.makeSafe();
    expect(counts(kube)).toEqual([0, 10]);
  });

  it('remembers from the snapshot how many pods there were', async () => {
    const first = world();
    const snapshot = await first.router.snapshot();
    expect(snapshot).toEqual({ router: 'replicas', stable: { name: 'shop', replicas: 10 } });
    const later = world({ stable: 5, canary: 5, router: { snapshot, replicas: 5 } });
    await later.router.cleanup();
    expect(counts(later.kube)).toEqual([0, 10]);
  });

  it('never touches a Deployment of the canary’s name that is not its canary', async () => {
    const { kube, router } = world({ stable: 5, canary: 3 });
    const foreign = deployment('shop-canary', { replicas: 3 });
    for (const annotations of [undefined, { 'slipway.dev/canary-of': 'other' }]) {
      kube.put({ ...foreign, metadata: { ...foreign.metadata, annotations } });
      await router.makeSafe();
      await router.route(at(0));
      await router.cleanup();
      await expect(router.route(at(20))).rejects.toMatchObject({ reason: 'CANARY_NAME_TAKEN' });
      expect(counts(kube)).toEqual([3, 10]);
      expect((await router.read()).weight).toBe(0);
    }
  });

  it('brings stable back, too, by the way out that was prepared while it had less', async () => {
    const { kube, router } = world();
    await router.check();
    await router.route(at(50));
    const ways = router.wayOut() ?? [];
    expect(ways.map(({ words }) => words)).toEqual(['scale Deployment shop/shop-canary to 0', 'scale Deployment shop/shop to 10']);
    for (const { resource, namespace, name, patch } of ways) await kube.patch(resource, namespace, name, patch);
    expect(counts(kube)).toEqual([0, 10]);
  });

  it('says beforehand what it would write, which is what it writes', async () => {
    const { kube, router } = world();
    for (const weight of [20, 50, 20, 0]) {
      const announced = await router.writes(at(weight));
      expect(kube.writes()).toEqual([]);
      await router.route(at(weight));
      const scaled = kube.writes().map(({ name, body }) => [name, (body as { spec: { replicas: number } }).spec.replicas]);
      expect(announced.map(({ name, patch }) => [name, (patch.body as { value: number }[]).at(-1)?.value])).toEqual(scaled);
      expect(await router.writes(at(weight))).toEqual([]);
      kube.calls.length = 0;
    }
  });

  it('cannot mirror', async () => {
    const { kube, router } = world();
    await expect(router.route(at(10, { mirror: 5 }))).rejects.toMatchObject({ reason: 'MIRROR_UNSUPPORTED' });
    expect(kube.writes()).toEqual([]);
  });
});
