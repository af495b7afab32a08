import { type MetricsSource, type PodPage, podMetricsSource, prometheusSource } from '@slipway/analysis';
import type { KubeClient } from '@slipway/cluster';
import { type AnalysisSettings, type Clock, OperationError, requestJson } from '@slipway/core';
import { metricsPortOf } from './drain.js';
import type { ServicePod } from './pods.js';
import type { RolloutTarget } from './target.js';

export interface SourceOptions {
  client: KubeClient;
  target: RolloutTarget;
  settings: AnalysisSettings;
  clock: Clock;
  env: Readonly<Record<string, string | undefined>>;
  /** The service's pods, read anew at each call. */
  pods: () => Promise<readonly ServicePod[]>;
}

/** Longest wait for one pod's metrics page, milliseconds. */
const PAGE_TIMEOUT = 3_000;

/**
 * Where request counts come from: the pods' own `/metrics` through the API server, or Prometheus. Credentials for Prometheus are taken from
 * PROMETHEUS_TOKEN, or PROMETHEUS_USER and PROMETHEUS_PASSWORD.
 */
export function createSource(options: SourceOptions): MetricsSource {
  const { settings, clock, pods, client, target } = options;
  if (settings.provider === 'prometheus' && settings.prometheus) return fromPrometheus(settings.prometheus, options);
  return podMetricsSource(async () => Promise.all((await pods()).map((pod) => readPage(client, target, pod))), clock);
}

async function readPage(
  client: KubeClient,
  target: RolloutTarget,
  { name, track, startedAt, readyAt, object }: ServicePod,
): Promise<PodPage> {
  const page: PodPage = { id: name, track, ...known({ startedAt, readyAt }) };
  try {
    return {
      ...page,
      text: await client.podProxy(target.namespace, name, metricsPortOf(object, target), '/metrics', { timeoutMs: PAGE_TIMEOUT }),
    };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { ...page, error: error.message };
  }
}

function known(times: { startedAt: number | undefined; readyAt: number | undefined }): { startedAt?: number; readyAt?: number } {
  const { startedAt, readyAt } = times;
  return { ...(startedAt === undefined ? {} : { startedAt }), ...(readyAt === undefined ? {} : { readyAt }) };
}

function fromPrometheus(
  prometheus: NonNullable<AnalysisSettings['prometheus']>,
  { settings, clock, env, pods }: SourceOptions,
): MetricsSource {
  const auth = credentials(env);
  return prometheusSource(
    prometheus,
    {
      clock,
      getJson: async (url, headers, signal) => requestJson(url, { headers, signal, clock, server: 'Prometheus' }),
      pods: async () =>
        (await pods()).map(({ name, track, startedAt, readyAt }) => ({ id: name, track, ...known({ startedAt, readyAt }) })),
      ...(auth ? { auth } : {}),
    },
    { window: settings.window / 1000 },
  );
}

function credentials(env: SourceOptions['env']): { bearer: string } | { user: string; password: string } | undefined {
  const { PROMETHEUS_TOKEN: bearer, PROMETHEUS_USER: user, PROMETHEUS_PASSWORD: password } = env;
  if (bearer) return { bearer };
  return user && password ? { user, password } : undefined;
}
