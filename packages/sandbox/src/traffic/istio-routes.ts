import type { KubeObject } from '../kube/object.js';
import type { DelayedView } from './delayed-view.js';
import type { ClientRequest } from './load.js';

/** One destination of a route. */
export interface RouteTarget {
  namespace: string;
  service: string;
  subset: string;
  /** Labels of the subset; undefined when the subset is not declared anywhere. */
  labels: Record<string, string> | undefined;
  weight: number;
}

/** Where requests go; without targets they are answered 404. */
export interface Decision {
  route: string;
  targets: RouteTarget[];
}

interface StringMatch {
  exact?: string;
  prefix?: string;
  regex?: string;
}

interface HttpMatch {
  uri?: StringMatch;
  method?: StringMatch;
  headers?: Record<string, StringMatch>;
  withoutHeaders?: Record<string, StringMatch>;
}

interface Destination {
  host?: string;
  subset?: string;
}

interface HttpRoute {
  name?: string;
  match?: HttpMatch[];
  route?: { destination?: Destination; weight?: number }[];
}

/**
 * Decides by the oldest VirtualService that has the Service among its hosts: the first http route that matches. Undefined when none has.
 * Not read: gateways other than `mesh`, mirrors, retries, faults, rewrites, sourceLabels.
 */
export function istioDecision(routes: DelayedView, request: ClientRequest): Decision | undefined {
  const virtualService = routes.list('VirtualService').find((one) => hasHost(one, request));
  if (!virtualService) return undefined;
  const { namespace = '', name } = virtualService.metadata;
  const http: HttpRoute[] = virtualService.spec?.http ?? [];
  const route = http.find(({ match = [] }) => match.length === 0 || match.some((one) => matches(one, request)));
  const label = `VirtualService ${namespace}/${name}${route?.name ? ` ${route.name}` : ''}`;
  return { route: label, targets: route ? targetsOf(routes, route, namespace) : [] };
}

function hasHost({ spec, metadata }: KubeObject, { namespace, service }: ClientRequest): boolean {
  const gateways: string[] = spec?.gateways ?? [];
  if (gateways.length > 0 && !gateways.includes('mesh')) return false;
  const hosts: string[] = spec?.hosts ?? [];
  return hosts.some((host) => {
    if (host === '*') return true;
    const at = splitHost(host, metadata.namespace ?? '');
    return at.service === service && at.namespace === namespace;
  });
}

/** Reads a host of a route as a Service: `shop`, `shop.ns`, `shop.ns.svc.cluster.local`. */
function splitHost(host: string, namespace: string): { service: string; namespace: string } {
  const [service = '', ns] = host
    .replace(/\.cluster\.local$/, '')
    .replace(/\.svc$/, '')
    .split('.');
  return { service, namespace: ns ?? namespace };
}

function matches(match: HttpMatch, { path, method, headers }: ClientRequest): boolean {
  const present = Object.entries(match.headers ?? {}).every(([name, want]) => {
    const value = headers[name.toLowerCase()];
    return value !== undefined && fits(want, value);
  });
  const absent = Object.entries(match.withoutHeaders ?? {}).every(([name, unwanted]) => {
    const value = headers[name.toLowerCase()];
    return value === undefined || !fits(unwanted, value);
  });
  return fits(match.uri, path) && fits(match.method, method) && present && absent;
}

/** An empty match asks only for presence. Regular expressions match the whole string, as Envoy's do. */
function fits(match: StringMatch | undefined, text: string): boolean {
  if (match?.exact !== undefined) return text === match.exact;
  if (match?.prefix !== undefined) return text.startsWith(match.prefix);
  if (match?.regex === undefined) return true;
  try {
    return new RegExp(`^(?:${match.regex})$`).test(text);
  } catch {
    return false;
  }
}

function targetsOf(routes: DelayedView, { route = [] }: HttpRoute, namespace: string): RouteTarget[] {
  return route.map(({ destination = {}, weight = 0 }) => {
    const at = splitHost(destination.host ?? '', namespace);
    const subset = destination.subset ?? '';
    // A single destination needs no weight.
    const share = route.length === 1 && weight === 0 ? 100 : weight;
    return { ...at, subset, labels: subset ? subsetLabels(routes, at, subset) : {}, weight: share };
  });
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
