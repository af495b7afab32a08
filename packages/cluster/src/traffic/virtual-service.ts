import { isDeepStrictEqual } from 'node:util';
import { OperationError } from '@slipway/core';
import type { KubeObject, Patch } from '../kube.js';
import { describe } from '../workloads/workload.js';
import type { RouteSnapshot } from './router.js';

/** Name of the http route that Slipway adds for requests with the canary header. */
export const HEADER_ROUTE = 'slipway-canary-header';

/** What of an Istio router's configuration these rules need. */
export interface RouteRules {
  route?: string;
  stableSubset: string;
  canarySubset: string;
  header?: string;
}

export interface Destination {
  destination: { host: string; subset?: string; [field: string]: unknown };
  weight?: number;
  [field: string]: unknown;
}

interface HttpRoute {
  name?: string;
  match?: { headers?: Record<string, unknown>; [field: string]: unknown }[];
  route?: Destination[];
  [field: string]: unknown;
}

/** Our route in a VirtualService and what leads where. */
export interface OurRoute {
  index: number;
  route: HttpRoute;
  destinations: Destination[];
  stable: number;
  /** Index of the canary's destination, or -1. */
  canary: number;
  /** Index of our header route, or -1. */
  header: number;
  /** Percent of the route's requests that meet the canary. */
  weight: number;
}

type Operations = Extract<Patch, { type: 'json' }>['body'];

/**
 * Finds the http route whose weights are ours: the named one, or the only one that leads to the stable subset. Pure.
 *
 * Reasons: ROUTE_NOT_FOUND, ROUTE_AMBIGUOUS, ROUTE_WITHOUT_STABLE, ROUTE_HAS_OTHER_BACKENDS, WEIGHTS_NOT_100.
 */
export function findRoute(service: KubeObject, rules: RouteRules): OurRoute {
  const routes: HttpRoute[] = service.spec?.http ?? [];
  const index = chooseRoute(service, routes, rules);
  const route = routes[index] as HttpRoute;
  const destinations = route.route ?? [];
  const bySubset = (subset: string) => destinations.findIndex((each) => each.destination?.subset === subset);
  const stable = bySubset(rules.stableSubset);
  const canary = bySubset(rules.canarySubset);
  const where = `http route ${routeWords(route, index)} of ${describe(service)}`;
  if (stable === -1) throw withoutStable(where, destinations, rules);
  refuseOthers(where, destinations, [stable, canary]);
  const weight = canary === -1 ? 0 : (destinations[canary]?.weight ?? 0);
  return { index, route, destinations, stable, canary, header: routes.findIndex(({ name }) => name === HEADER_ROUTE), weight };
}

/**
 * The JSON patch that makes `percent` of our route's requests meet the canary and has our header route there above 0 and gone at 0; undefined
 * when all is so already. Every place that is written is preceded by a test that it is still what was read. Pure.
 */
export function weightPatch(ours: OurRoute, percent: number, rules: RouteRules): Patch | undefined {
  const weights = weightOps(ours, percent, rules);
  // A route without a name is told by its whole content, which the weights have changed by then: one guard, in front, for both.
  const guarded = weights.length > 0;
  const body = [...weights, ...headerOps(ours, percent > 0, rules, guarded)];
  return body.length === 0 ? undefined : { type: 'json', body };
}

/**
 * The JSON patch that gives our route the form it had before the rollout: the destination that we added goes, the weights are stable's alone.
 * Undefined when it has that form. Pure.
 */
export function restorePatch(ours: OurRoute, snapshot: RouteSnapshot | undefined, rules: RouteRules): Patch | undefined {
  const original = snapshot?.destinations.find((each) => each.subset === rules.stableSubset);
  const hadCanary = snapshot?.destinations.some((each) => each.subset === rules.canarySubset) ?? ours.canary !== -1;
  if (hadCanary) return weightPatch(ours, 0, rules);
  const restored = ours.destinations
    .filter((_, index) => index !== ours.canary)
    .map((each) => (each.destination.subset === rules.stableSubset ? withWeight(each, original?.weight) : each));
  const body = [...replaceRouteOps(ours, restored), ...headerOps(ours, false, rules, true)];
  return body.length === 0 ? undefined : { type: 'json', body };
}

/** What {@link restorePatch} needs of the route. Pure. */
export function snapshotOf(ours: OurRoute): RouteSnapshot {
  return {
    name: ours.route.name ?? null,
    destinations: ours.destinations.map(({ destination: { host, subset }, weight }) => ({
      host,
      ...(subset === undefined ? {} : { subset }),
      ...(weight === undefined ? {} : { weight }),
    })),
  };
}

/** `"primary"`, or `number 2` when it has no name. */
export function routeWords({ name }: { name?: string }, index: number): string {
  return name === undefined ? `number ${index + 1}` : `"${name}"`;
}

