import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../src/kube.js';
import { resources } from '../src/resources.js';
import type { RouterConfig, RouterOptions } from '../src/traffic/create-router.js';
import { stableAlone } from '../src/traffic/routing.js';
import type { MemoryKube } from './memory-kube.js';
import { canaryObjects, service, stableObjects, stored, type World, world } from './service-world.js';

type Nginx = Extract<RouterConfig, { router: 'nginx' }>;
const traffic: Nginx = { router: 'nginx', ingress: 'shop', canaryService: 'shop-canary', gitopsIgnoresWeights: false };
const nginx = (name: string) => `nginx.ingress.kubernetes.io/${name}`;

const path = (where: string, name: string) => ({ path: where, pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } });
function ingress(paths: object[], annotations: Record<string, string> = {}, name = 'shop'): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', annotations },
    spec: { ingressClassName: 'nginx', tls: [{ hosts: ['shop.example.com'] }], rules: [{ host: 'shop.example.com', http: { paths } }] },
  };
}

function shop(config: Partial<Nginx> = {}, more: object[] = [], options: Partial<RouterOptions> = {}): World {
  const main = ingress([path('/', 'shop'), path('/admin', 'admin')], { [nginx('affinity')]: 'cookie', [nginx('rewrite-target')]: '/' });
  const objects = [...stableObjects(), ...canaryObjects(), service('shop', { app: 'shop', track: 'stable' }), main, ...more];
  return world({ ...traffic, ...config }, objects, options);
}

const canary = (kube: MemoryKube) => stored(kube, 'ingresses', 'shop-canary');
const marks = (kube: MemoryKube) => canary(kube)?.metadata.annotations;
const ten = { weight: 10, mirror: 0, match: false };

describe('the canary Ingress', () => {
  it('has the paths that led to stable, and nothing that nginx takes from the stable one', async () => {
    const { kube, router } = shop();
    const before = structuredClone(kube.at('ingresses', 'shop', 'shop'));
    await router.check();
    await router.route(ten);
    expect(canary(kube)?.spec).toEqual({
      ingressClassName: 'nginx',
      rules: [{ host: 'shop.example.com', http: { paths: [path('/', 'shop-canary')] } }],
    });
    expect(marks(kube)).toEqual({
      'slipway.dev/canary-of': 'shop',
      [nginx('affinity')]: 'cookie',
      [nginx('canary')]: 'true',
      [nginx('canary-weight')]: '10',
    });
    expect(kube.at('ingresses', 'shop', 'shop')).toEqual(before);
    expect(await router.verify(ten)).toMatchObject({ weight: 10, match: false });
  });

  it('is made with nobody sent to it', async () => {
    const { kube, router } = shop();
    await router.route(ten);
    const made = kube.writes().find(({ verb, plural }) => verb === 'create' && plural === 'ingresses')?.body as KubeObject;
    expect(made.metadata.annotations).toMatchObject({ [nginx('canary-weight')]: '0' });
  });

  it('has header and cookie, which go when the step wants none', async () => {
    const { kube, router } = shop({ header: 'x-canary', cookie: 'canary' });
    await router.route({ ...stableAlone, match: true });
    expect(marks(kube)).toMatchObject({
      [nginx('canary-weight')]: '0',
      [nginx('canary-by-header')]: 'x-canary',
      [nginx('canary-by-header-value')]: 'true',
      [nginx('canary-by-cookie')]: 'canary',
    });
    expect(await router.verify({ ...stableAlone, match: true })).toMatchObject({ match: true });
    await router.route(ten);
    expect(marks(kube)).not.toHaveProperty([nginx('canary-by-header')]);
    expect(marks(kube)).not.toHaveProperty([nginx('canary-by-cookie')]);
  });

  it('needs no write when it says so already', async () => {
    const { kube, router } = shop({ header: 'x-canary' });
    await router.route({ ...ten, match: true });
    const writes = kube.writes().length;
    await router.route({ ...ten, match: true });
    expect(kube.writes()).toHaveLength(writes);
  });

  it('goes at the end, then the canary’s Service with the canary; twice does no harm', async () => {
    const { kube, router } = shop();
    const snapshot = await router.snapshot();
    expect(snapshot).toEqual({ router: 'nginx', ingress: 'shop', madeCanaryService: true, annotations: null });
    await router.route(ten);
    await router.cleanup();
    expect(canary(kube)).toBeUndefined();
    expect(stored(kube, 'services', 'shop-canary')).toBeDefined();
    expect(await router.verify(stableAlone)).toMatchObject({ weight: 0, match: false });
    await kube.remove(resources.deployments, 'shop', 'shop-canary');
    await router.cleanup();
    expect(stored(kube, 'services', 'shop-canary')).toBeUndefined();
    await router.cleanup();
  });

  it('is in the plan as it would be made', async () => {
    const { kube, router } = shop();
    const [only] = await router.writes(ten);
    expect(only?.patch).toMatchObject({ type: 'apply', body: { metadata: { annotations: { [nginx('canary-weight')]: '10' } } } });
    expect(only?.patch.body).not.toHaveProperty(['metadata', 'annotations', nginx('affinity-canary-behavior')]);
    expect(kube.writes()).toEqual([]);
  });
});

