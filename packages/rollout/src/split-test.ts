/** Requests that each track answered in the same time. */
export interface SplitCounts {
  stable: number;
  canary: number;
}

/** Below this probability a split does not come from the wanted weight. */
const IMPROBABLE = 0.001;
/** With fewer requests of a track expected, nothing can be told apart from nobody. */
const FEWEST = 5;

/**
 * The sample-ratio test: whether requests that were counted come from a split of `weight` percent, two-sided and exact (binomial). `unknown`:
 * so few were counted that a split of nobody, or of everybody, would look the same. Pure.
 */
export function splitVerdict({ stable, canary }: SplitCounts, weight: number): 'agrees' | 'differs' | 'unknown' {
  const n = stable + canary;
  const share = weight / 100;
  if (weight === 100) return n < FEWEST ? 'unknown' : stable === 0 ? 'agrees' : 'differs';
  if (binomialTail(n, canary, share) < IMPROBABLE / 2) return 'differs';
  return n * Math.min(share, 1 - share) < FEWEST ? 'unknown' : 'agrees';
}

/** The smaller of P(X ≤ k) and P(X ≥ k) for X ~ Binomial(n, p): summed from k outwards, where terms fall. */
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
