import { describe, expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import type { KubeObject } from '../src/kube.js';
import type { RouterConfig, RouterOptions } from '../src/traffic/create-router.js';
import { stableAlone } from '../src/traffic/routing.js';
import type { MemoryKube } from './memory-kube.js';
import { refusal } from './memory-kube.js';
import { canaryObjects, service, stableObjects, stored, type World, world } from './service-world.js';

type GatewayApi = Extract<RouterConfig, { router: 'gateway-api' }>;
const traffic: GatewayApi = { router: 'gateway-api', httpRoute: 'shop', canaryService: 'shop-canary', gitopsIgnoresWeights: false };

const ref = (name: string, weight = 1) => ({ group: '', kind: 'Service', name, port: 80, weight });
const root = [{ path: { type: 'PathPrefix', value: '/' } }];
const api = [{ path: { type: 'PathPrefix', value: '/api' } }];
const admin = { matches: [{ path: { type: 'PathPrefix', value: '/admin' } }], backendRefs: [ref('admin')], timeouts: { request: '3s' } };
const addHeader = { type: 'RequestHeaderModifier', requestHeaderModifier: { add: [{ name: 'x-a', value: 'b' }] } };
const main = (...backendRefs: object[]) => ({ matches: root, filters: [addHeader], backendRefs });

function httpRoute(...rules: object[]): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop', namespace: 'shop', annotations: { owner: 'team' } },
    spec: { parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public' }], hostnames: ['shop.example.com'], rules },
  };
}

/** Plays the controller of the Gateway: it has seen every change at once. */
function accepts(object: KubeObject): void {
  if (object.kind !== 'HTTPRoute') return;
  const observedGeneration = object.metadata.generation;
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', reason: type, observedGeneration }));
  object.status = { parents: object.spec.parentRefs.map((parentRef: object) => ({ parentRef, controllerName: 'gateway', conditions })) };
}

function shop(
  rules: object[],
  config: Partial<GatewayApi> = {},
  options: Partial<RouterOptions> = {},
  more: object[] = canaryObjects(),
): World {
  const made = world({ ...traffic, ...config }, [...stableObjects(), service('shop', { app: 'shop', track: 'stable' }), ...more], options);
  made.kube.react = accepts;
  made.kube.put(httpRoute(...rules));
  return made;
}

const rulesNow = (kube: MemoryKube) => kube.at('httproutes', 'shop', 'shop').spec.rules;
const weights = (kube: MemoryKube, rule = 0) =>
  Object.fromEntries(rulesNow(kube)[rule].backendRefs.map(({ name, weight }: { name: string; weight: number }) => [name, weight]));
const ten = { weight: 10, mirror: 0, match: false };

describe('weights', () => {
  it('are set in the rules that lead to stable, scaled to 100; all else stays to the letter', async () => {
    const { kube, router } = shop([admin, main(ref('shop', 1)), { ...main(ref('shop', 7)), matches: api }]);
    await router.check();
    const before = structuredClone(kube.at('httproutes', 'shop', 'shop'));
    await router.route(ten);
    const after = kube.at('httproutes', 'shop', 'shop');
    before.spec.rules[1].backendRefs = [ref('shop', 90), ref('shop-canary', 10)];
    before.spec.rules[2].backendRefs = [ref('shop', 90), ref('shop-canary', 10)];
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.annotations).toEqual({ owner: 'team' });
    expect(await router.verify(ten)).toMatchObject({ weight: 10, mirror: 0, match: false, settled: true });
  });

  it('that give the share already need no write, whatever their sum', async () => {
    const { kube, router } = shop([main(ref('shop', 9), ref('shop-canary', 1))]);
    await router.prepare?.();
    const writes = kube.writes().length;
    await router.route(ten);
    expect(kube.writes()).toHaveLength(writes);
    expect((await router.read()).weight).toBe(10);
  });

  it('come back in the form that they had; a second cleanup writes nothing', async () => {
    const original = [admin, main(ref('shop', 1))];
    const { kube, router, again } = shop(original);
    const snapshot = await router.snapshot();
    await router.route({ weight: 25, mirror: 5, match: true });
    await again({ snapshot }).cleanup();
    expect(rulesNow(kube)).toEqual(original);
    const writes = kube.writes().length;
    await again({ snapshot }).cleanup();
    expect(kube.writes()).toHaveLength(writes);
  });

  it('never give the canary anything back, whatever there was before', async () => {
    const { kube, router, again } = shop([main(ref('shop', 90), ref('shop-canary', 10))]);
    const snapshot = await router.snapshot();
    await router.route({ ...ten, weight: 50 });
    await again({ snapshot }).cleanup();
    expect(weights(kube)).toEqual({ shop: 100, 'shop-canary': 0 });
  });

  it('keep a canary backend of weight 0 that was there before', async () => {
    const original = [main(ref('shop', 100), ref('shop-canary', 0))];
    const { kube, router, again } = shop(original);
    const snapshot = await router.snapshot();
    await router.route({ ...ten, weight: 50 });
    await again({ snapshot }).cleanup();
    expect(rulesNow(kube)).toEqual(original);
  });

  it('that somebody else has changed are noticed', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.route(ten);
    kube.put(httpRoute(main(ref('shop', 100))));
    await expect(router.verify(ten)).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE', details: { weight: 0, wanted: 10 } });
  });

  it('are computed anew when somebody else changes the route between reading and writing', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    let raced = false;
    const plain = kube.before;
    kube.before = (call) => {
      if (call.verb === 'patch' && call.plural === 'httproutes' && !raced) {
        raced = true;
        kube.put(httpRoute(admin, main(ref('shop', 1))));
      }
      return plain(call);
    };
    await router.route(ten);
    expect(raced).toBe(true);
    expect(rulesNow(kube)[0]).toEqual(admin);
    expect(weights(kube, 1)).toEqual({ shop: 90, 'shop-canary': 10 });
  });
});

