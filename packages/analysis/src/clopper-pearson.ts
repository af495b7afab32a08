import { inverseRegularisedBeta } from './beta.js';

/**
 * One-sided bounds for a rate after `events` of `n` trials, each holding with probability at least `confidence` (Clopper & Pearson,
 * Biometrika 26, 1934). They are exact: conservative for every rate and every n. Without trials: 1 and 0. Counts need not be whole,
 * so that a number of effective trials can be given.
 */
export function upperBound(events: number, n: number, confidence: number): number {
  return events >= n ? 1 : inverseRegularisedBeta(confidence, events + 1, n - events);
}

/** See `upperBound`. */
export function lowerBound(events: number, n: number, confidence: number): number {
  return events <= 0 || n <= 0 ? 0 : inverseRegularisedBeta(1 - confidence, events, n - events + 1);
}
