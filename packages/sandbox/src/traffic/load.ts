import type { KubeObject } from '../kube/object.js';
import { annotationPrefix, parseRate, parseSpan } from '../pods/behaviour.js';

/** What the clients of one Service do, as its annotations say. */
export interface Load {
  namespace: string;
  service: string;
  /** Requests per second, evenly spaced whether or not earlier ones were answered. */
  rps: number;
  method: string;
  /** In turn. */
  paths: string[];
  headers: Record<string, string>;
  /** Share of requests that carry the headers. */
  headerShare: number;
  /** Milliseconds. */
  timeout: number;
  concurrency: number;
}

/** Annotations: `rps`, `path` (`/a,/b`), `method`, `header` (`x-canary: true`), `header-share`, `timeout`, `concurrency`. Undefined without traffic. */
export function readLoad({ metadata }: KubeObject): Load | undefined {
  const read = (name: string) => metadata.annotations?.[annotationPrefix + name];
  const rps = parseRate(read('rps')) ?? 0;
  if (rps <= 0) return undefined;
  const paths = (read('path') ?? '/').split(',').map((path) => path.trim());
  return {
    namespace: metadata.namespace ?? '',
    service: metadata.name,
    rps,
    method: read('method') ?? 'GET',
    paths: paths.filter((path) => path.startsWith('/')),
    headers: readHeaders(read('header') ?? ''),
    headerShare: parseRate(read('header-share')) ?? 1,
    timeout: parseSpan(read('timeout')) ?? 5000,
    concurrency: parseRate(read('concurrency')) ?? 1000,
  };
}

function readHeaders(text: string): Record<string, string> {
  const pairs = text.split(';').map((pair) => /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(pair));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[(pair[1] as string).toLowerCase(), pair[2] as string]] : [])));
}

/** One request, before it is known where it goes. */
export interface ClientRequest {
  namespace: string;
  service: string;
  method: string;
  path: string;
  /** Lower-case names. */
  headers: Record<string, string>;
}
