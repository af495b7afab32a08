import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { canonicalJson, type RouterConfig, sha256 } from '@slipway/cluster';
import {
  type Config,
  chooseEnvironment,
  chooseService,
  type EnvironmentConfig,
  loadConfig,
  parseConfig,
  type ServiceConfig,
  UsageError,
} from '@slipway/core';
import type { RolloutTarget } from './target.js';

/** The inputs that say what is released where. */
export interface TargetInputs {
  config: string;
  service?: string | undefined;
  environment?: string | undefined;
  namespace?: string | undefined;
  workload?: string | undefined;
  container?: string | undefined;
}

export interface ResolvedTarget {
  target: RolloutTarget;
  service: ServiceConfig;
  /** kubeconfig context of the environment. */
  context: string | undefined;
  /** Of what is frozen while a rollout is on: the service's settings and how it is judged. */
  configHash: string;
}

/**
 * One service in one environment, from slipway.yml and the inputs that override it. Without the file, `namespace` and `workload` are enough:
 * everything else has its default. Throws UsageError.
 */
export async function resolveTarget(inputs: TargetInputs, cwd: string): Promise<ResolvedTarget> {
  const withoutFile = inputs.namespace !== undefined && inputs.workload !== undefined && !existsSync(resolve(cwd, inputs.config));
  const config = withoutFile ? defaultConfig(inputs.workload ?? '', inputs.namespace ?? '') : await load(inputs.config, cwd);
  const { name, service } = chooseService(config, withoutFile ? undefined : inputs.service);
  const { environmentName, environment } = placeOf(config, inputs, withoutFile);
  const target = targetOf(name, service, environmentName, environment.namespace, inputs);
  return { target, service, context: environment.context, configHash: hashOf(service) };
}

async function load(path: string, cwd: string): Promise<Config> {
  if (existsSync(resolve(cwd, path))) return loadConfig(path, cwd);
  try {
    return await loadConfig(path, cwd);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const without = 'or, without such a file, the inputs `namespace` and `workload` (--namespace, --workload): the rest has its defaults';
    const problems = error.problems.map(({ allowed, ...problem }) => ({
      ...problem,
      allowed: allowed ? `${allowed}; ${without}` : without,
    }));
    throw new UsageError(problems, { cause: error });
  }
}

/** Triggers may change while a rollout is on: they judge nothing of it. */
function hashOf({ triggers: _triggers, ...frozen }: ServiceConfig): string {
  return sha256(canonicalJson(frozen));
}

function placeOf(config: Config, inputs: TargetInputs, withoutFile: boolean): { environmentName: string; environment: EnvironmentConfig } {
  const { name, environment } = chooseEnvironment(config, withoutFile ? undefined : inputs.environment);
  const { namespace = environment.namespace } = inputs;
  return { environmentName: inputs.environment ?? name, environment: { ...environment, namespace } };
}

function targetOf(name: string, service: ServiceConfig, environment: string, namespace: string, inputs: TargetInputs): RolloutTarget {
  const workload = inputs.workload ?? service.workload;
  const container = inputs.container ?? service.container;
  return {
    service: name,
    environment,
    namespace,
    workload,
    canary: `${workload}-canary`,
    ...(container === undefined ? {} : { container }),
    kubeService: service.service,
    ...(service.metricsPort === undefined ? {} : { metricsPort: service.metricsPort }),
    strategy: service.strategy,
    engine: service.engine,
    traffic: trafficOf(service),
    splitCheck: service.splitCheck,
    steps: service.steps.map((step) => (service.strategy === 'blue-green' ? { ...step, replicas: 1 } : step)),
    readyTimeout: service.readyTimeout,
    drain: service.drain,
    scaleDownDelay: service.scaleDownDelay,
    abortScaleDownDelay: service.abortScaleDownDelay,
    rollbackWindow: service.rollbackWindow,
    maxSnapshots: service.maxSnapshots,
  };
}

/** Blue/green switches at once what `replicas` can only share: the Service's selector. */
function trafficOf({ strategy, traffic, service }: ServiceConfig): RouterConfig {
  if (strategy !== 'blue-green' || traffic.router !== 'replicas') return traffic;
  return { router: 'service', previewService: `${service}-preview`, gitopsIgnoresWeights: traffic.gitopsIgnoresWeights };
}

/** What slipway.yml would be with nothing in it but the names. JSON is YAML, so the names need no escaping of their own. */
function defaultConfig(workload: string, namespace: string): Config {
  const text = JSON.stringify({ version: 1, environments: { default: { namespace } }, services: { [workload]: {} } });
  const parsed = parseConfig(text);
  if ('problems' in parsed)
    throw new UsageError(
      parsed.problems.map((problem) => ({ ...problem, where: problem.where.includes('environments') ? 'namespace' : 'workload' })),
    );
  return parsed.config;
}