describe('header and cookie', () => {
  it('have a rule of their own, the last, to the canary alone, with all else of the rule', async () => {
    const { kube, router } = shop([main(ref('shop', 1)), admin], { header: 'x-canary', cookie: 'canary' });
    await router.route({ weight: 0, mirror: 0, match: true });
    expect(weights(kube)).toEqual({ shop: 1 });
    expect(rulesNow(kube)).toHaveLength(3);
    expect(rulesNow(kube)[2]).toEqual({
      name: 'slipway-canary-1',
      matches: [
        { ...root[0], headers: [{ type: 'Exact', name: 'x-canary', value: 'true' }] },
        { ...root[0], headers: [{ type: 'RegularExpression', name: 'Cookie', value: '(^|.*;\\s*)canary=always(\\s*;.*|$)' }] },
      ],
      filters: [addHeader],
      backendRefs: [ref('shop-canary', 1)],
    });
    expect(await router.verify({ weight: 0, mirror: 0, match: true })).toMatchObject({ weight: 0, match: true });
    const writes = kube.writes().length;
    await router.route({ weight: 0, mirror: 0, match: true });
    expect(kube.writes()).toHaveLength(writes);
    await router.route(stableAlone);
    expect(rulesNow(kube)).toEqual([main(ref('shop', 1)), admin]);
  });

  it('are no rule when neither is configured', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.route({ weight: 10, mirror: 0, match: true });
    expect(rulesNow(kube)).toHaveLength(1);
    expect(await router.verify({ weight: 10, mirror: 0, match: true })).toMatchObject({ match: false });
  });

  it('are told by their shape where the definition knows no names of rules', async () => {
    const { kube, router } = shop([main(ref('shop', 1))], { header: 'x-canary' });
    kube.react = (object) => {
      for (const rule of object.kind === 'HTTPRoute' ? object.spec.rules : []) delete rule.name;
      accepts(object);
    };
    await router.route({ ...ten, match: true });
    expect(rulesNow(kube)).toHaveLength(2);
    expect((await router.read()).match).toBe(true);
    await router.route(stableAlone);
    expect(rulesNow(kube)).toHaveLength(1);
  });

  it('of the shared shape, from somebody else, are refused before anything is touched', async () => {
    const theirs = {
      matches: [{ ...root[0], headers: [{ type: 'Exact', name: 'x-canary', value: 'true' }] }],
      backendRefs: [ref('shop-canary')],
    };
    const { kube, router } = shop([theirs, main(ref('shop', 1))], { header: 'x-canary' });
    await expect(router.check()).rejects.toMatchObject({ reason: 'ROUTE_LEADS_TO_CANARY' });
    expect(kube.writes()).toEqual([]);
  });
});

