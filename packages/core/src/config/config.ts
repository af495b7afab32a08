/** slipway.yml as the program sees it: defaults filled in, durations in milliseconds, percentages as fractions. */
export interface Config {
  version: 1;
  release: ReleaseConfig;
  environments: Record<string, EnvironmentConfig>;
  services: Record<string, ServiceConfig>;
}

export interface ReleaseConfig {
  tagPrefix: string;
  /** Path from the root of the repository. */
  changelog: string;
}

export interface EnvironmentConfig {
  namespace: string;
  /** kubeconfig context; absent: the current one. */
  context?: string;
}

export interface ServiceConfig {
  /** Name of the Deployment. */
  workload: string;
  /** Absent: the only container. */
  container?: string;
  /** Name of the Kubernetes Service. */
  service: string;
  /** Number or name; absent: the first declared port. */
  metricsPort?: number | string;
  traffic: TrafficSettings;
  steps: StepSettings[];
  readyTimeout: number;
  drain: number;
  analysis: AnalysisSettings;
  triggers: TriggerSettings;
}

export type TrafficSettings =
  | { router: 'replicas' }
  | {
      router: 'istio';
      virtualService: string;
      destinationRule: string;
      /** Absent: the only route that leads to the stable subset. */
      route?: string;
      stableSubset: string;
      canarySubset: string;
      /** Requests with this header always meet the canary; absent: no header route. */
      header?: string;
    };

export interface StepSettings {
  /** Percent of traffic, 1–99. */
  weight: number;
  duration: number;
  maxErrorRate?: number;
}

export interface AnalysisSettings {
  judge: 'anytime-valid' | 'threshold';
  provider: 'pods' | 'prometheus';
  /** There with provider `prometheus`. */
  prometheus?: PrometheusSettings;
  window: number;
  warmUp: number;
  falseRollbackBudget: number;
  maxErrorRatio: number;
  errorMargin: number;
  passRatio: number;
  passMargin: number;
  latencySlo?: number;
  onNodata: 'hold' | 'fail';
  onInconclusive: 'hold' | 'continue' | 'fail';
  threshold: { errorDifference: number; p99Ratio: number; minRequests: number };
}

export interface PrometheusSettings {
  url: string;
  requests: string;
  errorSelector: string;
  latency: string;
  selector: string;
  podLabel: string;
  history: number;
}

export interface TriggerSettings {
  errorRate: { above: number; for: number };
  /** `above` in milliseconds. */
  latencyP99: { above: number; for: number };
  healthFailures: { above: number; within: number };
  restarts: { above: number; within: number };
  /** Rates are not judged on fewer requests than this. */
  minRequests: number;
}
