import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../kube.js';
import { CANARY_ROUTES, canaryRoutes } from './canary-routes.js';
import { mirrorPercent } from './mirror.js';
import type { RouteSnapshot } from './router.js';
import { isService } from './service-host.js';
import { otherBackends, routeAmbiguous, routeNotFound, routeWithoutStable, weightsNot100 } from './virtual-service-refusals.js';

/** What of an Istio router's configuration the rules about routes need. */
export interface RouteRules {
  /** Of the VirtualService: where a host without dots is looked for. */
  namespace: string;
  /** The Kubernetes Service whose subsets the destinations are. */
  service: string;
  protocol: 'http' | 'tls' | 'tcp';
  /** Of http its name, of tls one of its SNI hosts, of tcp its port; absent: the only one that leads to the stable subset. */
  route?: string;
  stableSubset: string;
  canarySubset: string;
  header?: string;
  cookie?: string;
}

export interface Destination {
  destination: { host: string; subset?: string; [field: string]: unknown };
  weight?: number;
  [field: string]: unknown;
}

export interface Match {
  headers?: Record<string, unknown>;
  withoutHeaders?: Record<string, unknown>;
  sniHosts?: string[];
  port?: number;
  [field: string]: unknown;
}

/** A route of any of the three protocols; only http routes have a name and a mirror. */
export interface Route {
  name?: string;
  match?: Match[];
  route?: Destination[];
  mirror?: Destination['destination'];
  mirrorPercentage?: { value?: number };
  mirrorPercent?: number;
  mirrors?: { destination?: Destination['destination']; percentage?: { value?: number } }[];
  [field: string]: unknown;
}

/** Our route in a VirtualService and what leads where. */
export interface OurRoute {
  /** The VirtualService, `VirtualService shop-ns/shop`. */
  where: KubeObject;
  /** All routes of the protocol. */
  routes: Route[];
  index: number;
  route: Route;
  destinations: Destination[];
  stable: number;
  /** Index of the canary's destination, or -1. */
  canary: number;
  /** Indexes of the routes that Slipway has added for header and cookie. */
  added: number[];
}

/** Whom the canary meets by a route as it is. */
export interface RouteState {
  weight: number;
  mirror: number;
  /** `all`: our header and cookie routes are there as they should be, right before our route. `some`: one is missing, stale or out of place. */
  match: 'none' | 'some' | 'all';
  /** What the canary does not get, stable gets. */
  whole: boolean;
}

/**
 * Finds the route whose weights are ours: the named one, or the only one that leads to the stable subset of the Service. Pure.
 *
 * Reasons: ROUTE_NOT_FOUND, ROUTE_AMBIGUOUS, ROUTE_WITHOUT_STABLE.
 */
export function findRoute(service: KubeObject, rules: RouteRules): OurRoute {
  const listed = service.spec?.[rules.protocol];
  const routes: Route[] = Array.isArray(listed) ? listed : [];
  const index = chooseRoute(service, routes, rules);
  const route = routes[index] as Route;
  const destinations = destinationsOf(route);
  const stable = destinations.findIndex((each) => leadsTo(each, rules.stableSubset, rules));
  if (stable === -1) throw routeWithoutStable(service, routes, rules, index);
  const canary = destinations.findIndex((each) => leadsTo(each, rules.canarySubset, rules));
  const added = routes.flatMap(({ name = '' }, at) => (isAdded(name) ? [at] : []));
  return { where: service, routes, index, route, destinations, stable, canary, added };
}

/**
 * Refuses a route that cannot be split as it is. On the way out nothing of this matters: there the canary gets 0, whatever else is wrong. Pure.
 *
 * Reasons: ROUTE_HAS_OTHER_BACKENDS, WEIGHTS_NOT_100.
 */
export function refuseUnsound(ours: OurRoute, rules: RouteRules): void {
  const { destinations, stable, canary } = ours;
  const other = destinations.find((each, index) => index !== stable && index !== canary && weightOf(each) > 0);
  if (other) throw otherBackends(ours, other, rules);
  // A single destination gets everything, whatever its weight says.
  if (destinations.length === 1) return;
  const sum = destinations.reduce((total, each) => total + weightOf(each), 0);
  if (sum !== 100 || destinations.some((each) => !isWeight(weightOf(each)))) throw weightsNot100(ours, rules);
}

/** What a route says now. Pure. */
export function stateOf(ours: OurRoute, rules: RouteRules): RouteState {
  const { destinations, stable, canary, added, index, routes } = ours;
  const weight = canary === -1 ? 0 : weightOf(destinations[canary]);
  const alone = destinations.length === 1;
  const wanted = canaryRoutes(ours, rules);
  const inPlace = isDeepStrictEqual(routes.slice(Math.max(0, index - wanted.length), index), wanted) && added.length === wanted.length;
  return {
    weight,
    mirror: mirrorPercent(ours.route, rules),
    match: added.length === 0 ? 'none' : inPlace ? 'all' : 'some',
    whole: alone || weightOf(destinations[stable]) === 100 - weight,
  };
}

/** What restoring needs of the route. Pure. */
export function snapshotOf({ route, destinations }: OurRoute): RouteSnapshot {
  return {
    name: route.name ?? null,
    destinations: destinations.map(({ destination: { host, subset }, weight }) => ({
      host,
      ...(subset === undefined ? {} : { subset }),
      ...(weight === undefined ? {} : { weight }),
    })),
  };
}

/** Whether a destination is the given subset of our Service; the same name under another host is not ours. */
export function leadsTo(destination: Destination | undefined, subset: string, rules: RouteRules): boolean {
  return destination?.destination?.subset === subset && isService(destination.destination.host, rules);
}

/** Percent that a destination gets among several; absent is 0. */
export function weightOf(destination: Destination | undefined): number {
  return destination?.weight ?? 0;
}

export function destinationsOf({ route }: Route): Destination[] {
  return Array.isArray(route) ? route : [];
}

function isWeight(weight: unknown): boolean {
  return Number.isInteger(weight) && (weight as number) >= 0;
}

function isAdded(name: string): boolean {
  return (Object.values(CANARY_ROUTES) as string[]).includes(name);
}

function chooseRoute(service: KubeObject, routes: Route[], rules: RouteRules): number {
  const leads = (route: Route) => destinationsOf(route).some((each) => leadsTo(each, rules.stableSubset, rules));
  const isMeant = (route: Route) => (rules.route === undefined ? leads(route) : isNamed(route, rules.route, rules.protocol));
  const candidates = routes.flatMap((route, index) => (!isAdded(route.name ?? '') && isMeant(route) ? [index] : []));
  const [only, ...others] = candidates;
  if (only === undefined) {
    throw rules.route === undefined ? routeWithoutStable(service, routes, rules) : routeNotFound(service, routes, rules.route, rules);
  }
  if (others.length > 0) throw routeAmbiguous(service, routes, candidates, rules);
  return only;
}

function isNamed(route: Route, name: string, protocol: RouteRules['protocol']): boolean {
  if (protocol === 'http') return route.name === name;
  const matches = route.match ?? [];
  return matches.some(({ sniHosts, port }) => (protocol === 'tls' ? sniHosts?.includes(name) : String(port) === name));
}