describe('mirror', () => {
  it('is a filter with a share beside those that are there, and goes again', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.route({ weight: 0, mirror: 5, match: false });
    expect(rulesNow(kube)[0].filters).toEqual([
      addHeader,
      { type: 'RequestMirror', requestMirror: { backendRef: { group: '', kind: 'Service', name: 'shop-canary', port: 80 }, percent: 5 } },
    ]);
    expect(await router.verify({ weight: 0, mirror: 5, match: false })).toMatchObject({ weight: 0, mirror: 5 });
    await router.route({ weight: 0, mirror: 0.5, match: false });
    expect(rulesNow(kube)[0].filters[1].requestMirror.fraction).toEqual({ numerator: 500, denominator: 100000 });
    expect((await router.read()).mirror).toBe(0.5);
    // A step of 7 % is 100 × 0.07 in floating point.
    await router.route({ weight: 0, mirror: 100 * 0.07, match: false });
    expect(rulesNow(kube)[0].filters[1].requestMirror.percent).toBe(7);
    expect((await router.verify({ weight: 0, mirror: 100 * 0.07, match: false })).mirror).toBe(7);
    await router.route(stableAlone);
    expect(rulesNow(kube)).toEqual([main(ref('shop', 1))]);
  });

  it('comes and goes in a rule without filters', async () => {
    const rule = { matches: root, backendRefs: [ref('shop', 1)] };
    const { kube, router } = shop([rule]);
    await router.route({ weight: 10, mirror: 5, match: false });
    expect(rulesNow(kube)[0].filters).toHaveLength(1);
    await router.makeSafe();
    expect(rulesNow(kube)[0]).toEqual({ matches: root, backendRefs: [ref('shop', 100), ref('shop-canary', 0)] });
  });

  it('is refused where the share would be dropped, and then nothing is written', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    const { patch } = kube;
    const drops: typeof patch = async (...args) => {
      const answer = await patch(...args);
      for (const rule of answer.spec.rules) for (const filter of rule.filters ?? []) delete filter.requestMirror?.percent;
      return answer;
    };
    Object.assign(kube, { patch: drops });
    await expect(router.route({ weight: 0, mirror: 5, match: false })).rejects.toMatchObject({ reason: 'MIRROR_PERCENT_UNSUPPORTED' });
    expect(rulesNow(kube)).toEqual([main(ref('shop', 1))]);
  });
});

describe('the way out', () => {
  it('is one patch, known from the last read, that takes all of ours away', async () => {
    const { kube, router } = shop([main(ref('shop', 1))], { header: 'x-canary' });
    expect(router.wayOut()).toBeUndefined();
    await router.route({ weight: 10, mirror: 5, match: true });
    const [only, ...others] = router.wayOut() ?? [];
    expect(others).toEqual([]);
    if (!only) throw new Error('no way out');
    expect(only).toEqual(JSON.parse(JSON.stringify(only)));
    await kube.patch(only.resource, only.namespace, only.name, only.patch);
    expect(await router.read()).toMatchObject({ weight: 0, mirror: 0, match: false });
    expect(router.wayOut()).toEqual([]);
  });

  it('is open also when somebody has put in a third backend, whose share stays', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.route(ten);
    kube.put(httpRoute(main(ref('shop', 90), ref('shop-canary', 10), ref('blog', 5))));
    await expect(router.route({ ...ten, weight: 50 })).rejects.toMatchObject({ reason: 'ROUTE_HAS_OTHER_BACKENDS' });
    await router.makeSafe();
    expect(weights(kube)).toEqual({ shop: 90, 'shop-canary': 0, blog: 5 });
  });

  it('reads again when the route has changed since', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.route(ten);
    const changed = rulesNow(kube).map((rule: object) => ({ ...rule, timeouts: { request: '9s' } }));
    kube.put(httpRoute(admin, ...changed));
    await router.makeSafe();
    expect(weights(kube, 1)).toEqual({ shop: 100, 'shop-canary': 0 });
    expect(rulesNow(kube)[1].timeouts).toEqual({ request: '9s' });
  });

  it('is not overtaken by what is still on its way, and a cancelled run writes nothing else', async () => {
    const controller = new AbortController();
    const { kube, router } = shop([main(ref('shop', 1))], {}, { signal: controller.signal });
    const plain = kube.before;
    kube.before = (call) => {
      if (call.verb === 'get' && call.plural === 'httproutes') controller.abort(new Error('cancelled'));
      return plain(call);
    };
    await expect(router.route(ten)).rejects.toThrow('cancelled');
    expect(weights(kube)).toEqual({ shop: 1 });
    await router.makeSafe();
    expect(weights(kube)).toEqual({ shop: 1 });
  });

  it('keeps what the API server says when it refuses', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.route(ten);
    kube.before = (call) => {
      if (call.verb === 'patch') throw refusal('FORBIDDEN', 403, 'may not patch httproutes');
      return undefined;
    };
    await expect(router.makeSafe()).rejects.toMatchObject({ reason: 'FORBIDDEN' });
  });
});

