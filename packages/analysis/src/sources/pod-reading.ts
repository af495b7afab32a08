import type { CounterSample, CounterSeries, Counts } from '../types.js';

/** What was read of one pod. */
export interface PodReading {
  counters: Counts;
  bounds: readonly number[];
  startedAt?: number;
}

interface ReadPod {
  id: string;
  track: 'stable' | 'canary';
  startedAt?: number;
  readyAt?: number;
  /** A sentence instead: why there is nothing. */
  reading: PodReading | string;
}

/**
 * Puts the pods' readings into one sample. All must have the same latency buckets; a pod with others is left out and named. A pod that
 * has not been asked anything yet may not show its buckets: its counts are zero for each of them.
 */
export function assembleSample(pods: readonly ReadPod[], at: number, earlierProblems: readonly string[] = []): CounterSample {
  const problems = [...earlierProblems];
  const series: CounterSeries[] = [];
  const bounds = commonBounds(pods);
  for (const { id, track, startedAt, readyAt, reading } of pods) {
    if (typeof reading === 'string') {
      problems.push(`${id}: ${reading}`);
      continue;
    }
    const idle = isIdle(reading);
    if (!idle && String(reading.bounds) !== String(bounds)) {
      problems.push(`${id}: its latency buckets [${reading.bounds}] differ from the other pods' [${bounds}]; left out`);
      continue;
    }
    const started = reading.startedAt ?? startedAt;
    series.push({
      id,
      track,
      ...(started === undefined ? {} : { startedAt: started }),
      ...(readyAt === undefined ? {} : { readyAt }),
      counters: idle ? { n: 0, e: 0, b: new Array<number>(bounds.length).fill(0) } : reading.counters,
    });
  }
  return { at, bounds, series, problems };
}

function isIdle({ counters, bounds }: PodReading): boolean {
  return counters.n === 0 && bounds.length === 0;
}

/** The buckets that most pods have, so that one odd pod does not leave out all others. */
function commonBounds(pods: readonly ReadPod[]): readonly number[] {
  const votes = new Map<string, { bounds: readonly number[]; count: number }>();
  for (const { reading } of pods) {
    if (typeof reading === 'string' || isIdle(reading)) continue;
    const key = String(reading.bounds);
    votes.set(key, { bounds: reading.bounds, count: (votes.get(key)?.count ?? 0) + 1 });
  }
  return [...votes.values()].sort((x, y) => y.count - x.count)[0]?.bounds ?? [];
}

/**
 * A cumulative histogram from its buckets, added up over all other labels. A sentence instead when it cannot be one: a bound that is no
 * number, series with different buckets, no `+Inf`, counts that fall from one bound to the next.
 */
export function readBuckets(
  buckets: readonly { le: string | undefined; value: number }[],
): { bounds: number[]; counters: Pick<Counts, 'b' | 'timed'> } | string {
  const sums = new Map<number, { value: number; series: number }>();
  for (const { le, value } of buckets) {
    const bound = readBound(le);
    if (bound === undefined) return `a bucket with le=${JSON.stringify(le ?? null)}`;
    const sum = sums.get(bound) ?? { value: 0, series: 0 };
    sums.set(bound, { value: sum.value + value, series: sum.series + 1 });
  }
  if (sums.size === 0) return { bounds: [], counters: { b: [] } };
  const ordered = [...sums].sort(([x], [y]) => x - y);
  if (new Set(ordered.map(([, { series }]) => series)).size > 1) return 'its series have different buckets';
  const total = sums.get(Number.POSITIVE_INFINITY)?.value;
  if (total === undefined) return 'it has no +Inf bucket';
  if (ordered.some(([, { value }], i) => value < (ordered[i - 1]?.[1].value ?? 0))) return 'its buckets are not cumulative';
  const finite = ordered.filter(([bound]) => Number.isFinite(bound));
  return { bounds: finite.map(([bound]) => bound), counters: { b: finite.map(([, { value }]) => value), timed: total } };
}

function readBound(le: string | undefined): number | undefined {
  if (le === '+Inf') return Number.POSITIVE_INFINITY;
  const bound = le === undefined || le.trim() === '' ? Number.NaN : Number(le);
  return Number.isFinite(bound) && bound > 0 ? bound : undefined;
}
