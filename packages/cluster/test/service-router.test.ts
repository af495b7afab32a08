import { describe, expect, it } from '@jest/globals';
import { resources } from '../src/resources.js';
import type { RouterOptions } from '../src/traffic/create-router.js';
import { stableAlone } from '../src/traffic/routing.js';
import type { MemoryKube } from './memory-kube.js';
import { canaryLabels, canaryObjects, pod, service, stableLabels, stableObjects, stored, type World, world } from './service-world.js';

const everybody = { weight: 100, mirror: 0, match: false };

function shop(selector: Record<string, string> = { app: 'shop' }, more: object[] = [], options: Partial<RouterOptions> = {}): World {
  const objects = [...stableObjects(), service('shop', selector), ...more];
  return world({ router: 'service', previewService: 'shop-preview', gitopsIgnoresWeights: false }, objects, options);
}

const selectorNow = (kube: MemoryKube) => kube.at('services', 'shop', 'shop').spec.selector;
async function removeCanary(kube: MemoryKube): Promise<void> {
  await kube.remove(resources.deployments, 'shop', 'shop-canary');
  for (const name of ['shop-canary-0', 'shop-canary-1']) await kube.remove(resources.pods, 'shop', name).catch(() => undefined);
}

describe('blue/green by the selector of one Service', () => {
  it('leaves the new pods out before they come, and gives them a preview', async () => {
    const { kube, router } = shop();
    await router.check();
    expect(kube.writes()).toEqual([]);
    await router.prepare?.();
    kube.put(...canaryObjects(2));
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
    expect(kube.at('services', 'shop', 'shop-preview').spec.selector).toEqual({ app: 'shop', track: 'canary' });
    expect(await router.verify(stableAlone)).toMatchObject({ weight: 0, settled: true });
  });

  it('switches at once, by one patch, and back', async () => {
    const { kube, router } = shop({ app: 'shop', tier: 'web' }, [
      ...stableObjects({ ...stableLabels, tier: 'web' }),
      ...canaryObjects(0),
      pod('shop-canary-0', { ...canaryLabels, tier: 'web' }),
    ]);
    kube.at('deployments', 'shop', 'shop-canary').status.availableReplicas = 1;
    await router.prepare?.();
    const writes = kube.writes().length;
    await router.route(everybody);
    expect(selectorNow(kube)).toEqual({ app: 'shop', tier: 'web', track: 'canary' });
    expect(kube.writes()).toHaveLength(writes + 1);
    expect(await router.verify(everybody)).toMatchObject({ weight: 100, settled: true });
    await router.route(everybody);
    expect(kube.writes()).toHaveLength(writes + 1);
    await router.route(stableAlone);
    expect(selectorNow(kube)).toEqual({ app: 'shop', tier: 'web', track: 'stable' });
    expect(await router.verify(stableAlone)).toMatchObject({ weight: 0 });
  });

  it('does not switch to pods that are not ready', async () => {
    const { kube, router } = shop(undefined, [...canaryObjects(0), pod('shop-canary-0', canaryLabels, false)]);
    await router.prepare?.();
    await expect(router.route(everybody)).rejects.toMatchObject({ reason: 'TRACK_WITHOUT_PODS' });
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
  });

  it('does not narrow the selector to a label that no pod has', async () => {
    const { kube, router } = shop(undefined, [...stableObjects({ app: 'shop' })]);
    await expect(router.prepare?.()).rejects.toMatchObject({ reason: 'TRACK_WITHOUT_PODS' });
    expect(selectorNow(kube)).toEqual({ app: 'shop' });
  });

  it('is not in force before the endpoints are of the wanted track', async () => {
    const { kube, router } = shop({ app: 'shop', track: 'stable' }, canaryObjects(1));
    await router.route(everybody);
    kube.before = () => undefined; // the endpoints controller stands still: the slices are those of before the switch
    await expect(router.verify(everybody)).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE', details: { wanted: 100 } });
  });

  it('says who meets the canary where the selector leads to both', async () => {
    const { router } = shop(undefined, canaryObjects(2));
    expect(await router.read()).toMatchObject({ weight: 50, settled: true });
    await expect(router.verify(stableAlone)).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE' });
  });
});

