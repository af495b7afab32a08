/** Samples of one series within a range, in order. */
export interface Range {
  times: readonly number[];
  values: readonly number[];
}

/**
 * `increase` over (start, end], extrapolated to its ends as Prometheus does (promql/functions.go, extrapolatedRate): a reset of the counter adds
 * what was there, and the value is never extrapolated below zero. Undefined with fewer than two samples. Times in milliseconds.
 */
export function extrapolatedIncrease({ times, values }: Range, start: number, end: number): number | undefined {
  const [firstTime, lastTime] = [times[0], times.at(-1)];
  const [first, last] = [values[0], values.at(-1)];
  if (times.length < 2 || firstTime === undefined || lastTime === undefined || first === undefined || last === undefined) return undefined;
  let increase = last - first;
  for (let i = 1; i < values.length; i++) {
    const before = values[i - 1] as number;
    if ((values[i] as number) < before) increase += before;
  }
  const sampled = lastTime - firstTime;
  const average = sampled / (times.length - 1);
  const threshold = average * 1.1;
  let toStart = firstTime - start;
  if (toStart >= threshold) toStart = average / 2;
  if (increase > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / increase));
  let toEnd = end - lastTime;
  if (toEnd >= threshold) toEnd = average / 2;
  return increase * ((sampled + toStart + toEnd) / sampled);
}

export interface Bucket {
  upper: number;
  /** Cumulative. */
  count: number;
}

/** `histogram_quantile` of classic buckets (promql/quantile.go, bucketQuantile). */
export function bucketQuantile(q: number, given: readonly Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const buckets = monotonic([...given].sort((a, b) => a.upper - b.upper));
  const last = buckets.at(-1);
  if (!last || last.upper !== Number.POSITIVE_INFINITY || buckets.length < 2 || last.count === 0) return Number.NaN;
  const rank = q * last.count;
  const at = buckets.findIndex(({ count }) => count >= rank);
  if (at === buckets.length - 1) return buckets[at - 1]?.upper ?? Number.NaN;
  const bucket = buckets[at] as Bucket;
  if (at === 0 && bucket.upper <= 0) return bucket.upper;
  const below = at === 0 ? { upper: 0, count: 0 } : (buckets[at - 1] as Bucket);
  return below.upper + (bucket.upper - below.upper) * ((rank - below.count) / (bucket.count - below.count));
}

/** Rates of buckets that were scraped apart may fall a little; they must not. */
function monotonic(buckets: Bucket[]): Bucket[] {
  let most = Number.NEGATIVE_INFINITY;
  return buckets.map(({ upper, count }) => {
    most = Math.max(most, count);
    return { upper, count: most };
  });
}
