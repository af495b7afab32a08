import { describe, expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import { CANARY_ROUTES } from '../src/traffic/canary-routes.js';
import { createRouter } from '../src/traffic/create-router.js';
import { at, type Istio, istio, other, primary, routes, rule, stableSubset, to, weights, world } from './istio-router-world.js';
import { refusal } from './memory-kube.js';

describe('weights', () => {
  it('are set in our route alone; all else stays to the letter', async () => {
    const { kube, router } = world([other, primary(to('stable', 100), to('canary', 0))]);
    const before = structuredClone(kube.at('virtualservices', 'shop', 'shop').spec);
    await router.route(at(10));
    const after = kube.at('virtualservices', 'shop', 'shop').spec;
    expect(weights(kube)).toEqual([90, 10]);
    before.http[1].route[0].weight = 90;
    before.http[1].route[1].weight = 10;
    expect(after).toEqual(before);
    expect(await router.verify(at(10))).toMatchObject({ weight: 10, settled: true });
  });

  it('need no write when they are so', async () => {
    const { kube, router } = world([primary(to('stable', 90), to('canary', 10))]);
    await router.route(at(10));
    expect(kube.writes()).toEqual([]);
  });

  it('bring a destination for the canary that is like stable’s, and take it away again', async () => {
    const original = [other, primary(to('stable'))];
    const { kube, router } = world(original);
    const snapshot = await router.snapshot();
    await router.route(at(25));
    expect(routes(kube)[1].route).toEqual([to('stable', 75), to('canary', 25)]);
    const later = createRouter(kube, {
      ...{ namespace: 'shop', stable: 'shop', canary: 'shop-canary', kubeService: 'shop', replicas: 10, readyTimeoutMs: 1 },
      traffic: istio,
      clock: { now: () => 0, sleep: async () => undefined },
      snapshot,
    });
    await later.route(at(0));
    expect(routes(kube)[1].route).toEqual([to('stable', 100), to('canary', 0)]);
    await later.cleanup();
    expect(routes(kube)).toEqual(original);
    const writes = kube.writes().length;
    await later.cleanup();
    expect(kube.writes()).toHaveLength(writes);
  });

  it('never give the canary anything back on cleanup, whatever there was before', async () => {
    const { kube, router } = world(
      [primary(to('stable', 90), to('canary', 10))],
      {},
      {
        snapshot: {
          router: 'istio',
          virtualServices: [
            {
              name: 'shop',
              route: {
                name: 'primary',
                destinations: [
                  { host: 'shop', subset: 'stable', weight: 90 },
                  { host: 'shop', subset: 'canary', weight: 10 },
                ],
              },
            },
          ],
        },
      },
    );
    await router.cleanup();
    expect(weights(kube)).toEqual([100, 0]);
  });

  it('work in a route without a name, when it is the only one', async () => {
    const { kube, router } = world([other, { route: [to('stable')] }]);
    await router.route(at(30));
    expect(routes(kube)[1].route.map(({ weight }: { weight: number }) => weight)).toEqual([70, 30]);
  });

  it('count pods for a mesh: stable keeps all, the canary gets its share', () => {
    const { router } = world([primary(to('stable'))]);
    expect(router.capacity(at(10), 10)).toEqual({ stable: 10, canary: 1 });
    expect(router.capacity(at(1), 3)).toEqual({ stable: 3, canary: 1 });
    expect(router.capacity(at(50), 3)).toEqual({ stable: 3, canary: 2 });
    expect(router.capacity(at(0), 3)).toEqual({ stable: 3, canary: 0 });
  });

  it('that somebody else has changed are noticed', async () => {
    const { router } = world([primary(to('stable', 50), to('canary', 50))]);
    await expect(router.verify(at(10))).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE', details: { weight: 50, wanted: 10 } });
  });
});

describe('a change made between reading and writing', () => {
  it('is kept: the patch is refused and computed anew', async () => {
    const { kube, router } = world([primary(to('stable', 100), to('canary', 0))]);
    let moved = false;
    kube.before = ({ verb }) => {
      if (verb !== 'patch' || moved) return undefined;
      moved = true;
      const service = kube.at('virtualservices', 'shop', 'shop');
      kube.put({ ...service, spec: { ...service.spec, http: [other, ...service.spec.http] } });
      return undefined;
    };
    await router.route(at(10));
    expect(routes(kube)[0]).toEqual(other);
    expect(weights(kube)).toEqual([90, 10]);
    expect(kube.writes()).toHaveLength(2);
  });

  it('is not fought over for ever', async () => {
    const { kube, router } = world([primary(to('stable', 100), to('canary', 0))]);
    kube.before = ({ verb }) => {
      if (verb === 'patch') throw refusal('CONFLICT', 422, 'test failed');
      return undefined;
    };
    await expect(router.route(at(10))).rejects.toMatchObject({ reason: 'CONFLICT' });
    expect(kube.writes()).toHaveLength(5);
  });

  it('and a lost answer do not insert the header route twice', async () => {
    const { kube, router } = world([primary(to('stable', 100), to('canary', 0))], { header: 'x-canary' });
    let lost = false;
    kube.before = ({ verb }) => {
      if (verb !== 'patch' || lost) return undefined;
      lost = true;
      return () => {
        const error = refusal('API_UNAVAILABLE', 504, 'lost');
        (error.details as Record<string, unknown>).ambiguous = true;
        throw error;
      };
    };
    await router.route(at(10));
    expect(routes(kube).map(({ name }: { name: string }) => name)).toEqual([CANARY_ROUTES.header, 'primary']);
  });
});

describe('the header route', () => {
  const config = { header: 'x-canary', route: 'primary' };

  it('comes and goes with the weight of a route that has no name, too', async () => {
    for (const destinations of [[to('stable', 100), to('canary', 0)], [to('stable')]]) {
      const { kube, router } = world([{ route: destinations }], { header: 'x-canary' });
      await router.route(at(10));
      expect(routes(kube).map((route: { name?: string }) => route.name)).toEqual([CANARY_ROUTES.header, undefined]);
      await router.route(at(0));
      expect(routes(kube)).toHaveLength(1);
      expect((await router.read()).weight).toBe(0);
    }
  });

  it('is like ours, stands right before it, and leads to the canary alone; it goes with the weight', async () => {
    const matched = { ...primary(to('stable', 100), to('canary', 0)), match: [{ uri: { prefix: '/' }, headers: { a: { exact: 'b' } } }] };
    const original = [other, matched];
    const { kube, router } = world(original, config);
    await router.route(at(10));
    expect(routes(kube)[1]).toEqual({
      name: CANARY_ROUTES.header,
      retries: { attempts: 2 },
      match: [{ uri: { prefix: '/' }, headers: { a: { exact: 'b' }, 'x-canary': { exact: 'true' } } }],
      route: [to('canary')],
    });
    await router.route(at(50));
    expect(routes(kube)).toHaveLength(3);
    await router.route(at(0));
    expect(routes(kube)).toEqual(original);
  });

  it('goes by the way out and by cleanup, too', async () => {
    for (const way of ['makeSafe', 'cleanup'] as const) {
      const original = [other, primary(to('stable', 100), to('canary', 0))];
      const { kube, router } = world(original, config);
      await router.route(at(10));
      await router[way]();
      expect(routes(kube)).toEqual(original);
    }
  });
});

describe('the way out', () => {
  it('is one request, prepared by what was read last', async () => {
    const { kube, router } = world([primary(to('stable', 100), to('canary', 0))]);
    expect(router.wayOut()).toBeUndefined();
    await router.route(at(50));
    const calls = kube.calls.length;
    await router.makeSafe();
    expect(kube.calls.slice(calls).map(({ verb }) => verb)).toEqual(['patch']);
    expect(weights(kube)).toEqual([100, 0]);
  });

  it('reads again when the route has moved', async () => {
    const { kube, router } = world([primary(to('stable', 100), to('canary', 0))]);
    await router.route(at(50));
    const service = kube.at('virtualservices', 'shop', 'shop');
    kube.put({ ...service, spec: { ...service.spec, http: [other, ...service.spec.http] } });
    await router.makeSafe();
    expect(weights(kube)).toEqual([100, 0]);
  });

  it('has the last word over a write that was on its way when the signal came', async () => {
    const stop = new AbortController();
    const { kube, router } = world([primary(to('stable', 100), to('canary', 0))], {}, { signal: stop.signal });
    let answer: () => void = () => undefined;
    kube.before = ({ verb }) => {
      if (verb !== 'patch' || stop.signal.aborted) return undefined;
      stop.abort(new Error('SIGINT'));
      return new Promise((resolve) => {
        answer = () => resolve(undefined);
      });
    };
    const forward = router.route(at(50)).catch((error: Error) => error);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const back = router.makeSafe();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(kube.writes()).toHaveLength(1);
    answer();
    await Promise.all([forward, back]);
    expect(weights(kube)).toEqual([100, 0]);
  });

  it('lets nothing forward be written after the signal', async () => {
    const stop = new AbortController();
    const { kube, router } = world([primary(to('stable', 100), to('canary', 0))], {}, { signal: stop.signal });
    kube.before = ({ verb }) => (verb === 'get' ? () => stop.abort(new Error('SIGINT')) : undefined);
    await expect(router.route(at(50))).rejects.toThrow('SIGINT');
    expect(kube.writes()).toEqual([]);
  });
});

describe('an API server that does not answer', () => {
  /** Each request takes as long as the client repeats it, then fails. */
  function silent() {
    let now = 0;
    const shop = world([primary(to('stable', 50), to('canary', 50))], {}, { clock: { now: () => now, sleep: async () => undefined } });
    const patches = () => shop.kube.calls.filter(({ verb }) => verb === 'patch').length;
    shop.kube.before = ({ verb }) => {
      if (verb !== 'patch') return undefined;
      now += 29_000;
      throw new OperationError('no answer', { reason: 'API_UNAVAILABLE', details: { ambiguous: true } });
    };
    return { ...shop, patches, elapsed: () => now };
  }

  it('is not asked five times over', async () => {
    const { router, patches, elapsed } = silent();
    await expect(router.route(at(10))).rejects.toMatchObject({ reason: 'API_UNAVAILABLE' });
    expect(patches()).toBe(1);
    expect(elapsed()).toBeLessThanOrEqual(30_000);
  });

  it('is not asked again on the way out either, beyond the same time', async () => {
    const { router, patches } = silent();
    await router.read();
    await expect(router.makeSafe()).rejects.toMatchObject({ reason: 'API_UNAVAILABLE' });
    expect(patches()).toBe(1);
  });
});

describe('what refuses', () => {
  const cases: [string, object[], Partial<Istio>, string][] = [
    ['a route that is not there', [primary(to('stable'))], { route: 'primry' }, 'ROUTE_NOT_FOUND'],
    [
      'several candidates',
      [
        { ...primary(to('stable')), name: 'a' },
        { ...primary(to('stable')), name: 'b' },
      ],
      {},
      'ROUTE_AMBIGUOUS',
    ],
    ['two routes of one name', [primary(to('stable')), primary(to('stable'))], { route: 'primary' }, 'ROUTE_AMBIGUOUS'],
    ['no route to stable', [other], {}, 'ROUTE_WITHOUT_STABLE'],
    ['a named route that does not lead to stable', [other], { route: 'admin' }, 'ROUTE_WITHOUT_STABLE'],
    ['a third destination', [primary(to('stable', 70), to('beta', 30))], {}, 'ROUTE_HAS_OTHER_BACKENDS'],
    ['weights that are not 100', [primary(to('stable', 70), to('canary', 20))], {}, 'WEIGHTS_NOT_100'],
    ['no routes at all', [], {}, 'ROUTE_WITHOUT_STABLE'],
  ];

  it.each(cases)('%s', async (_, http, config, reason) => {
    const { kube, router } = world(http, config);
    await expect(router.check()).rejects.toMatchObject({ reason });
    await expect(router.route(at(10))).rejects.toMatchObject({ reason });
    expect(kube.writes()).toEqual([]);
  });

  it('a VirtualService that is not there', async () => {
    await expect(world([], { virtualServices: ['other'] }).router.check()).rejects.toMatchObject({ reason: 'VIRTUAL_SERVICE_NOT_FOUND' });
  });

  it('a DestinationRule without the subset, with the YAML to add', async () => {
    const missing = world([primary(to('stable'))], {}, {}, rule(stableSubset));
    await expect(missing.router.check()).rejects.toMatchObject({
      reason: 'SUBSET_MISSING',
      next: ['Add to its spec.subsets:\n  - name: canary\n    labels: {track: canary}'],
    });
    const none = world([primary(to('stable'))], { destinationRule: 'other' });
    await expect(none.router.check()).rejects.toMatchObject({
      reason: 'DESTINATION_RULE_NOT_FOUND',
      next: [expect.stringContaining('metadata: {name: other, namespace: shop}\nspec:\n  host: shop\n  subsets:\n  - name: stable')],
    });
  });

  it('subsets that cannot tell the tracks apart', async () => {
    const overlap = world(
      [primary(to('stable'))],
      {},
      {},
      rule({ name: 'stable', labels: { app: 'shop' } }, { name: 'canary', labels: { app: 'shop', track: 'canary' } }),
    );
    await expect(overlap.router.check()).rejects.toMatchObject({ reason: 'SUBSETS_OVERLAP' });
  });
});