function chooseRoute(service: KubeObject, routes: HttpRoute[], { route, stableSubset }: RouteRules): number {
  const indexes = routes.map((_, index) => index).filter((index) => routes[index]?.name !== HEADER_ROUTE);
  const leads = (index: number) => routes[index]?.route?.some((each) => each.destination?.subset === stableSubset);
  const candidates = route === undefined ? indexes.filter(leads) : indexes.filter((index) => routes[index]?.name === route);
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) return only;
  const there = routes.map((each, index) => routeWords(each, index)).join(', ') || 'none';
  if (only !== undefined) {
    const which = candidates.map((index) => routeWords(routes[index] ?? {}, index)).join(', ');
    throw new OperationError(`Several http routes of ${describe(service)} could be the one to split: ${which}.`, {
      reason: 'ROUTE_AMBIGUOUS',
      next: ['Give each http route a name of its own and set `traffic.route` in slipway.yml to the one to split.'],
    });
  }
  if (route !== undefined) {
    throw new OperationError(`${describe(service)} has no http route named "${route}"; its routes: ${there}.`, {
      reason: 'ROUTE_NOT_FOUND',
      next: ['Correct `traffic.route` in slipway.yml, or name the route in the VirtualService.'],
    });
  }
  throw new OperationError(`No http route of ${describe(service)} leads to the subset "${stableSubset}"; its routes: ${there}.`, {
    reason: 'ROUTE_WITHOUT_STABLE',
    next: [`Let a route lead to it:\n  route:\n  - destination: {host: <service>, subset: ${stableSubset}}\n    weight: 100`],
  });
}

function withoutStable(where: string, destinations: Destination[], { stableSubset }: RouteRules): OperationError {
  const host = destinations[0]?.destination?.host ?? '<service>';
  return new OperationError(`${where} has no destination with the subset "${stableSubset}".`, {
    reason: 'ROUTE_WITHOUT_STABLE',
    next: [`Let it lead there:\n  route:\n  - destination: {host: ${host}, subset: ${stableSubset}}\n    weight: 100`],
  });
}

function refuseOthers(where: string, destinations: Destination[], ours: number[]): void {
  const other = destinations.find((each, index) => !ours.includes(index) && (each.weight ?? 0) > 0);
  if (other) {
    throw new OperationError(
      `${where} also sends ${other.weight} % to ${JSON.stringify(other.destination)}, which is neither stable nor canary.`,
      {
        reason: 'ROUTE_HAS_OTHER_BACKENDS',
        next: ['Split that off into a route of its own, or set its weight to 0 for the rollout.'],
      },
    );
  }
  const sum = destinations.reduce((total, { weight = 0 }) => total + weight, 0);
  // A single destination gets everything, whatever its weight says.
  if (destinations.length === 1 || sum === 100) return;
  throw new OperationError(`The weights of ${where} add up to ${sum}, not to 100.`, {
    reason: 'WEIGHTS_NOT_100',
    next: ['Correct the weights in the VirtualService; the canary’s should be 0 before a rollout starts.'],
  });
}

function weightOps(ours: OurRoute, percent: number, { canarySubset }: RouteRules): Operations {
  const { destinations, stable, canary } = ours;
  if (canary === -1) {
    if (percent === 0) return [];
    const stableDestination = destinations[stable] as Destination;
    const { host } = stableDestination.destination;
    const added: Destination = { destination: { ...stableDestination.destination, host, subset: canarySubset }, weight: percent };
    const changed = destinations.map((each, index) => (index === stable ? { ...each, weight: 100 - percent } : each));
    return replaceRouteOps(ours, [...changed, added]);
  }
  if (ours.weight === percent && (destinations[stable]?.weight ?? 0) === 100 - percent) return [];
  const path = `/spec/http/${ours.index}/route`;
  return [
    ...guard(ours),
    { op: 'test', path: `${path}/${stable}/destination`, value: destinations[stable]?.destination },
    { op: 'test', path: `${path}/${canary}/destination`, value: destinations[canary]?.destination },
    { op: 'add', path: `${path}/${stable}/weight`, value: 100 - percent },
    { op: 'add', path: `${path}/${canary}/weight`, value: percent },
  ];
}

function replaceRouteOps(ours: OurRoute, destinations: Destination[]): Operations {
  if (isDeepStrictEqual(ours.destinations, destinations)) return [];
  const path = `/spec/http/${ours.index}/route`;
  return [...guard(ours), { op: 'test', path, value: ours.destinations }, { op: 'replace', path, value: destinations }];
}

/** Written after the weights, because adding or removing a route moves the indexes behind it. */
function headerOps(ours: OurRoute, wanted: boolean, rules: RouteRules, guarded: boolean): Operations {
  if (ours.header !== -1 && !(wanted && rules.header !== undefined)) {
    const path = `/spec/http/${ours.header}`;
    return [
      { op: 'test', path: `${path}/name`, value: HEADER_ROUTE },
      { op: 'remove', path },
    ];
  }
  if (ours.header !== -1 || !wanted || rules.header === undefined) return [];
  return [...(guarded ? [] : guard(ours)), { op: 'add', path: '/spec/http/0', value: headerRoute(ours, rules.header, rules.canarySubset) }];
}

/** Our route once more (its own matches, time-outs and retries), for requests with the header, to the canary alone. */
function headerRoute({ route, destinations, stable }: OurRoute, header: string, subset: string): HttpRoute {
  const { mirror: _mirror, mirrors: _mirrors, mirrorPercentage: _percentage, ...rest } = route;
  const matches = route.match ?? [{}];
  return {
    ...rest,
    name: HEADER_ROUTE,
    match: matches.map((match) => ({ ...match, headers: { ...match.headers, [header]: { exact: 'true' } } })),
    route: [{ destination: { ...(destinations[stable] as Destination).destination, subset } }],
  };
}

/** Tests that the route at our index is still ours: by its name, or as a whole when it has none. */
function guard({ index, route }: OurRoute): Operations {
  const path = `/spec/http/${index}`;
  return route.name === undefined ? [{ op: 'test', path, value: route }] : [{ op: 'test', path: `${path}/name`, value: route.name }];
}

function withWeight(destination: Destination, weight: number | undefined): Destination {
  const { weight: _weight, ...rest } = destination;
  return weight === undefined ? rest : { ...rest, weight: 100 };
}