describe('the way out', () => {
  it('is one merge patch that fits unread, takes header and cookie away and ends sticky sessions', async () => {
    const { kube, router } = shop({ header: 'x-canary', cookie: 'canary' });
    expect(router.wayOut()).toBeUndefined();
    await router.route({ ...ten, match: true });
    const [only] = router.wayOut() ?? [];
    if (!only) throw new Error('no way out');
    expect(only.patch.type).toBe('merge');
    kube.at('ingresses', 'shop', 'shop-canary').metadata.annotations = {
      ...marks(kube),
      [nginx('canary-weight')]: '70',
      [nginx('canary-weight-total')]: '70',
    };
    await kube.patch(only.resource, only.namespace, only.name, only.patch);
    expect(marks(kube)).toEqual({
      'slipway.dev/canary-of': 'shop',
      [nginx('affinity')]: 'cookie',
      [nginx('canary')]: 'true',
      [nginx('canary-weight')]: '0',
      [nginx('affinity-canary-behavior')]: 'legacy',
    });
    await router.read();
    expect(router.wayOut()).toEqual([]);
  });

  it('is none where no canary Ingress is, also when it went meanwhile', async () => {
    const { kube, router } = shop();
    await router.read();
    expect(router.wayOut()).toEqual([]);
    await router.route(ten);
    await kube.remove(resources.ingresses, 'shop', 'shop-canary');
    await router.makeSafe();
    expect(canary(kube)).toBeUndefined();
  });
});

describe('what is not ours', () => {
  it('has its name kept: refused, read as nobody, and left when all is put away', async () => {
    const theirs = ingress([path('/', 'blog')], { [nginx('canary')]: 'true', [nginx('canary-weight')]: '20' }, 'shop-canary');
    const { kube, router } = shop({}, [theirs]);
    await expect(router.check()).rejects.toMatchObject({ reason: 'CANARY_NAME_TAKEN' });
    await expect(router.route(ten)).rejects.toMatchObject({ reason: 'CANARY_NAME_TAKEN' });
    expect((await router.read()).weight).toBe(0);
    await router.makeSafe();
    await router.cleanup();
    expect(marks(kube)).toEqual(theirs.metadata.annotations);
  });

  it('and is a canary of the same path is refused: nginx heeds only one', async () => {
    const theirs = ingress([path('/', 'blog')], { [nginx('canary')]: 'true' }, 'theirs');
    const { kube, router } = shop({}, [theirs]);
    await expect(router.check()).rejects.toMatchObject({ reason: 'INGRESS_HAS_CANARY' });
    expect(kube.writes()).toEqual([]);
  });
});

describe('what cannot work is refused', () => {
  it('a mirror', async () => {
    const { kube, router } = shop();
    await expect(router.route({ weight: 0, mirror: 5, match: false })).rejects.toMatchObject({ reason: 'MIRROR_UNSUPPORTED' });
    expect(kube.writes()).toEqual([]);
  });

  it('no Ingress, none that leads to stable, both tracks behind one Service', async () => {
    await expect(shop({ ingress: 'blog' }).router.check()).rejects.toMatchObject({ reason: 'INGRESS_NOT_FOUND' });
    await expect(shop({ stableService: 'blog' }).router.check()).rejects.toMatchObject({ reason: 'ROUTE_WITHOUT_STABLE' });
    await expect(shop({}, [service('shop', { app: 'shop' })]).router.check()).rejects.toMatchObject({
      reason: 'SERVICE_SELECTS_BOTH_TRACKS',
    });
  });

  it('annotations that somebody else has changed', async () => {
    const { kube, router } = shop();
    await router.route(ten);
    kube.at('ingresses', 'shop', 'shop-canary').metadata.annotations = { ...marks(kube), [nginx('canary-weight')]: '50' };
    await expect(router.verify(ten)).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE', details: { weight: 50, wanted: 10 } });
  });
});
