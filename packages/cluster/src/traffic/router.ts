import type { KubeClient, Patch, Resource } from '../kube.js';

/** How traffic is split, as the router's objects say now. */
export interface Split {
  /** Percent of requests that go to the canary by these objects; for replicas computed from ready pods, so seldom a whole number. */
  weight: number;
  /** True when the objects are in force as far as the router can see (for replicas: the wanted pods are ready, the unwanted gone). */
  settled: boolean;
  /** One sentence: `90/10 in route "primary" of VirtualService shop`. */
  words: string;
}

/** Pods that a weight needs. */
export interface Capacity {
  stable: number;
  canary: number;
}

/** One request that sends everything to stable, prepared so that it can be sent without reading anything first. */
export interface SafePatch {
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
  | { router: 'istio'; virtualService: string; route: RouteSnapshot };

export interface RouteSnapshot {
  /** Name of the http route, or null when it has none. */
  name: string | null;
  /** Destinations as they were, each with host, subset and weight. */
  destinations: { host: string; subset?: string; weight?: number }[];
}

/**
 * Moves traffic between stable and canary. It changes its own weights and its own header route and leaves every other field and owner alone.
 * All methods throw OperationError; what refuses says what to add or change.
 */
export interface TrafficRouter {
  readonly kind: 'replicas' | 'istio';
  /** Reads all that routing needs and refuses what could not work. Changes nothing. Call before anything is touched. */
  check(): Promise<void>;
  /** What to keep so that {@link cleanup} can restore the form. Call before the first `setWeight`. */
  snapshot(): Promise<TrafficSnapshot>;
  /** Pods that `percent` needs when the service runs `replicas` pods without a rollout. The driver provides them before `setWeight`. */
  capacity(percent: number, replicas: number): Capacity;
  /**
   * Makes `percent` of the traffic meet the canary, 0–100. Idempotent. Above 0 the canary must have its capacity; at 0 users are safe when it
   * returns (the header route is gone too). A weight that the objects already have sends no write.
   */
  setWeight(percent: number): Promise<void>;
  /** What the objects say. */
  read(): Promise<Split>;
  /** Reads until `percent` is in force (for replicas: the closest ratio that pods allow); reason WEIGHT_NOT_IN_FORCE otherwise. */
  verify(percent: number): Promise<Split>;
  /** The single patch that sends everything to stable, from what was last read; undefined before the first read. */
  safePatch(): SafePatch | undefined;
  /** Sends the safe patch; when the objects have changed since, reads them again and sends what fits. For the way out of a cancelled run. */
  makeSafe(client?: KubeClient): Promise<void>;
  /** After the rollout: restores the original form of what was added (never a weight for the canary). Idempotent. */
  cleanup(): Promise<void>;
}
