import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '../src/kube.js';
import { CANARY_ROUTES } from '../src/traffic/canary-routes.js';
import { meshCapacity } from '../src/traffic/mesh-capacity.js';
import { type Routing, stableAlone } from '../src/traffic/routing.js';
import { findRoute, type RouteRules, snapshotOf, stateOf } from '../src/traffic/virtual-service.js';
import { restorePatch, routePatch } from '../src/traffic/virtual-service-patch.js';
import { applyJsonPatch, jsonCopy } from './json-patch.js';

const rules: RouteRules = {
  namespace: 'shop',
  service: 'shop',
  protocol: 'http',
  stableSubset: 'stable',
  canarySubset: 'canary',
  header: 'x-canary',
  cookie: 'who',
};

const host = fc.constantFrom('shop', 'shop.shop.svc.cluster.local');
const match = fc.record(
  { uri: fc.record({ prefix: fc.constantFrom('/', '/a', '/b') }), headers: fc.constant({ lang: { exact: 'en' } }) },
  { requiredKeys: [] },
);
const extras = fc.record(
  {
    timeout: fc.constantFrom('1s', '2s'),
    retries: fc.constant({ attempts: 3 }),
    headers: fc.constant({ request: { set: { a: 'b' } } }),
    match: fc.array(match, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const foreign = fc.tuple(extras, fc.option(fc.constantFrom('admin', 'static', 'a~b/c'), { nil: undefined })).map(([rest, name]) => ({
  ...rest,
  ...(name === undefined ? {} : { name }),
  route: [{ destination: { host: 'cart', subset: 'stable' } }],
}));
const mirrors = fc.constantFrom<object>(
  {},
  { mirror: { host: 'log' }, mirrorPercentage: { value: 3 } },
  { mirrors: [{ destination: { host: 'log' }, percentage: { value: 50 } }] },
);
/** Each a route as somebody may have written it, with nobody at the canary. */
const destinations = host.chain((name) => {
  const to = (subset: string, weight?: number) => ({
    destination: { host: name, subset, port: { number: 80 } },
    ...(weight === undefined ? {} : { weight }),
  });
  const legacy = { destination: { host: 'legacy' }, weight: 0 };
  return fc.constantFrom(
    [to('stable')],
    [to('stable', 100)],
    [to('stable', 0)],
    [to('stable', 100), to('canary', 0)],
    [to('canary', 0), to('stable', 100)],
    [legacy, to('stable', 100)],
    [to('stable', 100), to('canary'), legacy],
  );
});
const ours = fc
  .tuple(extras, mirrors, destinations, fc.boolean())
  .map(([rest, mirror, route, named]) => ({ ...rest, ...mirror, ...(named ? { name: 'primary' } : {}), route }));
const service = fc
  .tuple(fc.array(foreign, { maxLength: 3 }), ours, fc.array(foreign, { maxLength: 3 }))
  .map(([before, mine, after]): { object: KubeObject; index: number } => ({
    object: {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'shop', namespace: 'shop' },
      spec: {
        hosts: ['shop'],
        gateways: ['mesh'],
        http: [...before, mine, ...after],
        tls: [{ match: [{ sniHosts: ['a'] }] }],
        exportTo: ['.'],
      },
    },
    index: before.length,
  }));
const routing: fc.Arbitrary<Routing> = fc.record({
  weight: fc.integer({ min: 0, max: 100 }),
  mirror: fc.constantFrom(0, 0, 0.5, 12.5, 100),
  match: fc.boolean(),
});

/** As the router would write it; a foreign `mirror` leaves no room for ours. */
function moved(object: KubeObject, wanted: Routing): KubeObject {
  const found = findRoute(object, rules);
  const hasMirror = JSON.stringify(found.route.mirror ?? '').includes('log');
  const patch = routePatch(found, hasMirror ? { ...wanted, mirror: 0 } : wanted, rules);
  return patch?.type === 'json' ? applyJsonPatch(object, patch.body) : object;
}

const OURS = ['route', 'mirror', 'mirrorPercentage', 'mirrors'];

/** All that is not Slipway's: the routes of others in their order, and our route without what it writes there. */
function notOurs(object: KubeObject): string {
  const added: string[] = Object.values(CANARY_ROUTES);
  const found = findRoute(object, rules);
  const kept = (object.spec.http as Record<string, unknown>[])
    .filter(({ name }) => !added.includes(String(name)))
    .map((each) =>
      each === (found.route as object) ? Object.fromEntries(Object.entries(each).filter(([key]) => !OURS.includes(key))) : each,
    );
  const others = found.destinations.filter((_, index) => index !== found.stable && index !== found.canary);
  const mirrors = (found.route.mirrors ?? []).filter(({ destination }) => destination?.host === 'log');
  return JSON.stringify([{ ...object.spec, http: kept }, others, mirrors, found.destinations[found.stable]?.destination]);
}

describe('any sequence of routings', () => {
  it('brings about what it says, leaves what is not ours to the letter, and is undone without a trace', () => {
    fc.assert(
      fc.property(service, fc.array(routing, { minLength: 1, maxLength: 6 }), ({ object }, wanted) => {
        const original = jsonCopy(object);
        const snapshot = snapshotOf(findRoute(original, rules));
        let now = original;
        for (const each of wanted) {
          now = moved(now, each);
          const state = stateOf(findRoute(now, rules), rules);
          expect(state).toMatchObject({ weight: each.weight, match: each.match ? 'all' : 'none', whole: true });
          expect(notOurs(now)).toBe(notOurs(original));
          expect(moved(now, each)).toBe(now);
        }
        const back = restorePatch(findRoute(now, rules), snapshot, rules);
        const restored = back?.type === 'json' ? applyJsonPatch(now, back.body) : now;
        expect(restored).toEqual(original);
        expect(restorePatch(findRoute(restored, rules), snapshot, rules)).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  it('has a way out that was prepared before somebody else’s route came, and then either fits or is refused', () => {
    fc.assert(
      fc.property(service, routing, foreign, fc.nat(), ({ object }, wanted, other, place) => {
        const now = moved(jsonCopy(object), wanted);
        const way = routePatch(findRoute(now, rules), stableAlone, rules);
        const http = [...now.spec.http];
        http.splice(place % (http.length + 1), 0, jsonCopy(other));
        const meanwhile = { ...now, spec: { ...now.spec, http } };
        if (way?.type !== 'json') return;
        let after: KubeObject;
        try {
          after = applyJsonPatch(meanwhile, way.body);
        } catch {
          return;
        }
        expect(stateOf(findRoute(after, rules), rules)).toMatchObject({ weight: 0, mirror: 0, match: 'none' });
        expect(notOurs(after)).toBe(notOurs(meanwhile));
      }),
      { numRuns: 150 },
    );
  });
});

describe('a snapshot', () => {
  it('that is missing leaves the canary’s destination, with nothing', () => {
    const to = (subset: string, weight: number) => ({ destination: { host: 'shop', subset }, weight });
    const object = {
      apiVersion: 'v1',
      kind: 'VirtualService',
      metadata: { name: 'shop' },
      spec: { http: [{ route: [to('stable', 70), to('canary', 30)] }] },
    };
    const patch = restorePatch(findRoute(object, rules), undefined, rules);
    const restored: KubeObject | undefined = patch?.type === 'json' ? applyJsonPatch<KubeObject>(object, patch.body) : undefined;
    expect(restored?.spec.http[0].route).toEqual([to('stable', 100), to('canary', 0)]);
  });
});

describe('a VirtualService of any shape', () => {
  it('is split or refused by a reason, never by a crash', () => {
    const odd = fc.oneof(
      fc.constant(undefined),
      fc.constant(null),
      fc.integer(),
      fc.string(),
      fc.array(
        fc.record(
          {
            route: fc.oneof(
              fc.constant(null),
              fc.integer(),
              fc.array(
                fc.record(
                  {
                    destination: fc.oneof(
                      fc.constant(null),
                      fc.record({ host: fc.oneof(fc.integer(), host), subset: fc.constantFrom('stable', 'canary', 'x') }),
                    ),
                    weight: fc.oneof(fc.integer(), fc.string()),
                  },
                  { requiredKeys: [] },
                ),
              ),
            ),
          },
          { requiredKeys: [] },
        ),
      ),
    );
    fc.assert(
      fc.property(odd, routing, (http, wanted) => {
        const object = jsonCopy({ apiVersion: 'v1', kind: 'VirtualService', metadata: { name: 'shop' }, spec: { http } });
        try {
          moved(object, wanted);
        } catch (error) {
          expect(error).toMatchObject({ name: 'OperationError', reason: expect.stringMatching(/^[A-Z_0-9]+$/) });
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('meshCapacity', () => {
  it.each<[Partial<Routing>, number, number]>([
    [{}, 10, 0],
    [{ match: true }, 10, 1],
    [{ weight: 1 }, 3, 1],
    [{ weight: 10, match: true }, 30, 3],
    [{ weight: 10, mirror: 50 }, 10, 6],
    [{ weight: 50, mirror: 100 }, 10, 10],
    [{ mirror: 100 * 0.07 }, 100, 7],
    [{ weight: 100 }, 3, 3],
    [{ weight: 33 }, 10, 4],
  ])('%j of %i pods is %i', (routing, replicas, canary) => {
    expect(meshCapacity({ ...stableAlone, ...routing }, replicas)).toEqual({ stable: replicas, canary });
  });
});
