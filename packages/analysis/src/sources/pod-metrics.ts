import type { Clock } from '@slipway/core';
import type { Counts, CounterSample, MetricsSource } from '../types.js';
import { type Exposition, parseExposition, type Sample } from './exposition.js';

/** One pod's metrics page, or why it could not be had. */
export interface PodPage {
  /** The pod's name. */
  id: string;
  track: 'stable' | 'canary';
  /** When the pod became ready, milliseconds since the epoch; absent: unknown. */
  startedAt?: number;
  text?: string;
  error?: string;
}

/** Asks every pod of both tracks for its `/metrics`; a pod that fails is told by `error`, it does not reject. */
export type FetchPods = (signal: AbortSignal) => Promise<readonly PodPage[]>;

export interface PodMetricNames {
  /** Counter of requests. Default `http_requests_total`. */
  requests?: string;
  /** Its label with the HTTP status; default: the first of `code`, `status`, `status_code` that is there. */
  codeLabel?: string;
  /** Base name of the latency histogram. Default `http_request_duration_seconds`. */
  latency?: string;
}

const codeLabels = ['code', 'status', 'status_code'];

/** Counters straight from the pods: no metrics server needed. Keeps no history. */
export function podMetricsSource(fetchPods: FetchPods, clock: Clock, names: PodMetricNames = {}): MetricsSource {
  return {
    name: 'pods',
    sample: async (signal) => {
      const pages = await fetchPods(signal);
      return samplePods(pages, clock.now(), names);
    },
  };
}

/** Pure part of the source: pages to counters. A page that cannot be believed is a problem and its pod is left out, never zero. */
export function samplePods(pages: readonly PodPage[], at: number, names: PodMetricNames = {}): CounterSample {
  const problems: string[] = [];
  const series: { id: string; track: 'stable' | 'canary'; startedAt?: number; counters: Counts }[] = [];
  let bounds: readonly number[] | null = null;
  for (const page of pages) {
    const read = readPage(page, names);
    if (typeof read === 'string') {
      problems.push(`${page.id}: ${read}`);
      continue;
    }
    // A pod that was never asked anything may not show its buckets yet.
    const idle = read.bounds.length === 0 && read.counters.n === 0;
    if (!idle) bounds ??= read.bounds;
    if (!idle && String(read.bounds) !== String(bounds)) {
      problems.push(`${page.id}: latency buckets [${read.bounds}] differ from the other pods' [${bounds}]; left out`);
      continue;
    }
    const startedAt = read.startedAt ?? page.startedAt;
    series.push({ id: page.id, track: page.track, ...(startedAt === undefined ? {} : { startedAt }), counters: read.counters });
  }
  const buckets = bounds?.length ?? 0;
  const filled = series.map((one) => (one.counters.b.length === buckets ? one : { ...one, counters: { ...one.counters, b: new Array<number>(buckets).fill(0) } }));
  return { at, bounds: bounds ?? [], series: filled, problems };
}

interface ReadPage {
  counters: Counts;
  bounds: number[];
  startedAt: number | undefined;
}

/** The pod's counters, or a sentence saying why there are none. */
function readPage(page: PodPage, names: PodMetricNames): ReadPage | string {
  if (page.text === undefined) return page.error ?? 'no metrics page';
  const requests = names.requests ?? 'http_requests_total';
  const latency = names.latency ?? 'http_request_duration_seconds';
  const wanted = new Set([requests, `${latency}_bucket`, `${latency}_count`, 'process_start_time_seconds']);
  try {
    const exposition = parseExposition(page.text, (name) => wanted.has(name));
    return readCounters(exposition, requests, latency, names.codeLabel);
  } catch (error) {
    return (error as Error).message;
  }
}

function readCounters(exposition: Exposition, requests: string, latency: string, codeLabel: string | undefined): ReadPage | string {
  const { samples, families } = exposition;
  const bad = samples.find((sample) => !(Number.isFinite(sample.value) && sample.value >= 0));
  if (bad) return `${bad.name} is ${bad.value}`;
  const answered = samples.filter((sample) => sample.name === requests);
  if (answered.length === 0 && !families.has(requests)) return `no counter ${requests} on its metrics page`;
  const errors = countErrors(answered, codeLabel);
  if (errors === null) return `${requests} has no label ${codeLabel ?? codeLabels.join(', ')} that tells errors apart`;
  const buckets = readBuckets(samples.filter((sample) => sample.name === `${latency}_bucket`));
  if (typeof buckets === 'string') return `${latency}: ${buckets}`;
  const n = answered.reduce((sum, sample) => sum + sample.value, 0);
  const started = samples.find((sample) => sample.name === 'process_start_time_seconds')?.value;
  return {
    counters: { n, e: errors, b: buckets.cumulative, timed: buckets.total },
    bounds: buckets.bounds,
    startedAt: started === undefined ? undefined : started * 1000,
  };
}

function countErrors(answered: readonly Sample[], codeLabel: string | undefined): number | null {
  let errors = 0;
  for (const { labels, value } of answered) {
    const code = codeLabel === undefined ? codeLabels.map((label) => labels[label]).find((found) => found !== undefined) : labels[codeLabel];
    if (code === undefined) return null;
    if (/^5(\d\d|xx)$/i.test(code)) errors += value;
  }
  return errors;
}

/** Adds up the histogram over its other labels; every one of its series must have the same buckets. */
function readBuckets(samples: readonly Sample[]): { bounds: number[]; cumulative: number[]; total: number } | string {
  const sums = new Map<number, { value: number; series: number }>();
  for (const { labels, value } of samples) {
    const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le ?? Number.NaN);
    if (Number.isNaN(bound) || bound <= 0) return `a bucket with le=${JSON.stringify(labels.le)}`;
    const sum = sums.get(bound) ?? { value: 0, series: 0 };
    sums.set(bound, { value: sum.value + value, series: sum.series + 1 });
  }
  const ordered = [...sums].sort(([x], [y]) => x - y);
  if (new Set(ordered.map(([, { series }]) => series)).size > 1) return 'its series have different buckets';
  const total = sums.get(Number.POSITIVE_INFINITY)?.value;
  if (ordered.length > 0 && total === undefined) return 'no +Inf bucket';
  const finite = ordered.filter(([bound]) => Number.isFinite(bound));
  if (ordered.some(([, { value }], i) => value < (ordered[i - 1]?.[1].value ?? 0))) return 'its buckets are not cumulative';
  return { bounds: finite.map(([bound]) => bound), cumulative: finite.map(([, { value }]) => value), total: total ?? 0 };
}
