import type { Clock } from '@slipway/core';
import type { CounterSample, Counts, MetricsSource } from '../types.js';
import { closeWindow } from '../windows.js';
import { assembleSample, type PodReading, readBuckets } from './pod-reading.js';
import { type PrometheusSeries, readAnswer } from './prometheus-answer.js';

/** `analysis.prometheus` of slipway.yml. */
export interface PrometheusConfig {
  url: string;
  /** Counter of requests. Default `http_requests_total`. */
  requests?: string;
  /** Matchers that make it the counter of errors. Default `code=~"5.."`. */
  errorSelector?: string;
  /** Base name of the latency histogram. Default `http_request_duration_seconds`. */
  latency?: string;
  /** Further matchers for every query. */
  selector?: string;
  /** Label with the pod's name. Default `pod`. */
  podLabel?: string;
  /** Milliseconds that Prometheus may be behind: a window is read only when it is that old. Default 15 s. */
  lag?: number;
}

/** A pod of the rollout, as the cluster knows it. */
export interface TrackedPod {
  id: string;
  track: 'stable' | 'canary';
  /** Milliseconds since the epoch. */
  startedAt?: number;
  readyAt?: number;
}

export interface PrometheusPorts {
  clock: Clock;
  /** GET that returns the parsed JSON body, also of a 400 or 422 answer; retries and time-outs are its own. */
  getJson(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown>;
  /** The pods that serve now, with their track. */
  pods(signal: AbortSignal): Promise<readonly TrackedPod[]>;
  /** Credentials; absent: none. */
  auth?: { bearer: string } | { user: string; password: string };
}

export interface PrometheusTiming {
  /** Seconds; samples are taken at whole multiples of it, so that windows of a re-run fall on the same instants. */
  window: number;
}

/** Milliseconds. */
const defaultLag = 15_000;
/** Most points per series that Prometheus answers with is 11,000. */
const mostPoints = 10_000;
const timestampSlack = 1;

/** Cumulative counters per pod from Prometheus, at aligned instants, and stable's history. */
export function prometheusSource(config: PrometheusConfig, ports: PrometheusPorts, timing: PrometheusTiming): MetricsSource {
  const queries = queriesOf(config);
  const { lag = defaultLag } = config;
  const get = async (path: string, parameters: Record<string, string>, type: 'vector' | 'matrix', signal: AbortSignal) => {
    const url = `${config.url.replace(/\/+$/, '')}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    return readAnswer(await ports.getJson(url, authorization(ports.auth), signal), type, parameters.query ?? '');
  };
  return {
    name: 'prometheus',
    async sample(signal) {
      const seconds = Math.floor((ports.clock.now() - lag) / 1000 / timing.window) * timing.window;
      const pods = await ports.pods(signal);
      if (pods.length === 0) return { at: seconds * 1000, bounds: [], series: [], problems: ['no pods to ask Prometheus about'] };
      const ask = (query: string) => get('query', { query, time: String(seconds) }, 'vector', signal);
      const names = pods.map((pod) => pod.id);
      const [requests, errors, buckets] = await Promise.all([
        ask(queries.requests(names)),
        ask(queries.errors(names)),
        ask(queries.buckets(names)),
      ]);
      return sampleAt(seconds, pods, { requests, errors, buckets }, queries.label);
    },
    async history(seconds, window, signal) {
      const end = Math.floor((ports.clock.now() - lag) / 1000 / window) * window;
      const step = Math.max(window, Math.ceil(seconds / mostPoints));
      const pods = (await ports.pods(signal)).filter((pod) => pod.track === 'stable');
      if (pods.length === 0) return { bounds: [], windows: [] };
      const range = { start: String(end - Math.floor(seconds / step) * step), end: String(end), step: String(step) };
      const ask = (query: string) => get('query_range', { query, ...range }, 'matrix', signal);
      const names = pods.map((pod) => pod.id);
      const [requests, errors, buckets] = await Promise.all([
        ask(queries.requests(names)),
        ask(queries.errors(names)),
        ask(queries.buckets(names)),
      ]);
      return historyOf(pods, { requests, errors, buckets }, queries.label);
    },
  };
}

interface Answers {
  requests: readonly PrometheusSeries[];
  errors: readonly PrometheusSeries[];
  buckets: readonly PrometheusSeries[];
}

function queriesOf(config: PrometheusConfig) {
  const label = config.podLabel ?? 'pod';
  const requests = config.requests ?? 'http_requests_total';
  const latency = config.latency ?? 'http_request_duration_seconds';
  const matchers = (pods: readonly string[], extra?: string) => {
    // Only these pods: other services expose the same names. Pod names hold letters, digits, dashes and dots.
    const named = `${label}=~"${pods.map((pod) => pod.replace(/[^a-zA-Z0-9-]/g, '[$&]')).join('|')}"`;
    return `{${[named, config.selector?.trim(), extra?.trim()].filter(Boolean).join(',')}}`;
  };
  return {
    label,
    requests: (pods: readonly string[]) => `sum by (${label}) (${requests}${matchers(pods)})`,
    errors: (pods: readonly string[]) => `sum by (${label}) (${requests}${matchers(pods, config.errorSelector ?? 'code=~"5.."')})`,
    buckets: (pods: readonly string[]) => `sum by (${label}, le) (${latency}_bucket${matchers(pods)})`,
  };
}

function authorization(auth: PrometheusPorts['auth']): Record<string, string> {
  if (!auth) return {};
  if ('bearer' in auth) return { authorization: `Bearer ${auth.bearer}` };
  return { authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}` };
}

/** One sample from answers at one instant. A pod without an error series has had no error; without a request series it was not scraped. */
function sampleAt(seconds: number, pods: readonly TrackedPod[], answers: Answers, label: string): CounterSample {
  const strangers = new Set(answers.requests.map(({ labels }) => labels[label] ?? '').filter((id) => !pods.some((pod) => pod.id === id)));
  const problems =
    strangers.size > 0
      ? [`${strangers.size} series of pods that are neither stable nor canary (${[...strangers].slice(0, 3).join(', ')}); ignored`]
      : [];
  const read = pods.map((pod) => ({ ...pod, reading: readPod(pod.id, seconds, answers, label) }));
  return assembleSample(read, seconds * 1000, problems);
}

function readPod(pod: string, seconds: number, answers: Answers, label: string): PodReading | string {
  const of = (series: readonly PrometheusSeries[]) => series.filter(({ labels }) => labels[label] === pod);
  const requests = single(of(answers.requests), seconds, 'requests');
  if (typeof requests === 'string') return requests;
  const errorSeries = of(answers.errors);
  const errors = errorSeries.length === 0 ? 0 : single(errorSeries, seconds, 'errors');
  if (typeof errors === 'string') return errors;
  const values = of(answers.buckets).map((series) => ({ le: series.labels.le, value: single([series], seconds, 'a latency bucket') }));
  const wrong = values.find(({ value }) => typeof value === 'string');
  if (wrong) return String(wrong.value);
  const buckets = readBuckets(values as { le: string | undefined; value: number }[]);
  if (typeof buckets === 'string') return `latency: ${buckets}`;
  return { counters: { n: requests, e: errors, ...buckets.counters }, bounds: buckets.bounds };
}

/** The value of the one series there must be, at the instant that was asked for; else a sentence. */
function single(series: readonly PrometheusSeries[], seconds: number, what: string): number | string {
  if (series.length === 0) return `Prometheus has no series of its ${what} at this instant`;
  if (series.length > 1) return `${series.length} series of its ${what} where there must be one`;
  const point = series[0]?.points[0];
  if (!point) return `no point of its ${what}`;
  const [at, value] = point;
  if (Math.abs(at - seconds) > timestampSlack) return `${what} of ${at} s where ${seconds} s was asked for: a clock is wrong`;
  return Number.isFinite(value) && value >= 0 ? value : `${what} is ${value}`;
}

function historyOf(pods: readonly TrackedPod[], answers: Answers, label: string): { bounds: readonly number[]; windows: Counts[] } {
  const instants = [...new Set(answers.requests.flatMap(({ points }) => points.map(([at]) => at)))].sort((x, y) => x - y);
  const index = { requests: byInstant(answers.requests), errors: byInstant(answers.errors), buckets: byInstant(answers.buckets) };
  // Start times are left out: these pods started long ago or, if they restarted, their counters fell.
  const past = pods.map(({ id, track }) => ({ id, track }));
  const samples = instants.map((at) => {
    const answer = { requests: index.requests.get(at) ?? [], errors: index.errors.get(at) ?? [], buckets: index.buckets.get(at) ?? [] };
    return sampleAt(at, past, answer, label);
  });
  const bounds = samples.at(-1)?.bounds ?? [];
  const windows: Counts[] = [];
  samples.slice(1).forEach((after, i) => {
    const before = samples[i];
    const stable = before ? closeWindow(before, after, 0).window?.stable : null;
    if (stable && stable.b.length === bounds.length) windows.push(stable);
  });
  return { bounds, windows };
}

/** The same series cut into instants. */
function byInstant(series: readonly PrometheusSeries[]): Map<number, PrometheusSeries[]> {
  const instants = new Map<number, PrometheusSeries[]>();
  for (const { labels, points } of series) {
    for (const point of points) {
      const at = instants.get(point[0]);
      if (at) at.push({ labels, points: [point] });
      else instants.set(point[0], [{ labels, points: [point] }]);
    }
  }
  return instants;
}
