import type { AnalysisSettings, Config, EnvironmentConfig, ServiceConfig, StepSettings, TrafficSettings } from './config.js';
import { defaultSteps } from './default-steps.js';
import type { ConfigFile } from './schema.js';

type FileService = ConfigFile['services'][string];

/** The file's content under the names of the program, with the defaults that depend on a service's name. */
export function toConfig(file: ConfigFile): Config {
  return {
    version: file.version,
    release: { tagPrefix: file.release['tag-prefix'], changelog: file.release.changelog },
    environments: mapValues(file.environments, (environment) => present<EnvironmentConfig>({ ...environment })),
    services: mapValues(file.services, service),
  };
}

function service(file: FileService, name: string): ServiceConfig {
  return present<ServiceConfig>({
    workload: file.workload ?? name,
    container: file.container,
    service: file.service ?? name,
    metricsPort: file['metrics-port'],
    strategy: file.strategy,
    engine: file.engine,
    traffic: traffic(file.traffic, name, file.service ?? name),
    splitCheck: file['split-check'],
    steps: stepsOf(file),
    readyTimeout: file['ready-timeout'],
    drain: file.drain,
    scaleDownDelay: file['scale-down-delay'],
    abortScaleDownDelay: file['abort-scale-down-delay'],
    rollbackWindow: file['rollback-window'],
    maxSnapshots: file['max-snapshots'],
    analysis: analysis(file.analysis),
    triggers: {
      errorRate: file.triggers['error-rate'],
      latencyP99: file.triggers['latency-p99'],
      healthFailures: file.triggers['health-failures'],
      restarts: file.triggers.restarts,
      minRequests: file.triggers['min-requests'],
    },
  });
}

type FileStep = NonNullable<FileService['steps']>[number];

function stepsOf(file: FileService): StepSettings[] {
  const matches = file.traffic.router !== 'replicas' && (file.traffic.header ?? file.traffic.cookie) !== undefined;
  if (!file.steps) return defaultSteps(file.strategy).map((step) => ({ ...step, match: matches }));
  return file.steps.map((step: FileStep) =>
    present<StepSettings>({
      weight: step.weight,
      mirror: step.mirror,
      match: matches && step.match,
      replicas: step.replicas,
      duration: step.duration,
      maxErrorRate: step['max-error-rate'],
      pause: step.pause,
      gate: step.gate,
    }),
  );
}

function traffic(file: FileService['traffic'], name: string, kubeService: string): TrafficSettings {
  if (file.router === 'replicas') return { router: 'replicas', gitopsIgnoresWeights: file['gitops-ignores-weights'] };
  const match = { header: file.header, cookie: file.cookie, gitopsIgnoresWeights: file['gitops-ignores-weights'] };
  switch (file.router) {
    case 'istio': {
      const services = file['virtual-service'] ?? name;
      return present<Extract<TrafficSettings, { router: 'istio' }>>({
        router: 'istio',
        virtualServices: typeof services === 'string' ? [services] : services,
        destinationRule: file['destination-rule'] ?? name,
        route: file.route,
        protocol: file.protocol,
        stableSubset: file['stable-subset'],
        canarySubset: file['canary-subset'],
        ...match,
      });
    }
    case 'gateway-api':
      return present<Extract<TrafficSettings, { router: 'gateway-api' }>>({
        router: 'gateway-api',
        httpRoute: file['http-route'] ?? name,
        stableService: file['stable-service'],
        canaryService: file['canary-service'] ?? `${kubeService}-canary`,
        ...match,
      });
    case 'nginx':
      return present<Extract<TrafficSettings, { router: 'nginx' }>>({
        router: 'nginx',
        ingress: file.ingress ?? name,
        stableService: file['stable-service'],
        canaryService: file['canary-service'] ?? `${kubeService}-canary`,
        ...match,
      });
  }
}

function analysis(file: FileService['analysis']): AnalysisSettings {
  return present<AnalysisSettings>({
    judge: file.judge,
    provider: file.provider,
    prometheus: file.prometheus && {
      url: file.prometheus.url,
      requests: file.prometheus.requests,
      errorSelector: file.prometheus['error-selector'],
      latency: file.prometheus.latency,
      selector: file.prometheus.selector,
      podLabel: file.prometheus['pod-label'],
      lag: file.prometheus.lag,
      history: file.prometheus.history,
    },
    window: file.window,
    warmUp: file['warm-up'],
    falseRollbackBudget: file['false-rollback-budget'],
    maxErrorRatio: file['max-error-ratio'],
    errorMargin: file['error-margin'],
    passRatio: file['pass-ratio'],
    passMargin: file['pass-margin'],
    latencySlo: file['latency-slo'],
    onNodata: file['on-nodata'],
    onInconclusive: file['on-inconclusive'],
    threshold: {
      errorDifference: file.threshold['error-difference'],
      p99Ratio: file.threshold['p99-ratio'],
      minRequests: file.threshold['min-requests'],
    },
  });
}

/** `T` with `undefined` allowed where a key is optional. */
type Loose<T> = { [K in keyof T]: undefined extends T[K] ? T[K] | undefined : T[K] } & { [K in OptionalKeys<T>]?: T[K] | undefined };
type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];

/** Leaves out the keys that are undefined: absent is absent, also for those who ask `in`. */
function present<T extends object>(value: Loose<T> | { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

function mapValues<T, U>(record: Record<string, T>, change: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
