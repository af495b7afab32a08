import type { Clock } from '@slipway/core';
import type { CounterSample, MetricsSource } from '../types.js';
import { type Exposition, parseExposition, type Sample } from './exposition.js';
import { assembleSample, type PodReading, readBuckets } from './pod-reading.js';

/** One pod's metrics page, or why it could not be had. */
export interface PodPage {
  /** The pod's name. */
  id: string;
  track: 'stable' | 'canary';
  /** When its container started, milliseconds since the epoch; the page's `process_start_time_seconds` comes first. Absent: unknown. */
  startedAt?: number;
  /** When the pod became ready, milliseconds since the epoch. */
  readyAt?: number;
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
  return assembleSample(
    pages.map((page) => ({ ...page, reading: readPage(page, names) })),
    at,
  );
}

/** The pod's counters, or a sentence saying why there are none. */
function readPage(page: PodPage, names: PodMetricNames): PodReading | string {
  if (page.text === undefined) return page.error ?? 'no metrics page';
  const requests = names.requests ?? 'http_requests_total';
  const latency = names.latency ?? 'http_request_duration_seconds';
  const wanted = new Set([requests, `${latency}_bucket`, 'process_start_time_seconds']);
  try {
    const exposition = parseExposition(page.text, (name) => wanted.has(name));
    return readCounters(exposition, requests, latency, names.codeLabel);
  } catch (error) {
    return (error as Error).message;
  }
}

function readCounters(exposition: Exposition, requests: string, latency: string, codeLabel: string | undefined): PodReading | string {
  const { samples, families } = exposition;
  const bad = samples.find((sample) => !(Number.isFinite(sample.value) && sample.value >= 0));
  if (bad) return `${bad.name} is ${bad.value}`;
  const answered = samples.filter((sample) => sample.name === requests);
  if (answered.length === 0 && !families.has(requests)) return `no counter ${requests} on its metrics page`;
  const errors = countErrors(answered, codeLabel);
  if (errors === null) return `${requests} has no label ${codeLabel ?? codeLabels.join(', ')} that tells errors apart`;
  const inBuckets = samples.filter((sample) => sample.name === `${latency}_bucket`);
  const buckets = readBuckets(inBuckets.map(({ labels, value }) => ({ le: labels.le, value })));
  if (typeof buckets === 'string') return `${latency}: ${buckets}`;
  const n = answered.reduce((sum, sample) => sum + sample.value, 0);
  const started = samples.find((sample) => sample.name === 'process_start_time_seconds')?.value;
  return {
    counters: { n, e: errors, ...buckets.counters },
    bounds: buckets.bounds,
    ...(started === undefined ? {} : { startedAt: started * 1000 }),
  };
}

function countErrors(answered: readonly Sample[], codeLabel: string | undefined): number | null {
  let errors = 0;
  for (const { labels, value } of answered) {
    const code =
      codeLabel === undefined ? codeLabels.map((label) => labels[label]).find((found) => found !== undefined) : labels[codeLabel];
    if (code === undefined) return null;
    if (/^5(\d\d|xx)$/i.test(code)) errors += value;
  }
  return errors;
}
