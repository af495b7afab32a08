import { findKind, type Kind } from './kinds.js';

/** What a URL of the API server addresses. */
export interface Target {
  kind: Kind;
  /** Empty: cluster scope, or all namespaces. */
  namespace: string;
  /** Empty: the collection. */
  name: string;
  /** `status`, `scale`, `log`, `proxy`; empty: the object itself. */
  subresource: string;
  /** What follows `proxy/`, beginning with a slash. */
  rest: string;
}

/** Reads a path such as `/apis/apps/v1/namespaces/shop/deployments/shop/scale`; undefined when nothing is served there. */
export function parsePath(pathname: string): Target | undefined {
  const parts = pathname.split('/').slice(1).map(decodeURIComponent);
  const [root, ...below] = parts;
  if (root === 'api') return target('', below[0] ?? '', below.slice(1));
  if (root === 'apis') return target(below[0] ?? '', below[1] ?? '', below.slice(2));
  return undefined;
}

function target(group: string, version: string, parts: string[]): Target | undefined {
  if (parts[0] !== 'namespaces' || parts.length <= 2 || !findKind(group, version, parts[2] ?? ''))
    return clusterTarget(group, version, parts);
  const [, namespace = '', plural = '', name = '', subresource = '', ...rest] = parts;
  const kind = findKind(group, version, plural);
  return kind?.namespaced ? { kind, namespace, name, subresource, rest: `/${rest.join('/')}` } : undefined;
}

function clusterTarget(group: string, version: string, parts: string[]): Target | undefined {
  const [plural = '', name = '', subresource = '', ...rest] = parts;
  const kind = findKind(group, version, plural);
  if (!kind || (kind.namespaced && name)) return undefined;
  return { kind, namespace: '', name, subresource, rest: `/${rest.join('/')}` };
}

/** Names a request as RBAC does. */
export function verbOf({ method, url }: { method: string; url: URL }): string {
  if (['true', '1'].includes(url.searchParams.get('watch') ?? '')) return 'watch';
  const isCollection = parsePath(url.pathname)?.name === '';
  switch (method) {
    case 'GET':
    case 'HEAD':
      return isCollection ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'DELETE':
      return isCollection ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}
