import { timedOf } from './counts.js';
import type { Counts } from './types.js';

/**
 * The q-quantile of latency in seconds, by linear interpolation inside its bucket, as Prometheus' `histogram_quantile` does: the first
 * bucket begins at 0, and a quantile above the last bound is reported as that bound (`beyond` says so). Null without requests or buckets.
 */
export function latencyQuantile(counts: Counts, bounds: readonly number[], q: number): { seconds: number; beyond: boolean } | null {
  const total = timedOf(counts);
  const last = bounds.at(-1);
  if (total <= 0 || last === undefined) return null;
  const rank = q * total;
  const index = counts.b.findIndex((count) => count >= rank);
  if (index < 0) return { seconds: last, beyond: true };
  const upper = bounds[index] ?? last;
  const lower = index === 0 ? 0 : (bounds[index - 1] ?? 0);
  const below = index === 0 ? 0 : (counts.b[index - 1] ?? 0);
  const inside = (counts.b[index] ?? 0) - below;
  return { seconds: inside > 0 ? lower + ((upper - lower) * (rank - below)) / inside : upper, beyond: false };
}
