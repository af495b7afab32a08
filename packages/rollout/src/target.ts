import type { RouterConfig, Routing } from '@slipway/cluster';
import type { Engine, Strategy } from '@slipway/core';

export interface StepConfig {
  /** Percent of users' requests, 0–100. */
  weight: number;
  /** Share of requests whose copy the canary gets, 0–1; absent: none. */
  mirror?: number;
  /** Requests with the configured header or cookie meet the canary; absent: no. */
  match?: boolean;
  /** Canary pods as a share of stable's; absent: as the routing needs. */
  replicas?: number;
  /** How long the step is watched, milliseconds. */
  duration: number;
  /** Absolute limit on the canary's error rate in this step, a fraction (0.01 = 1 %); absent: the judge alone decides. */
  maxErrorRate?: number;
  /** The rollout pauses when the step is in force, until `resume`. */
  pause?: boolean;
  /** URL that must answer 2xx before the step is brought about. */
  gate?: string;
}

/** What a step asks of the router. */
export function routingOf({ weight, mirror = 0, match = false }: StepConfig): Routing {
  // 7 % is 7.000000000000001 of a hundredth.
  return { weight, mirror: Math.round(mirror * 1e6) / 1e4, match };
}

/** One service in one environment: everything that a rollout must know, resolved from slipway.yml and inputs. */
export interface RolloutTarget {
  service: string;
  environment: string;
  namespace: string;
  strategy: Strategy;
  engine: Engine;
  /** Name of the stable Deployment (with an engine: of its Rollout or Canary). */
  workload: string;
  /** Name of the canary Deployment, by default `<workload>-canary`. */
  canary: string;
  /** Container whose image is released; absent: the only one. */
  container?: string;
  /** Name of the Kubernetes Service that users' requests come through. */
  kubeService: string;
  /** Port (number or name) of the pods that serves `/metrics`; absent: the first declared port. */
  metricsPort?: number | string;
  traffic: RouterConfig;
  /** `objects`: the split is read back, but not measured from requests. */
  splitCheck: 'measured' | 'objects';
  steps: StepConfig[];
  /** Longest wait for a Deployment to become ready, milliseconds. */
  readyTimeout: number;
  /** Shortest wait between the canary's weight being seen at 0 and its removal, milliseconds. */
  drain: number;
  /** How long the pods that a promotion replaces are kept, milliseconds. */
  scaleDownDelay: number;
  /** How long the canary's pods are kept after an abort, milliseconds. */
  abortScaleDownDelay: number;
  /** Revisions before the present one that `start` puts back without steps. */
  rollbackWindow: number;
  maxSnapshots: number;
}
