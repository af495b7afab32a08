import type { KubeClient, Patch, Resource } from '../kube.js';
import type { Routing } from './routing.js';

/** How traffic is split, as the router's objects say now. */
export interface Split {
  /** Percent of requests that go to the canary by these objects; for replicas computed from ready pods, so seldom a whole number. */
  weight: number;
  /** Percent of requests that are mirrored to the canary. */
  mirror: number;
  /** Requests with the configured header or cookie go to the canary. */
  match: boolean;
  /** True when the objects are in force as far as the router can see (for replicas: the wanted pods are ready, the unwanted gone). */
  settled: boolean;
  /** One sentence: `90/10 in route "primary" of VirtualService shop`. */
  words: string;
}

/** Pods that a routing needs. */
export interface Capacity {
  stable: number;
  canary: number;
}

/** One request that changes an object, prepared so that it can be sent without reading anything first. Plain JSON: it is kept with the state. */
export interface PreparedPatch {
  resource: Resource;
  namespace: string;
  name: string;
  patch: Patch;
  /** `send all of VirtualService shop-ns/shop to stable`. */
  words: string;
}

/** What a router's objects looked like before the rollout, plain JSON, kept with the rollout state. */
export type TrafficSnapshot =
  | { router: 'replicas'; stable: { name: string; replicas: number } }
  | { router: 'istio'; virtualServices: { name: string; route: RouteSnapshot }[] }
  | { router: 'gateway-api'; httpRoute: string; rules: unknown[]; madeCanaryService: boolean }
  | { router: 'nginx'; ingress: string; madeCanaryService: boolean; annotations: Record<string, string> | null }
  | { router: 'service'; service: string; selector: Record<string, string> };

export interface RouteSnapshot {
  /** Name of the route, or null when it has none. */
  name: string | null;
  /** Destinations as they were, each with host, subset and weight. */
  destinations: { host: string; subset?: string; weight?: number }[];
}

export type RouterKind = 'replicas' | 'istio' | 'gateway-api' | 'nginx' | 'service';

/**
 * Moves traffic between stable and canary. It changes its own weights, its own routes for header, cookie and mirror, and leaves every other
 * field and owner alone. All methods throw OperationError; what refuses says what to add or change.
 */
export interface TrafficRouter {
  readonly kind: RouterKind;
  /** Reads all that routing needs and refuses what could not work. Changes nothing. Call before anything is touched. */
  check(): Promise<void>;
  /** What to keep so that {@link cleanup} can restore the form. Call before the first `route`. */
  snapshot(): Promise<TrafficSnapshot>;
  /**
   * Makes what the canary's pods must find when they come: a Service that leaves them out, Services of their own. Nobody meets the canary by it.
   * Idempotent. Call when stable's pods have their track label and are ready, and before the canary has pods.
   */
  prepare?(): Promise<void>;
  /** Pods that `routing` needs when the service runs `replicas` pods without a rollout. The driver provides them before `route`. */
  capacity(routing: Routing, replicas: number): Capacity;
  /**
   * Makes requests meet the canary as `routing` says. Idempotent. Above nobody the canary must have its capacity; at nobody users are safe when
   * it returns (header, cookie and mirror routes are gone too). What the objects already say sends no write.
   */
  route(routing: Routing): Promise<void>;
  /** What `route` would send now, for a dry run; empty when nothing would be. */
  writes(routing: Routing): Promise<PreparedPatch[]>;
  /** What the objects say. */
  read(): Promise<Split>;
  /** Reads until `routing` is in force (for replicas: the closest ratio that pods allow); reason WEIGHT_NOT_IN_FORCE otherwise. */
  verify(routing: Routing): Promise<Split>;
  /** The patches that send everything to stable, from what was last read; undefined before the first read. Empty: everything goes there. */
  wayOut(): PreparedPatch[] | undefined;
  /** Sends the way out; when the objects have changed since, reads them again and sends what fits. For a cancelled run. */
  makeSafe(client?: KubeClient): Promise<void>;
  /** After the rollout: restores the original form of what was added (never a weight for the canary). Idempotent. */
  cleanup(): Promise<void>;
}
