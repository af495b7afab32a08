/** A port of a Service, as far as routing needs it. */
export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
}

/** One place a route sends to. */
export interface RouteTarget {
  namespace: string;
  service: string;
  /** Undefined for a Service without ports. */
  port: ServicePort | undefined;
  /** Istio's name for a part of the Service's pods; empty: all of them. */
  subset: string;
  /** Labels of the subset's pods. */
  labels: Record<string, string>;
  weight: number;
  /** Why it cannot be reached, and what the proxy answers then. */
  fault?: { why: string; code: number };
}

/** A copy of requests that nobody waits for. */
export interface MirrorTarget {
  target: RouteTarget;
  /** Of all requests, 0 to 100. */
  percent: number;
}

/** What a route says of a request: one of the targets by weight, or, with a `code`, an answer of the proxy itself. */
export interface Decision {
  /** Kind and name of the route. */
  route: string;
  targets: RouteTarget[];
  mirrors: MirrorTarget[];
  /** 0: sent to a target. */
  code: number;
}

/** One request, before it is known where it goes. */
export interface ClientRequest {
  namespace: string;
  /** Whose clients send it. */
  service: string;
  port: ServicePort | undefined;
  /** As clients outside the cluster ask; empty for the Service's own name. */
  host: string;
  method: string;
  /** With the query, if any. */
  path: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** Which kind of route alone decides; empty: the first that knows the host. */
  via: string;
}

/** What the request's `Host` header says. */
export function authorityOf({ host, service, namespace }: ClientRequest): string {
  return host || `${service}.${namespace}`;
}
