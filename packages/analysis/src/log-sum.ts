// Bound once: these are the judge's innermost loops.
const { exp, log, log1p, max, min } = Math;

/** Stands for log 0 in states that must survive JSON, which has no infinities. Far below any sum of increments that can occur. */
export const LOG_ZERO = -1e12;

/** log(eˣ + eʸ) without overflow. */
export function logAdd(x: number, y: number): number {
  const high = max(x, y);
  const low = min(x, y);
  const gap = low - high;
  return gap < -40 ? high : high + log1p(exp(gap));
}

/** log Σ eˣ without overflow; LOG_ZERO for an empty list. */
export function logSumExp(terms: readonly number[]): number {
  let high = LOG_ZERO;
  for (const term of terms) if (term > high) high = term;
  let sum = 0;
  for (const term of terms) sum += exp(term - high);
  return sum > 0 ? high + log(sum) : LOG_ZERO;
}

/** eˣ, held finite so that it can be written as JSON. */
export function finiteExp(x: number): number {
  return exp(min(x, 690));
}
