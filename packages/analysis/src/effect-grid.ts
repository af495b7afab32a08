/**
 * The alternatives that a mixture bets on: how many times the tolerated rate the canary's rate might be.
 * `logRatio` and `prior` belong to `ratio` by index; the priors sum to 1.
 */
export interface EffectGrid {
  ratio: readonly number[];
  logRatio: readonly number[];
  prior: readonly number[];
}

const smallest = 1.1;
const largest = 60;
/** Most bad releases that matter are a few times too bad; a quarter of the prior is spread evenly for those that are not. */
const centre = Math.log(3.5);
const spread = 0.9;
const even = 0.25;

/**
 * Log-spaced ratios from 1.1 to 60, or to `most` when the rate cannot grow further (half of all requests are slower than the median
 * already). With 2.5 points per factor e at most
 * a few percent of the growth rate are lost between two points.
 */
export function effectGrid(most = largest): EffectGrid {
  const high = Math.max(1.2, Math.min(largest, most));
  const low = Math.min(smallest, Math.sqrt(high));
  const points = Math.max(4, Math.ceil(2.5 * Math.log(high / low)));
  const logRatio = Array.from({ length: points }, (_, k) => Math.log(low) + (Math.log(high / low) * k) / (points - 1));
  const bell = logRatio.map((x) => Math.exp(-((x - centre) ** 2) / (2 * spread ** 2)));
  const area = bell.reduce((sum, x) => sum + x, 0);
  return {
    ratio: logRatio.map(Math.exp),
    logRatio,
    prior: bell.map((x) => even / points + ((1 - even) * x) / area),
  };
}

/** Rates below the refused harm, as shares of it, for the pass side: mostly "no worse than stable" and "no errors at all". */
export const passGrid: EffectGrid = gridOf([
  [0.02, 0.2],
  [0.15, 0.15],
  [0.35, 0.2],
  [0.5, 0.3],
  [0.7, 0.15],
]);

function gridOf(points: readonly (readonly [ratio: number, prior: number])[]): EffectGrid {
  return {
    ratio: points.map(([ratio]) => ratio),
    logRatio: points.map(([ratio]) => Math.log(ratio)),
    prior: points.map(([, prior]) => prior),
  };
}
