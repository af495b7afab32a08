import type { KubeObject } from '../kube/object.js';
import type { Backends } from './backends.js';
import type { DelayedView } from './delayed-view.js';
import { fitsWildcard, hasPathPrefix, matchesWhole, pairValue, splitPath } from './matching.js';
import type { ClientRequest, Decision, RouteTarget } from './route.js';

interface IngressPath {
  path?: string;
  pathType?: string;
  backend: { service?: { name: string; port?: { number?: number; name?: string } } };
}

interface Found {
  ingress: KubeObject;
  path: IngressPath;
}

const prefix = 'nginx.ingress.kubernetes.io/';

/**
 * Decides as ingress-nginx does: by the Ingress that leads to the Service (or has the request's host), and then by the canary Ingress of the
 * same host and path. Undefined when none leads there.
 */
export function ingressDecision(routes: DelayedView, backends: Backends, request: ClientRequest): Decision | undefined {
  const ingresses = routes.list('Ingress').filter(({ metadata }) => metadata.namespace === request.namespace);
  const main = longestPath(
    ingresses.filter((one) => !isCanary(one)),
    request,
    ({ path }) => request.host !== '' || path.backend.service?.name === request.service,
  );
  if (!main) return undefined;
  const route = `Ingress ${main.ingress.metadata.namespace}/${main.ingress.metadata.name}`;
  const canary = longestPath(
    ingresses.filter(isCanary),
    request,
    ({ ingress }) => request.host !== '' || firstHost(ingress) === firstHost(main.ingress),
  );
  if (!canary) return { route, targets: [targetOf(backends, main, 100)], mirrors: [], code: 0 };
  const { weight, total } = canaryShare(canary.ingress.metadata.annotations ?? {}, request);
  const targets = [targetOf(backends, main, Math.max(total - weight, 0)), targetOf(backends, canary, weight)];
  return { route: `${route} canary ${canary.ingress.metadata.name}`, targets, mirrors: [], code: 0 };
}

function isCanary({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[`${prefix}canary`] === 'true';
}

function longestPath(ingresses: readonly KubeObject[], request: ClientRequest, concerns: (found: Found) => boolean): Found | undefined {
  const { plain } = splitPath(request.path);
  let best: Found | undefined;
  for (const ingress of ingresses) {
    for (const { host = '', http } of ingress.spec?.rules ?? []) {
      if (request.host && host && host !== request.host && !fitsWildcard(host, request.host)) continue;
      for (const path of (http?.paths ?? []) as IngressPath[]) {
        const found = { ingress, path };
        const isLonger = !best || (path.path ?? '').length > (best.path.path ?? '').length;
        if (isLonger && fitsPath(path, plain) && concerns(found)) best = found;
      }
    }
  }
  return best;
}

function fitsPath({ path = '/', pathType }: IngressPath, asked: string): boolean {
  return pathType === 'Exact' ? asked === path : hasPathPrefix(asked, path);
}

/** Without a host of its own, a request has the host of the Ingress that leads to its Service. */
function firstHost({ spec }: KubeObject): string {
  return spec?.rules?.[0]?.host ?? '';
}

/** The header decides, then the cookie, then the weight. */
function canaryShare(annotations: Record<string, string>, { headers }: ClientRequest): { weight: number; total: number } {
  const read = (name: string) => annotations[`${prefix}canary-${name}`] ?? '';
  const total = Number.parseInt(read('weight-total'), 10) > 0 ? Number.parseInt(read('weight-total'), 10) : 100;
  const always = { weight: total, total };
  const never = { weight: 0, total };
  const header = read('by-header') ? headers[read('by-header').toLowerCase()] : undefined;
  if (header !== undefined) {
    const [value, pattern] = [read('by-header-value'), read('by-header-pattern')];
    if (value ? header === value : pattern ? matchesWhole(pattern, header) : header === 'always') return always;
    if (!value && !pattern && header === 'never') return never;
  }
  const cookie = read('by-cookie') ? pairValue(headers.cookie ?? '', ';', read('by-cookie')) : undefined;
  if (cookie === 'always') return always;
  if (cookie === 'never') return never;
  const weight = Number.parseInt(read('weight'), 10) || 0;
  return { weight: Math.min(Math.max(weight, 0), total), total };
}

/** A Service that is not there is answered 503. */
function targetOf(backends: Backends, { ingress, path }: Found, weight: number): RouteTarget {
  const namespace = ingress.metadata.namespace ?? '';
  const { name = '', port } = path.backend.service ?? {};
  const named = port?.name ? backends.ports(namespace, name).find((one) => one.name === port.name)?.port : undefined;
  return backends.resolve({ namespace, service: name, port: named ?? port?.number ?? 0, weight }, 503);
}
