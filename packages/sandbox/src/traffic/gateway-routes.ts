import type { KubeObject } from '../kube/object.js';
import type { Backends } from './backends.js';
import type { DelayedView } from './delayed-view.js';
import { fitsWildcard, hasPathPrefix, matchesWhole, pairValue, splitPath } from './matching.js';
import type { ClientRequest, Decision, MirrorTarget, RouteTarget } from './route.js';

interface Reference {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  port?: number;
  weight?: number;
}

interface ValueMatch {
  type?: string;
  name?: string;
  value?: string;
}

interface RouteMatch {
  path?: ValueMatch;
  headers?: ValueMatch[];
  queryParams?: ValueMatch[];
  method?: string;
}

interface Mirror {
  backendRef: Reference;
  percent?: number;
  fraction?: { numerator: number; denominator?: number };
}

interface Rule {
  matches?: RouteMatch[];
  filters?: { type?: string; requestMirror?: Mirror }[];
  backendRefs?: Reference[];
}

/**
 * Decides by the most specific match of all HTTPRoutes attached to the Service itself (GAMMA) or to a Gateway for its host. Undefined
 * when none is attached. Not read: redirects, rewrites, header changes, time-outs, filters of one backend, the Gateway's listeners.
 */
export function gatewayDecision(routes: DelayedView, backends: Backends, request: ClientRequest): Decision | undefined {
  const attached = routes.list('HTTPRoute').filter((route) => isAttached(route, request));
  if (!attached[0]) return undefined;
  let best: { specificity: Specificity; rule: Rule; route: KubeObject } | undefined;
  for (const route of attached) {
    for (const rule of rulesOf(route)) {
      const specificity = specificityOf(rule, request);
      if (specificity && (!best || isLess(best.specificity, specificity))) best = { specificity, rule, route };
    }
  }
  if (!best) return { route: labelOf(attached[0]), targets: [], mirrors: [], code: 404 };
  return decide(routes, backends, best.rule, best.route);
}

/** Why a backendRef of the route leads nowhere; undefined when all are sound. */
export function unresolvedBackend(routes: DelayedView, backends: Backends, route: KubeObject): string | undefined {
  const targets = rulesOf(route).flatMap((rule) => decide(routes, backends, rule, route).targets);
  return targets.find(({ fault }) => fault)?.fault?.why;
}

function labelOf({ metadata }: KubeObject): string {
  return `HTTPRoute ${metadata.namespace}/${metadata.name}`;
}

/** A route without rules has one that matches everything. */
function rulesOf({ spec }: KubeObject): Rule[] {
  return spec?.rules ?? [];
}

/** By a parentRef to the Service; or by one to a Gateway, when the route has the request's host, or names no hosts and leads to the Service. */
function isAttached(route: KubeObject, request: ClientRequest): boolean {
  const namespace = route.metadata.namespace ?? '';
  const parents: Reference[] = route.spec?.parentRefs ?? [];
  const hostnames: string[] = route.spec?.hostnames ?? [];
  return parents.some((parent) => {
    if ((parent.kind ?? 'Gateway') === 'Service') {
      const isPort = !parent.port || parent.port === request.port?.port;
      return parent.name === request.service && (parent.namespace ?? namespace) === request.namespace && isPort;
    }
    if (hostnames.length > 0) return hostnames.some((name) => name === request.host || fitsWildcard(name, request.host));
    const isTarget = (to: Reference) => to.name === request.service && (to.namespace ?? namespace) === request.namespace;
    return rulesOf(route).some(({ backendRefs = [] }) => backendRefs.some(isTarget));
  });
}

/** Exact path, length of path, method, number of headers, of query parameters: the first difference decides. */
type Specificity = readonly [exact: number, length: number, method: number, headers: number, query: number];

function isLess(a: Specificity, b: Specificity): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && (a[at] as number) < (b[at] as number);
}

/** Of the rule's most specific match that fits; undefined when none does. Without matches, a rule has the prefix `/`. */
function specificityOf({ matches = [] }: Rule, request: ClientRequest): Specificity | undefined {
  const all = matches.length > 0 ? matches : [{}];
  const fitting = all.filter((match) => fits(match, request)).map(rank);
  return fitting.reduce<Specificity | undefined>((best, one) => (best && !isLess(best, one) ? best : one), undefined);
}

function rank({ path, method, headers = [], queryParams = [] }: RouteMatch): Specificity {
  const exact = path?.type === 'Exact' ? 1 : 0;
  return [exact, (path?.value ?? '/').length, method ? 1 : 0, headers.length, queryParams.length];
}

function fits({ path, method, headers = [], queryParams = [] }: RouteMatch, request: ClientRequest): boolean {
  const { plain, query } = splitPath(request.path);
  if (!fitsPath(path ?? {}, plain) || (method && method !== request.method)) return false;
  return (
    headers.every((want) => fitsValue(want, request.headers[(want.name ?? '').toLowerCase()])) &&
    queryParams.every((want) => fitsValue(want, pairValue(query, '&', want.name ?? '')))
  );
}

function fitsPath({ type = 'PathPrefix', value = '/' }: ValueMatch, path: string): boolean {
  if (type === 'Exact') return path === value;
  return type === 'RegularExpression' ? matchesWhole(value, path) : hasPathPrefix(path, value);
}

function fitsValue({ type, value = '' }: ValueMatch, text: string | undefined): boolean {
  if (text === undefined) return false;
  return type === 'RegularExpression' ? matchesWhole(value, text) : text === value;
}

function decide(routes: DelayedView, backends: Backends, rule: Rule, route: KubeObject): Decision {
  const namespace = route.metadata.namespace ?? '';
  const resolve = (to: Reference, weight: number) => targetOf(routes, backends, to, namespace, weight);
  const targets = (rule.backendRefs ?? []).map((to) => resolve(to, to.weight ?? 1));
  const mirrors = (rule.filters ?? []).flatMap(({ requestMirror }): MirrorTarget[] =>
    requestMirror ? [{ target: resolve(requestMirror.backendRef, 1), percent: shareOf(requestMirror) }] : [],
  );
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  return { route: labelOf(route), targets, mirrors, code: total === 0 ? 500 : 0 };
}

function shareOf({ percent, fraction }: Mirror): number {
  if (percent !== undefined) return percent;
  return fraction ? (100 * fraction.numerator) / (fraction.denominator ?? 100) : 100;
}

/** An invalid backendRef is answered 500. */
function targetOf(routes: DelayedView, backends: Backends, to: Reference, from: string, weight: number): RouteTarget {
  const namespace = to.namespace ?? from;
  const target = backends.resolve({ namespace, service: to.name, port: to.port ?? 0, weight }, 500);
  if ((to.kind ?? 'Service') !== 'Service' || to.group) return { ...target, fault: { why: 'backendRef is no Service', code: 500 } };
  if (namespace === from || isGranted(routes, from, namespace, to.name)) return target;
  return { ...target, fault: { why: `no ReferenceGrant for ${namespace}/${to.name}`, code: 500 } };
}

function isGranted(routes: DelayedView, from: string, to: string, service: string): boolean {
  const grants = routes.list('ReferenceGrant').filter(({ metadata }) => metadata.namespace === to);
  return grants.some(({ spec }) => {
    const isFrom = (spec?.from ?? []).some(
      (one: { kind: string; namespace: string }) => one.kind === 'HTTPRoute' && one.namespace === from,
    );
    return (
      isFrom &&
      (spec?.to ?? []).some((one: { kind: string; name?: string }) => one.kind === 'Service' && [undefined, service].includes(one.name))
    );
  });
}
