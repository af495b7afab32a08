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
  strategy: Strategy;
  engine: Engine;
  traffic: TrafficSettings;
  /** `objects`: the split is read back, but not measured from requests. */
  splitCheck: 'measured' | 'objects';
  /** Empty with strategy `rolling`. */
  steps: StepSettings[];
  readyTimeout: number;
  drain: number;
  scaleDownDelay: number;
  abortScaleDownDelay: number;
  /** Revisions before the present one that `start` puts back without steps; 0: none. */
  rollbackWindow: number;
  maxSnapshots: number;
  analysis: AnalysisSettings;
  triggers: TriggerSettings;
}

export type Strategy = 'canary' | 'blue-green' | 'rolling' | 'shadow';
export type Engine = 'native' | 'argo-rollouts' | 'flagger';

/** Whom a router sends to the canary besides the weight, and who else owns its objects. */
export interface MatchSettings {
  /** Requests with this header, value `true`, meet the canary while the step says so; absent: no header route. */
  header?: string;
  /** Requests with this cookie, value `always`, do; absent: no cookie route. */
  cookie?: string;
  /** A GitOps controller that owns the objects was told to ignore what Slipway writes. */
  gitopsIgnoresWeights: boolean;
}

export type TrafficSettings =
  | { router: 'replicas'; gitopsIgnoresWeights: boolean }
  | (MatchSettings & {
      router: 'istio';
      virtualServices: string[];
      destinationRule: string;
      /** Absent: the only route that leads to the stable subset. */
      route?: string;
      protocol: 'http' | 'tls' | 'tcp';
      stableSubset: string;
      canarySubset: string;
    })
  | (MatchSettings & {
      router: 'gateway-api';
      httpRoute: string;
      /** Service of the stable pods; absent: the one that the route leads to. */
      stableService?: string;
      canaryService: string;
    })
  | (MatchSettings & {
      router: 'nginx';
      ingress: string;
      /** Service of the stable pods; absent: the one that the Ingress leads to. */
      stableService?: string;
      canaryService: string;
    });

export interface StepSettings {
  /** Percent of users' requests that the new version answers, 0–100; 100 in the last step alone. */
  weight: number;
  /** Share of requests whose copy the canary gets, 0–1. */
  mirror: number;
  /** Requests with the configured header or cookie meet the canary. */
  match: boolean;
  /** Canary pods as a share of stable's; absent: as the weight needs. */
  replicas?: number;
  duration: number;
  maxErrorRate?: number;
  /** The rollout pauses in this step until `resume`. */
  pause: boolean;
  /** URL that must answer 2xx before the step is brought about. */
  gate?: string;
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
  lag: number;
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
