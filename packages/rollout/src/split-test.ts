/** Requests that each track answered in the same time. */
export interface SplitCounts {
  stable: number;
  canary: number;
}

/** Below this probability a split does not come from the wanted weight. */
const IMPROBABLE = 0.001;
/** Requests that must have come before everybody is said to meet the canary. */
const FEWEST = 5;

/**
 * The sample-ratio test: whether requests that were counted come from a split of `weight` percent (1–100), two-sided and exact (binomial).
 * `unknown`: so few were counted that a split of nobody, or of everybody, would pass, too. Pure.
 */
export function splitVerdict({ stable, canary }: SplitCounts, weight: number, improbable = IMPROBABLE): 'agrees' | 'differs' | 'unknown' {
  const n = stable + canary;
  const share = weight / 100;
  const differs = (k: number) => binomialTail(n, k, share) < improbable / 2;
  if (weight === 100) return stable > 0 ? 'differs' : n < FEWEST ? 'unknown' : 'agrees';
  if (differs(canary)) return 'differs';
  return differs(0) && differs(n) ? 'agrees' : 'unknown';
}

/** The smaller of P(X ≤ k) and P(X ≥ k) for X ~ Binomial(n, p), 0 < p < 1: summed from k outwards, where terms fall. Exact to 10 digits. */
export function binomialTail(n: number, k: number, p: number): number {
  if (n === 0) return 1;
  const down = k <= n * p;
  let term = Math.exp(logBinomial(n, k) + k * Math.log(p) + (n - k) * Math.log1p(-p));
  let sum = 0;
  for (let i = k; i >= 0 && i <= n && term > sum * 1e-12; i += down ? -1 : 1) {
    sum += term;
    term *= down ? (i / (n - i + 1)) * ((1 - p) / p) : ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return Math.min(1, sum);
}

function logBinomial(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Stirling's series; below 20 the product itself. */
function logFactorial(n: number): number {
  if (n < 20) return Math.log(Array.from({ length: n }, (_, i) => i + 1).reduce((product, i) => product * i, 1));
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}
