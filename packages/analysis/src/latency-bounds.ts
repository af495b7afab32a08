import { slowerThan, timedOf } from './counts.js';
import type { Counts } from './types.js';

/** A bucket bound whose exceedance is judged like an error. */
export interface LatencyBound {
  /** Index into the plan's bounds. */
  index: number;
  /** Seconds. */
  seconds: number;
  /** Share of stable's requests that are slower, when it was chosen. */
  share: number;
  /** Index of the first bound at least three times as far, for the catastrophic tier; null: there is none. */
  far: number | null;
}

const farFactor = 3;
const targets = [0.5, 0.1, 0.01];
/** Fewer measured requests than this do not tell where p90 is. */
const fewestForBounds = 100;

/**
 * Turns quantiles into counts: the bounds nearest to stable's p50, p90 and p99, and the first bound not below the service level objective.
 * A slow-down of 30 % is about three times as many requests above the old p99, far easier to see than a moved p99. Chosen from stable's
 * requests that are not judged themselves (history, or windows before the first judged one). Null: too few requests to choose from.
 */
export function chooseBounds(stable: Counts, bounds: readonly number[], slo: number | undefined): LatencyBound[] | null {
  if (timedOf(stable) < fewestForBounds) return null;
  const all = bounds.map((seconds, index) => boundAt(stable, bounds, index, seconds));
  const chosen = new Set<LatencyBound>();
  for (const target of targets) {
    const seen = all.filter((bound) => bound.share > 0 && bound.share < 1);
    const nearest = seen.sort((x, y) => distance(x.share, target) - distance(y.share, target))[0];
    if (nearest) chosen.add(nearest);
  }
  const objective = slo === undefined ? undefined : all.find((bound) => bound.seconds >= slo - 1e-9);
  if (objective) chosen.add(objective);
  return [...chosen].sort((x, y) => x.index - y.index);
}

function boundAt(stable: Counts, bounds: readonly number[], index: number, seconds: number): LatencyBound {
  const { n, e } = slowerThan(stable, index);
  const far = bounds.findIndex((bound) => bound >= farFactor * seconds - 1e-9);
  return { index, seconds, share: e / n, far: far < 0 ? null : far };
}

function distance(share: number, target: number): number {
  return Math.abs(Math.log(share / target));
}
