import { lowerBound } from '../clopper-pearson.js';
import type { Tally } from '../counts.js';
import { above, advance, logEvidence, type Mixture, startMixture } from '../e-process.js';
import { effectGrid } from '../effect-grid.js';
import type { WeightStep } from '../types.js';

/**
 * The absolute limit on the canary's error rate that a step may set (`max-error-rate`), next to the comparison with stable.
 * While the step runs: an anytime-valid one-sample test of "the rate is at most the limit", part of the rollout's budget. At the end of the
 * step: `fail` when the observed rate is above the limit and an exact test at 1 % says that chance does not explain it. Above the limit
 * without that is no proof, but no pass either, when there were enough requests (the limit allows ten errors in them) or chance has to be
 * stretched (20 %): two errors in 150 requests do not contradict a limit of 1 %.
 */
export interface ErrorLimit {
  mixture: Mixture;
  /** Warm requests since the step in force began. */
  since: number;
  seen: Tally;
}

const grid = effectGrid();
const confidenceAtEnd = 0.99;
const confidenceOfDoubt = 0.8;
const enoughErrors = 10;

export function startErrorLimit(): ErrorLimit {
  return { mixture: startMixture(grid, 0), since: 0, seen: { n: 0, e: 0 } };
}

export function observeErrorLimit(limit: ErrorLimit, step: WeightStep | undefined, warm: Tally, share: number, burst: number): ErrorLimit {
  const since = step?.at ?? 0;
  const before = since === limit.since ? limit.seen : { n: 0, e: 0 };
  const increment = step?.maxErrorRate === undefined ? () => 0 : above(step.maxErrorRate, warm);
  return {
    mixture: advance(limit.mixture, grid, share, burst, increment),
    since,
    seen: { n: before.n + warm.n, e: before.e + warm.e },
  };
}

export function errorLimitEvidence(limit: ErrorLimit, spent: number): number {
  return logEvidence(limit.mixture, spent);
}

/** What the end of the step says of the observed rate; errors that come `burst` at a time are that much less evidence. */
export function limitAtEnd(limit: ErrorLimit, step: WeightStep | undefined, burst: number): 'kept' | 'above' | 'surely above' {
  const allowed = step?.maxErrorRate;
  const { n, e } = limit.seen;
  if (allowed === undefined || n <= 0 || e / n <= allowed) return 'kept';
  const surely = (confidence: number) => lowerBound(e / burst, n / burst, confidence) > allowed;
  if (surely(confidenceAtEnd)) return 'surely above';
  return n * allowed >= enoughErrors || surely(confidenceOfDoubt) ? 'above' : 'kept';
}