describe('the controllers of the route', () => {
  it('are waited for', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    kube.react = () => undefined;
    await router.route(ten);
    let reads = 0;
    kube.before = (call) => {
      if (call.plural === 'httproutes' && ++reads === 4) accepts(kube.at('httproutes', 'shop', 'shop'));
      return undefined;
    };
    expect(await router.verify(ten)).toMatchObject({ weight: 10, settled: true });
    expect(reads).toBeGreaterThanOrEqual(4);
  });

  it('that never see the change, or complain of it, are named', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    kube.react = () => undefined;
    await router.route(ten);
    await expect(router.verify(ten)).rejects.toMatchObject({
      reason: 'HTTP_ROUTE_NOT_ACCEPTED',
      message: expect.stringContaining('gateway has seen generation 1 of 2'),
    });
  });

  it('that are not there at all are a refusal before a rollout', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    delete kube.at('httproutes', 'shop', 'shop').status;
    await expect(router.check()).rejects.toMatchObject({ reason: 'HTTP_ROUTE_UNREPORTED' });
  });
});

describe('the canary’s Service', () => {
  const made = (kube: MemoryKube) => stored(kube, 'services', 'shop-canary');

  it('is a copy of the stable one without what belongs to that alone', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.prepare?.();
    expect(made(kube)?.spec).toEqual({
      selector: { app: 'shop', track: 'canary' },
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
    });
    expect(made(kube)?.metadata).toMatchObject({
      labels: { team: 'shop', track: 'canary' },
      annotations: { 'slipway.dev/canary-of': 'shop' },
    });
    expect(made(kube)?.metadata.labels).not.toHaveProperty('app.kubernetes.io/instance');
  });

  it('leads somewhere before anybody is sent to it', async () => {
    const { kube, router } = shop([main(ref('shop', 1))], {}, {}, [canaryObjects()[0] as object]);
    await expect(router.route(ten)).rejects.toMatchObject({ reason: 'TRACK_WITHOUT_PODS' });
    expect(weights(kube)).toEqual({ shop: 1 });
  });

  it('goes when the canary has gone, and not before', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    await router.route(ten);
    await router.cleanup();
    expect(made(kube)).toBeDefined();
    await kube.remove({ group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' }, 'shop', 'shop-canary');
    await router.cleanup();
    expect(made(kube)).toBeUndefined();
  });

  it('of somebody else is used, and stays', async () => {
    const theirs = service('shop-canary', { app: 'shop', track: 'canary' });
    const { kube, router } = shop([main(ref('shop', 1))], {}, {}, [theirs, ...canaryObjects()]);
    await router.check();
    await router.route(ten);
    await kube.remove({ group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' }, 'shop', 'shop-canary');
    await router.cleanup();
    expect(made(kube)).toBeDefined();
    expect(kube.writes().filter(({ plural }) => plural === 'services')).toEqual([]);
  });

  it('is in the plan', async () => {
    const { kube, router } = shop([main(ref('shop', 1))]);
    const planned = await router.writes(ten);
    expect(planned.map(({ resource, name }) => `${resource.plural}/${name}`)).toEqual(['services/shop-canary', 'httproutes/shop']);
    expect(kube.writes()).toEqual([]);
    expect(await router.writes(stableAlone)).toEqual([]);
  });
});

describe('what cannot work is refused, and nothing is written', () => {
  const cases: [string, string, World][] = [
    ['no HTTPRoute', 'HTTP_ROUTE_NOT_FOUND', world(traffic, [...stableObjects(), service('shop', { app: 'shop', track: 'stable' })])],
    ['a route that leads elsewhere', 'ROUTE_WITHOUT_STABLE', shop([main(ref('blog', 1))], { stableService: 'shop' })],
    ['several Services and none named', 'ROUTE_AMBIGUOUS', shop([admin, main(ref('blog', 1))])],
    ['a third backend', 'ROUTE_HAS_OTHER_BACKENDS', shop([main(ref('shop', 1), ref('blog', 1))])],
    ['weights that are nothing', 'WEIGHTS_NOT_100', shop([main(ref('shop', 0))])],
    [
      'a rule of somebody else to the canary',
      'ROUTE_LEADS_TO_CANARY',
      shop([main(ref('shop', 1)), { matches: api, backendRefs: [ref('shop-canary')] }]),
    ],
    [
      'a condition of its own on the header',
      'MATCH_TAKEN',
      shop([{ ...main(ref('shop')), matches: [{ ...root[0], headers: [{ type: 'Exact', name: 'X-Canary', value: 'no' }] }] }], {
        header: 'x-canary',
      }),
    ],
    [
      'a canary Service of somebody else for all pods',
      'SERVICE_NAME_TAKEN',
      shop([main(ref('shop', 1))], {}, {}, [service('shop-canary', { app: 'shop' })]),
    ],
    [
      'a canary Service without selector',
      'SERVICE_WITHOUT_SELECTOR',
      shop([main(ref('shop', 1))], {}, {}, [service('shop-canary', undefined)]),
    ],
  ];
  it('rules that a GitOps controller keeps, until it is told to leave them: GITOPS_OWNED', async () => {
    const owned = [
      {
        manager: 'argocd-controller',
        operation: 'Apply',
        apiVersion: 'gateway.networking.k8s.io/v1',
        fieldsV1: { 'f:spec': { 'f:rules': {} } },
      },
    ];
    for (const gitopsIgnoresWeights of [false, true]) {
      const { kube, router } = shop([main(ref('shop', 1))], { gitopsIgnoresWeights });
      kube.at('httproutes', 'shop', 'shop').metadata.managedFields = owned;
      const checked = router.check();
      await (gitopsIgnoresWeights ? checked : expect(checked).rejects.toMatchObject({ reason: 'GITOPS_OWNED' }));
    }
  });

  const stables: [string, string, KubeObject][] = [
    ['both tracks behind the stable Service', 'SERVICE_SELECTS_BOTH_TRACKS', service('shop', { app: 'shop' })],
    ['a stable Service without selector', 'SERVICE_WITHOUT_SELECTOR', service('shop', undefined)],
    [
      'a stable Service of type ExternalName',
      'SERVICE_EXTERNAL_NAME',
      service('shop', undefined, { type: 'ExternalName', externalName: 'x.example' }),
    ],
    ['a stable Service of other pods', 'SERVICE_EXCLUDES_STABLE', service('shop', { app: 'blog' })],
  ];
  it.each(cases)('%s: %s', async (_words, reason, { kube, router }) => {
    await expect(router.check()).rejects.toMatchObject({ reason });
    expect(kube.writes()).toEqual([]);
  });
  it.each(stables)('%s: %s', async (_words, reason, stable) => {
    const { kube, router } = shop([main(ref('shop', 1))], {}, {}, [stable]);
    await expect(router.check()).rejects.toMatchObject({ reason });
    expect(kube.writes()).toEqual([]);
  });

  it('both tracks: with the commands in the order in which they work', async () => {
    const { kube, router } = shop([main(ref('shop', 1))], {}, {}, stableObjects({ app: 'shop' }));
    kube.put(service('shop', { app: 'shop' }));
    const error = await router.check().catch((reason: unknown) => reason);
    if (!(error instanceof OperationError)) throw new Error('not refused');
    expect(error.next.slice(1)).toEqual([
      'kubectl -n shop patch deployment/shop --type merge -p \'{"spec":{"template":{"metadata":{"labels":{"track":"stable"}}}}}\'',
      'kubectl -n shop rollout status deployment/shop',
      'kubectl -n shop patch service/shop --type merge -p \'{"spec":{"selector":{"track":"stable"}}}\'',
    ]);
  });
});

it('counts pods: stable keeps all, the canary gets its share of requests and copies', () => {
  const { router } = shop([main(ref('shop', 1))], { header: 'x-canary' });
  expect(router.capacity({ weight: 10, mirror: 0, match: false }, 10)).toEqual({ stable: 10, canary: 1 });
  expect(router.capacity({ weight: 0, mirror: 30, match: false }, 10)).toEqual({ stable: 10, canary: 3 });
  expect(router.capacity({ weight: 0, mirror: 0, match: true }, 10)).toEqual({ stable: 10, canary: 1 });
  expect(router.capacity(stableAlone, 10)).toEqual({ stable: 10, canary: 0 });
});
