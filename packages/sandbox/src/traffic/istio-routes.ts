import type { KubeObject } from '../kube/object.js';
import type { Backends } from './backends.js';
import type { DelayedView } from './delayed-view.js';
import { fitsWildcard, matchesWhole } from './matching.js';
import { authorityOf, type ClientRequest, type Decision, type MirrorTarget, type RouteTarget } from './route.js';

interface StringMatch {
  exact?: string;
  prefix?: string;
  regex?: string;
}

interface HttpMatch {
  uri?: StringMatch;
  ignoreUriCase?: boolean;
  method?: StringMatch;
  authority?: StringMatch;
  headers?: Record<string, StringMatch>;
  withoutHeaders?: Record<string, StringMatch>;
  port?: number;
  sourceLabels?: Record<string, string>;
}

interface Destination {
  host?: string;
  subset?: string;
  port?: { number?: number };
}

interface HttpRoute {
  name?: string;
  match?: HttpMatch[];
  route?: { destination?: Destination; weight?: number }[];
  mirror?: Destination;
  mirrorPercentage?: { value?: number };
  mirrorPercent?: number;
  mirrors?: { destination?: Destination; percentage?: { value?: number } }[];
}

/**
 * Decides by the oldest VirtualService that has the request's host: the first http route that matches. Undefined when none has.
 * Not read: retries, faults, rewrites, redirects, delegates, exportTo; the clients have no sourceLabels.
 */
export function istioDecision(routes: DelayedView, backends: Backends, request: ClientRequest): Decision | undefined {
  const virtualService = routes.list('VirtualService').find((one) => hasHost(one, request));
  if (!virtualService) return undefined;
  const { namespace = '', name } = virtualService.metadata;
  const http: HttpRoute[] = virtualService.spec?.http ?? [];
  const route = http.find(({ match = [] }) => match.length === 0 || match.some((one) => matches(one, request)));
  const label = `VirtualService ${namespace}/${name}${route?.name ? ` ${route.name}` : ''}`;
  const resolve = (destination: Destination, weight: number) => targetOf(routes, backends, destination, namespace, weight);
  const targets = targetsOf(route, resolve);
  return { route: label, targets, mirrors: mirrorsOf(route, resolve), code: targets.length > 0 ? 0 : 404 };
}

/** A VirtualService bound only to gateways says nothing about calls between Services. */
function hasHost({ spec, metadata }: KubeObject, request: ClientRequest): boolean {
  const gateways: string[] = spec?.gateways ?? [];
  const inMesh = gateways.length === 0 || gateways.includes('mesh');
  if (!request.host && !inMesh) return false;
  const hosts: string[] = spec?.hosts ?? [];
  return hosts.some((host) => {
    if (host === '*' || (request.host && host === request.host) || fitsWildcard(host, authorityOf(request))) return true;
    const at = splitHost(host, metadata.namespace ?? '');
    return at.service === request.service && at.namespace === request.namespace;
  });
}

/** Reads a host of a route as a Service: `shop`, `shop.ns`, `shop.ns.svc.cluster.local`. */
function splitHost(host: string, namespace: string): { service: string; namespace: string } {
  const short = host.replace(/\.cluster\.local$/, '').replace(/\.svc$/, '');
  const dot = short.indexOf('.');
  return dot < 0 ? { service: short, namespace } : { service: short.slice(0, dot), namespace: short.slice(dot + 1) };
}

function matches(match: HttpMatch, request: ClientRequest): boolean {
  const { path, method, headers, port } = request;
  if (Object.keys(match.sourceLabels ?? {}).length > 0) return false;
  if (match.port !== undefined && match.port !== 0 && match.port !== port?.port) return false;
  const present = Object.entries(match.headers ?? {}).every(([name, want]) => {
    const value = headers[name.toLowerCase()];
    return value !== undefined && fits(want, value);
  });
  const absent = Object.entries(match.withoutHeaders ?? {}).every(([name, unwanted]) => {
    const value = headers[name.toLowerCase()];
    return value === undefined || !fits(unwanted, value);
  });
  const uri = match.ignoreUriCase ? fits(lowered(match.uri), path.toLowerCase()) : fits(match.uri, path);
  return uri && fits(match.method, method) && fits(match.authority, authorityOf(request)) && present && absent;
}

/** An empty match asks only for presence. */
function fits(match: StringMatch | undefined, text: string): boolean {
  if (match?.exact !== undefined) return text === match.exact;
  if (match?.prefix !== undefined) return text.startsWith(match.prefix);
  return match?.regex === undefined || matchesWhole(match.regex, text);
}

function lowered(match: StringMatch | undefined): StringMatch | undefined {
  if (match?.exact !== undefined) return { exact: match.exact.toLowerCase() };
  return match?.prefix === undefined ? match : { prefix: match.prefix.toLowerCase() };
}

type Resolve = (destination: Destination, weight: number) => RouteTarget;

/** A single destination needs no weight. */
function targetsOf(http: HttpRoute | undefined, resolve: Resolve): RouteTarget[] {
  const route = http?.route ?? [];
  return route.map(({ destination = {}, weight = 0 }) => resolve(destination, route.length === 1 && weight === 0 ? 100 : weight));
}

function mirrorsOf(http: HttpRoute | undefined, resolve: Resolve): MirrorTarget[] {
  const percent = http?.mirrorPercentage?.value ?? http?.mirrorPercent ?? 100;
  const single = http?.mirror ? [{ target: resolve(http.mirror, 1), percent }] : [];
  const several = (http?.mirrors ?? []).map(({ destination = {}, percentage }) => ({
    target: resolve(destination, 1),
    percent: percentage ? (percentage.value ?? 0) : 100,
  }));
  return [...single, ...several];
}

/** An unknown Service or subset is answered 503, as Envoy does without a cluster. */
function targetOf(routes: DelayedView, backends: Backends, to: Destination, from: string, weight: number): RouteTarget {
  const at = splitHost(to.host ?? '', from);
  const target = backends.resolve({ ...at, port: to.port?.number ?? 0, weight }, 503);
  if (!to.subset) return target;
  const labels = subsetLabels(routes, at, to.subset);
  if (labels) return { ...target, subset: to.subset, labels };
  return { ...target, subset: to.subset, fault: { why: `no subset ${to.subset} of ${to.host}`, code: 503 } };
}

function subsetLabels(routes: DelayedView, at: { service: string; namespace: string }, name: string): Record<string, string> | undefined {
  for (const { spec, metadata } of routes.list('DestinationRule')) {
    const host = splitHost(spec?.host ?? '', metadata.namespace ?? '');
    if (host.service !== at.service || host.namespace !== at.namespace) continue;
    const subset = (spec?.subsets ?? []).find((one: { name?: string }) => one.name === name);
    if (subset) return subset.labels ?? {};
  }
  return undefined;
}