describe('the end', () => {
  it('keeps the track while the canary is there, then restores the selector to the letter and takes the preview away', async () => {
    const { kube, router, again } = shop();
    const snapshot = await router.snapshot();
    expect(snapshot).toEqual({ router: 'service', service: 'shop', selector: { app: 'shop' } });
    await router.prepare?.();
    kube.put(...canaryObjects(1));
    await router.route(everybody);
    const last = again({ snapshot });
    await last.cleanup();
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
    expect(stored(kube, 'services', 'shop-preview')).toBeDefined();
    await removeCanary(kube);
    await last.cleanup();
    expect(selectorNow(kube)).toEqual({ app: 'shop' });
    expect(stored(kube, 'services', 'shop-preview')).toBeUndefined();
    const writes = kube.writes().length;
    await last.cleanup();
    expect(kube.writes()).toHaveLength(writes);
  });

  it('keeps the track while a pod of the canary is ready, though its Deployment is gone, and restores it at a later look', async () => {
    const { kube, router, again } = shop();
    const snapshot = await router.snapshot();
    await router.prepare?.();
    kube.put(...canaryObjects(1));
    await kube.remove(resources.deployments, 'shop', 'shop-canary');
    await expect(again({ snapshot }).cleanup()).rejects.toMatchObject({ reason: 'CANARY_PODS_REMAIN' });
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
    expect(stored(kube, 'services', 'shop-preview')).toBeDefined();
    await kube.remove(resources.pods, 'shop', 'shop-canary-0');
    await again({ snapshot }).cleanup();
    expect(selectorNow(kube)).toEqual({ app: 'shop' });
    expect(stored(kube, 'services', 'shop-preview')).toBeUndefined();
  });

  it('waits for no pods where the Service selected stable before', async () => {
    const { kube, router, again } = shop({ app: 'shop', track: 'stable' });
    const snapshot = await router.snapshot();
    await router.prepare?.();
    kube.put(...canaryObjects(1));
    await kube.remove(resources.deployments, 'shop', 'shop-canary');
    await again({ snapshot }).cleanup();
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
    expect(stored(kube, 'services', 'shop-preview')).toBeUndefined();
  });

  it('restores no track when it is not known what was before', async () => {
    const { kube, router } = shop({ app: 'shop', track: 'canary' });
    await router.cleanup();
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
    const untouched = shop();
    await untouched.router.cleanup();
    expect(selectorNow(untouched.kube)).toEqual({ app: 'shop' });
  });

  it('shuts a canary out that is behind the Service by accident', async () => {
    const { kube, router } = shop(undefined, canaryObjects(1));
    await router.cleanup();
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
  });
});

describe('the way out', () => {
  it('is one patch with a test, and none where stable serves', async () => {
    const { kube, router } = shop({ app: 'shop', track: 'stable' }, canaryObjects(1));
    expect(router.wayOut()).toBeUndefined();
    await router.route(everybody);
    const [only] = router.wayOut() ?? [];
    expect(only?.patch).toEqual({
      type: 'json',
      body: [
        { op: 'test', path: '/spec/selector', value: { app: 'shop', track: 'canary' } },
        { op: 'add', path: '/spec/selector/track', value: 'stable' },
      ],
    });
    await router.makeSafe();
    expect(selectorNow(kube)).toEqual({ app: 'shop', track: 'stable' });
    expect(router.wayOut()).toEqual([]);
  });

  it('reads again when somebody has changed the selector since', async () => {
    const { kube, router } = shop({ app: 'shop', track: 'stable' }, canaryObjects(1));
    await router.route(everybody);
    kube.at('services', 'shop', 'shop').spec.selector = { app: 'shop', tier: 'web', track: 'canary' };
    await router.makeSafe();
    expect(selectorNow(kube)).toEqual({ app: 'shop', tier: 'web', track: 'stable' });
  });

  it('leaves a selector without a track alone: stable’s pods may have none yet', async () => {
    const { kube, router } = shop();
    await router.read();
    await router.makeSafe();
    expect(kube.writes()).toEqual([]);
  });
});

describe('what cannot work is refused, and nothing is written', () => {
  it('shares, and copies', async () => {
    const { kube, router } = shop();
    await expect(router.route({ ...everybody, weight: 10 })).rejects.toMatchObject({ reason: 'WEIGHT_IMPOSSIBLE' });
    await expect(router.writes({ ...stableAlone, mirror: 10 })).rejects.toMatchObject({ reason: 'MIRROR_UNSUPPORTED' });
    expect(kube.writes()).toEqual([]);
  });

  it('a Service that is not there, has no selector, another track, other pods; a preview of somebody else', async () => {
    const worlds: [World, string][] = [
      [shop(undefined, [], { kubeService: 'blog' }), 'SERVICE_NOT_FOUND'],
      [shop(undefined, [service('shop', {})]), 'SERVICE_WITHOUT_SELECTOR'],
      [shop({ app: 'shop', track: 'blue' }), 'TRACK_LABEL_TAKEN'],
      [shop({ app: 'blog' }), 'SERVICE_EXCLUDES_STABLE'],
      [shop(undefined, [service('shop-preview', { app: 'shop' })]), 'SERVICE_NAME_TAKEN'],
    ];
    for (const [{ kube, router }, reason] of worlds) {
      await expect(router.check()).rejects.toMatchObject({ reason });
      expect(kube.writes()).toEqual([]);
    }
  });
});

it('counts pods: who takes over everybody needs all', () => {
  const { router } = shop();
  expect(router.capacity(everybody, 10)).toEqual({ stable: 10, canary: 10 });
  expect(router.capacity(stableAlone, 10)).toEqual({ stable: 10, canary: 0 });
});
