import type { Counts } from './types.js';

/** How many of `n` requests had the event: an error, or a latency above a bound. */
export interface Tally {
  n: number;
  e: number;
}

export function noCounts(bounds: number): Counts {
  return { n: 0, e: 0, b: new Array<number>(bounds).fill(0) };
}

export function addCounts(x: Counts, y: Counts): Counts {
  const b = new Array<number>(x.b.length);
  for (let i = 0; i < b.length; i++) b[i] = (x.b[i] as number) + (y.b[i] ?? 0);
  const sum = { n: x.n + y.n, e: x.e + y.e, b };
  return x.timed === undefined && y.timed === undefined ? sum : { ...sum, timed: timedOf(x) + timedOf(y) };
}

export function sumCounts(all: readonly Counts[], bounds: number): Counts {
  return all.reduce(addCounts, noCounts(bounds));
}

/** Requests whose latency was measured. */
export function timedOf(counts: Counts): number {
  return counts.timed ?? counts.n;
}

export function errorsOf(counts: Counts): Tally {
  return { n: counts.n, e: counts.e };
}

/** Requests slower than bound number `bound`. */
export function slowerThan(counts: Counts, bound: number): Tally {
  const n = timedOf(counts);
  return { n, e: n - (counts.b[bound] ?? n) };
}

export function errorRate(counts: Counts): number | null {
  return counts.n > 0 ? counts.e / counts.n : null;
}

/**
 * What makes these counts impossible, in words, or null when they can be true: finite, not negative, no more errors than requests,
 * buckets cumulative and at most the number of requests.
 */
export function countsProblem(counts: Counts, bounds: number): string | null {
  if (!isCount(counts.n)) return `requests is ${counts.n}`;
  if (!isCount(counts.e)) return `errors is ${counts.e}`;
  if (counts.e > counts.n) return `${counts.e} errors in ${counts.n} requests`;
  if (counts.timed !== undefined && !isCount(counts.timed)) return `number of measured latencies is ${counts.timed}`;
  if (counts.b.length !== bounds) return `${counts.b.length} latency buckets for ${bounds} bounds`;
  let below = 0;
  for (let i = 0; i < bounds; i++) {
    const count = counts.b[i] as number;
    if (!isCount(count)) return `latency bucket ${i} is ${count}`;
    if (count < below) return `latency bucket ${i} holds ${count}, less than the ${below} of the bucket before it`;
    below = count;
  }
  return below > timedOf(counts) ? `${below} requests in the latency buckets, ${timedOf(counts)} in all` : null;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
