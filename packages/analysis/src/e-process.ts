import type { Tally } from './counts.js';
import type { EffectGrid } from './effect-grid.js';
import { LOG_ZERO, logAdd } from './log-sum.js';

// Bound once: these are the judge's innermost loops.
const { exp, log, max } = Math;

/**
 * An e-process E starts at 1, is never negative, and has expectation at most 1 at every stopping time while its null hypothesis holds.
 * By Ville's inequality P(E ever reaches 1/α) ≤ α, however often one looks: this is what lets a judge look at every window.
 * (Ramdas, Grünwald, Vovk, Shafer, Game-theoretic statistics and safe anytime-valid inference, Statistical Science 2023.)
 *
 * A mixture holds S_k per alternative k of its grid, where S_k = Σ over start windows j of prior_k · share_j · Π_{i ≥ j} L_i(k), as
 * S_k = part_k · e^scale with the largest part at 1: sums stay plain and products of thousands of errors cannot overflow.
 */
export interface Mixture {
  scale: number;
  parts: readonly number[];
}

/** What is tolerated: p_canary ≤ ratio · p_stable + margin. */
export interface Tolerance {
  ratio: number;
  margin: number;
}

/** log of one window's likelihood ratio for the alternative `ratio` (its log given too). */
export type Increment = (ratio: number, logRatio: number) => number;

/** A mixture on which `spent` of the start-time prior has been placed already, with no evidence yet. */
export function startMixture(grid: EffectGrid, spent: number): Mixture {
  return { scale: spent > 0 ? log(spent) : LOG_ZERO, parts: grid.prior };
}

/** S_k ← (S_k + prior_k · share) · L(k)^(1/φ): a new start window joins, then the window's evidence counts for all. */
export function advance(mixture: Mixture, grid: EffectGrid, share: number, burst: number, increment: Increment): Mixture {
  const logShare = share > 0 ? log(share) : LOG_ZERO;
  const reference = max(mixture.scale, logShare);
  const old = exp(mixture.scale - reference);
  const fresh = exp(logShare - reference);
  const points = grid.ratio.length;
  const logs = new Array<number>(points);
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < points; k++) {
    const log = increment(grid.ratio[k] as number, grid.logRatio[k] as number) / burst;
    logs[k] = log;
    if (log > most) most = log;
  }
  const parts = new Array<number>(points);
  let largest = 0;
  for (let k = 0; k < points; k++) {
    const joined = old * (mixture.parts[k] as number) + fresh * (grid.prior[k] as number);
    const part = joined * exp((logs[k] as number) - most);
    parts[k] = part;
    if (part > largest) largest = part;
  }
  if (largest === 0) return { scale: LOG_ZERO, parts };
  for (let k = 0; k < points; k++) parts[k] = (parts[k] as number) / largest;
  return { scale: reference + most + log(largest), parts };
}

/** log Σ S_k: the evidence of what is placed. */
export function logPlaced(mixture: Mixture): number {
  let sum = 0;
  for (const part of mixture.parts) sum += part;
  return sum > 0 ? mixture.scale + log(sum) : LOG_ZERO;
}

/** log E: what the mixture holds plus the share of the prior that is not placed yet (each unplaced bet is still worth its stake). */
export function logEvidence(mixture: Mixture, spent: number): number {
  const unspent = 1 - spent;
  return unspent > 1e-15 ? logAdd(logPlaced(mixture), log(unspent)) : logPlaced(mixture);
}

/**
 * The fail side: evidence that p_B > ψ₀ p_A + m, from one window's n_A, e_A of stable and n_B, e_B of the canary. For ψ = ψ₀ · ratio:
 *
 *     a = (n_A + ψ₀ n_B) / (n_A + ψ n_B)      b = (ψ / ψ₀) a      log L = e_A log a + e_B log b − n_B m (b − 1)
 *
 * Given an error, this bets that it is the canary's more often than its share of the exposure explains, as the count test of Lindon & Malek
 * (Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022) does, with a tolerance and with shares that may change each window.
 *
 * Why E[L] ≤ 1 under the null, whatever p_A is in this window: E[a^e_A b^e_B] = (1 + p_A (a−1))^n_A (1 + p_B (b−1))^n_B
 * ≤ exp(n_A p_A (a−1) + n_B p_B (b−1)) by 1 + x ≤ eˣ; with p_B ≤ ψ₀ p_A + m and b ≥ 1 that is at most
 * exp(p_A [n_A (a−1) + ψ₀ n_B (b−1)] + n_B m (b−1)), and a is chosen so that the bracket is 0. The last term of log L takes the rest away.
 * Events in Poisson clusters of size s ≤ φ: the chord inequality a^(s/φ) − 1 ≤ (s/φ)(a − 1) gives the same for L^(1/φ).
 */
export function worseThan(tolerance: Tolerance, stable: Tally, canary: Tally): Increment {
  if (canary.n <= 0 || stable.n <= 0) return none;
  const { ratio: tolerated, margin } = tolerance;
  const exposure = stable.n + tolerated * canary.n;
  return (ratio, logRatio) => {
    const a = exposure / (stable.n + tolerated * ratio * canary.n);
    const logA = log(a);
    return stable.e * logA + canary.e * (logRatio + logA) - canary.n * margin * (ratio * a - 1);
  };
}

/**
 * The pass side: evidence that p_B < ψ₁ p_A + m₁, the smallest harm that is refused. For ψ = ψ₁ · ratio with ratio < 1, a and b as above
 * with ψ₁ for ψ₀ (now a > 1 > b): log L = e_A log a + e_B log b + n_B m₁ (1 − b). The same proof with b − 1 < 0. The last term is
 * what every request without an error earns, so it works even where stable has no errors at all.
 */
export function betterThan(refused: Tolerance, stable: Tally, canary: Tally): Increment {
  // The formula is the fail side's: only the side of 1 on which `ratio` lies differs.
  return worseThan(refused, stable, canary);
}

/**
 * One sample against a fixed rate: evidence that p > p₀. log L = e log b − n p₀ (b − 1), b = ratio > 1; E[L] ≤ 1 for every p ≤ p₀ by the
 * same 1 + x ≤ eˣ (a Poisson likelihood ratio).
 */
export function above(rate: number, sample: Tally): Increment {
  return (ratio, logRatio) => sample.e * logRatio - sample.n * rate * (ratio - 1);
}

const none: Increment = () => 0;
