import { isDeepStrictEqual } from 'node:util';
import type { Patch } from '../kube.js';
import { canaryRoutes, destinationAt, hasMatch, refuseTakenMatch } from './canary-routes.js';
import { refuseMirror, withMirror } from './mirror.js';
import type { RouteSnapshot } from './router.js';
import type { Routing } from './routing.js';
import { type Destination, type OurRoute, type Route, type RouteRules, refuseUnsound, weightOf } from './virtual-service.js';

type Operations = Extract<Patch, { type: 'json' }>['body'];

/** Fields of our route that Slipway writes, besides the destinations. */
const MIRROR_FIELDS = ['mirror', 'mirrorPercentage', 'mirrorPercent', 'mirrors'] as const;

/**
 * The JSON patch that makes our route's requests meet the canary as `routing` says; undefined when they do. Every place that is written is
 * preceded by a test that it is still what was read, so nothing of others is overwritten. Pure.
 *
 * Reasons, for anything but nobody: ROUTE_HAS_OTHER_BACKENDS, WEIGHTS_NOT_100, ROUTE_HAS_MIRROR, MATCH_TAKEN.
 */
export function routePatch(ours: OurRoute, routing: Routing, rules: RouteRules): Patch | undefined {
  const { weight, mirror, match } = routing;
  if (weight > 0 || mirror > 0 || match) refuseUnsound(ours, rules);
  if (mirror > 0) refuseMirror(ours, rules);
  if (match) refuseTakenMatch(ours, rules);
  const route = { ...withMirror(ours, mirror, rules), route: splitDestinations(ours, weight, rules) };
  return patchTo(ours, route, match && hasMatch(rules) ? canaryRoutes(ours, rules) : [], rules);
}

/**
 * The JSON patch that gives the routes the form they had before the rollout: what was added goes, all weight is stable's. Undefined when they
 * have it. Without a snapshot nobody knows whether the canary's destination was there, so it stays, with weight 0. Pure.
 */
export function restorePatch(ours: OurRoute, snapshot: RouteSnapshot | undefined, rules: RouteRules): Patch | undefined {
  const route = { ...withMirror(ours, 0, rules), route: restoredDestinations(ours, snapshot, rules) };
  return patchTo(ours, route, [], rules);
}

/** What is neither stable's nor the canary's stays as it is; it is 0, except on a way out that was not refused for it. */
function splitDestinations({ destinations, stable, canary }: OurRoute, percent: number, { canarySubset }: RouteRules): Destination[] {
  if (canary === -1 && percent === 0) return destinations;
  const others = destinations.reduce((sum, each, index) => (index === stable || index === canary ? sum : sum + weightOf(each)), 0);
  const split = destinations.map((each, index) => {
    if (index === stable) return withWeight(each, Math.max(0, 100 - others - percent));
    return index === canary ? withWeight(each, percent) : each;
  });
  if (canary !== -1) return split;
  return [...split, { destination: { ...destinationAt(destinations, stable), subset: canarySubset }, weight: percent }];
}

/** A weight that was not written before is not written again: the canary's, which is 0 without it, and that of a single destination, which gets all. */
function restoredDestinations(ours: OurRoute, snapshot: RouteSnapshot | undefined, rules: RouteRules): Destination[] {
  const { stable, canary } = ours;
  const safe = splitDestinations(ours, 0, rules);
  if (!snapshot || canary === -1) return safe;
  const before = (subset: string) => snapshot.destinations.find((each) => each.subset === subset);
  const canaryBefore = before(rules.canarySubset);
  if (canaryBefore) {
    return safe.map((each, index) => (index === canary && canaryBefore.weight === undefined ? withoutWeight(each) : each));
  }
  const kept = safe.filter((_, index) => index !== canary);
  const weight = before(rules.stableSubset)?.weight;
  if (kept.length > 1) return kept;
  return [weight === undefined ? withoutWeight(safe[stable] as Destination) : { ...(safe[stable] as Destination), weight }];
}

function withoutWeight({ weight: _weight, ...rest }: Destination): Destination {
  return rest;
}

/** No weight is a weight of 0, and stays so. */
function withWeight(destination: Destination, weight: number): Destination {
  return weightOf(destination) === weight ? destination : { ...destination, weight };
}

/** First all tests of what was read, then what is written inside our route, then routes that go and come, which moves indexes. */
function patchTo(ours: OurRoute, route: Route, added: Route[], { protocol }: RouteRules): Patch | undefined {
  const section = `/spec/${protocol}`;
  const inside = routeOps(ours, route, `${section}/${ours.index}`);
  const around = addedOps(ours, added, section);
  if (inside.length === 0 && around.length === 0) return undefined;
  const tests = [...guard(ours, route, `${section}/${ours.index}`)];
  return { type: 'json', body: [...tests, ...inside, ...around] };
}

/** Tests that the route at our index is still ours: by its name; as a whole when it has none, or when a field comes that was not there. */
function guard({ route }: OurRoute, after: Route, path: string): Operations {
  const comes = MIRROR_FIELDS.some((field) => route[field] === undefined && after[field] !== undefined);
  if (route.name === undefined || comes) return [{ op: 'test', path, value: route }];
  return [{ op: 'test', path: `${path}/name`, value: route.name }];
}

function routeOps(ours: OurRoute, after: Route, path: string): Operations {
  return [
    ...destinationOps(ours.destinations, after.route ?? [], `${path}/route`),
    ...MIRROR_FIELDS.flatMap((field) => fieldOps(ours.route[field], after[field], `${path}/${field}`)),
  ];
}

function destinationOps(before: Destination[], after: Destination[], path: string): Operations {
  if (isDeepStrictEqual(before, after)) return [];
  if (before.length !== after.length) {
    return [
      { op: 'test', path, value: before },
      { op: 'replace', path, value: after },
    ];
  }
  const changed = after.flatMap((each, index) => (isDeepStrictEqual(before[index], each) ? [] : [index]));
  return [
    ...changed.map((index) => ({ op: 'test' as const, path: `${path}/${index}/destination`, value: before[index]?.destination })),
    ...changed.map((index) => weightOp(`${path}/${index}/weight`, after[index]?.weight)),
  ];
}

function weightOp(path: string, weight: number | undefined): Operations[number] {
  return weight === undefined ? { op: 'remove', path } : { op: 'add', path, value: weight };
}

function fieldOps(before: unknown, after: unknown, path: string): Operations {
  if (isDeepStrictEqual(before, after)) return [];
  if (before === undefined) return [{ op: 'add', path, value: after }];
  const test = { op: 'test' as const, path, value: before };
  return [test, after === undefined ? { op: 'remove', path } : { op: 'replace', path, value: after }];
}

function addedOps({ routes, index, added }: OurRoute, wanted: Route[], section: string): Operations {
  const place = index - wanted.length;
  if (added.length === wanted.length && (wanted.length === 0 || isDeepStrictEqual(routes.slice(Math.max(0, place), index), wanted)))
    return [];
  const gone = [...added].reverse();
  const at = index - added.filter((each) => each < index).length;
  return [
    ...gone.map((each) => ({ op: 'test' as const, path: `${section}/${each}/name`, value: routes[each]?.name })),
    ...gone.map((each) => ({ op: 'remove' as const, path: `${section}/${each}` })),
    ...wanted.map((route, offset) => ({ op: 'add' as const, path: `${section}/${at + offset}`, value: route })),
  ];
}
