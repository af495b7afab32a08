import type { GitHubWorld, Grants, Permission } from './github-world.js';

/** One request that fits a route. */
export interface Call {
  world: GitHubWorld;
  /** What the route's pattern captured. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** The decoded JSON body, or an empty object. */
  body: Record<string, unknown>;
  raw: Buffer;
  /** Base of the API, e.g. `http://127.0.0.1:4000`. */
  base: string;
  accept: string;
}

export interface Reply {
  status: number;
  body?: unknown;
  /** Sent as it is instead of JSON. */
  content?: Buffer;
  /** All items of a list; the server cuts the page asked for. */
  list?: readonly unknown[];
}

export interface Route {
  method: string;
  /** Below `/repos/OWNER/NAME`; `:id` captures digits, `:name` a segment, `*rest` what is left. */
  path: string;
  permission: Permission;
  handle(call: Call): Reply;
}

export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const source = pattern
    .replace(/:id/g, '(?<id>\\d+)')
    .replace(/:([a-z]+)/g, '(?<$1>[^/]+)')
    .replace(/\*([a-z]+)/, '(?<$1>.+)');
  const match = new RegExp(`^${source}$`).exec(path);
  if (!match) return undefined;
  return Object.fromEntries(Object.entries(match.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]));
}

export function isGranted(grants: Grants | 'all', permission: Permission, method: string): boolean {
  if (grants === 'all' || (permission === 'metadata' && method === 'GET')) return true;
  const level = grants[permission];
  return level === 'write' || (level === 'read' && method === 'GET');
}

/** The fields of a body that are given, of those named. */
export function pick(body: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]));
}
