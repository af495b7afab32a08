import type { KubeObject } from '../kube/object.js';
import { annotationPrefix, parseRate, parseSpan } from '../pods/behaviour.js';
import type { ServicePort } from './route.js';

/** What the clients of one Service do, as its annotations say. */
export interface Load {
  namespace: string;
  service: string;
  port: ServicePort | undefined;
  /** Requests per second, evenly spaced whether or not earlier ones were answered. */
  rps: number;
  /** As clients outside the cluster ask; empty: the Service's own name. */
  host: string;
  method: string;
  /** In turn. */
  paths: string[];
  /** With `cookie`, if cookies are asked for. */
  headers: Record<string, string>;
  /** Share of requests that carry the headers. */
  headerShare: number;
  /** Milliseconds. */
  timeout: number;
  concurrency: number;
  /** `istio`, `gateway`, `ingress` or `service`; empty: the first kind of route that knows the host. */
  via: string;
}

/**
 * Annotations: `rps`, `path` (`/a,/b`), `method`, `host`, `header` (`x-canary: true`; several after semicolons), `cookie` (`a=b; c=d`),
 * `header-share` (of header and cookie), `timeout`, `concurrency`, `port` (name or number), `via`. Undefined without traffic.
 */
export function readLoad({ metadata, spec }: KubeObject): Load | undefined {
  const read = (name: string) => metadata.annotations?.[annotationPrefix + name];
  const rps = parseRate(read('rps')) ?? 0;
  if (rps <= 0) return undefined;
  const paths = (read('path') ?? '/').split(',').map((path) => path.trim());
  const cookie = read('cookie')?.trim();
  return {
    namespace: metadata.namespace ?? '',
    service: metadata.name,
    port: portNamed(spec?.ports ?? [], read('port')),
    rps,
    host: read('host')?.trim() ?? '',
    method: read('method') ?? 'GET',
    paths: paths.filter((path) => path.startsWith('/')),
    headers: { ...readHeaders(read('header') ?? ''), ...(cookie ? { cookie } : {}) },
    headerShare: parseRate(read('header-share')) ?? 1,
    timeout: parseSpan(read('timeout')) ?? 5000,
    concurrency: parseRate(read('concurrency')) ?? 1000,
    via: read('via')?.trim() ?? '',
  };
}

function portNamed(ports: readonly ServicePort[], wanted: string | undefined): ServicePort | undefined {
  return ports.find(({ name, port }) => wanted !== undefined && (name === wanted || String(port) === wanted)) ?? ports[0];
}

function readHeaders(text: string): Record<string, string> {
  const pairs = text.split(';').map((pair) => /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(pair));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[(pair[1] as string).toLowerCase(), pair[2] as string]] : [])));
}
