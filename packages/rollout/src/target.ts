import type { RouterConfig } from '@slipway/cluster';

export interface StepConfig {
  /** Percent of traffic, 1–99. */
  weight: number;
  /** How long the step is watched, milliseconds. */
  duration: number;
  /** Absolute limit on the canary's error rate in this step, a fraction (0.01 = 1 %); absent: the judge alone decides. */
  maxErrorRate?: number;
}

/** One service in one environment: everything that a rollout must know, resolved from slipway.yml and inputs. */
export interface RolloutTarget {
  service: string;
  environment: string;
  namespace: string;
  /** Name of the stable Deployment. */
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
  steps: StepConfig[];
  /** Longest wait for a Deployment to become ready, milliseconds. */
  readyTimeout: number;
  /** Shortest wait between the canary's weight being seen at 0 and its removal, milliseconds. */
  drain: number;
}
