import { addCounts, countsProblem, errorRate, noCounts } from '../counts.js';
import type { ThresholdConfig } from '../judge-config.js';
import { latencyQuantile } from '../quantile.js';
import type { AnalysisPlan, Counts, Judge, Judgement, Verdict, Window } from '../types.js';
import { percent } from './explain.js';

/** Counts since the start of the analysis: the rule compares cumulative rates. Plain JSON. */
export interface ThresholdState {
  schema: 1;
  bounds: readonly number[];
  /** Seconds after which the rule speaks. */
  from: number;
  stable: Counts;
  canary: Counts;
  last: number;
  judged: number;
  dropped: number;
  failure: { at: number; metric: 'errors' | 'latency'; explanation: string } | null;
}

interface Rule {
  errorDifference: number;
  p99Ratio: number;
  minRequests: number;
  /** Seconds. */
  duration: number;
}

/**
 * The plain rule: after 300 s and 100 requests of each track, fail when the canary's error rate is more than 0.5 percentage points above
 * stable's or its p99 more than 10 % above; less data is inconclusive. What ends before that time fails for the same differences, but cannot
 * pass. Simple to explain and kept for comparison: it has no bound on false alarms (a 10 % difference of p99 is noise for a few thousand
 * requests, and pooling over weights misleads while the base rate drifts).
 */
export function thresholdJudge(config: ThresholdConfig = {}): Judge<ThresholdState> {
  const rule: Rule = {
    errorDifference: config.errorDifference ?? 0.005,
    p99Ratio: config.p99Ratio ?? 1.1,
    minRequests: config.minRequests ?? 100,
    duration: (config.duration ?? 300_000) / 1000,
  };
  return {
    name: 'threshold',
    start: (plan) => start(plan, rule),
    observe: (state, window) => observe(state, window, rule),
    judge: (state, final) => judgement(final ? atEnd(state, rule) : state, rule),
    step: (state) => state,
  };
}

function start(plan: AnalysisPlan, rule: Rule): ThresholdState {
  const none = noCounts(plan.bounds.length);
  const from = Math.min(rule.duration, plan.end);
  return { schema: 1, bounds: plan.bounds, from, stable: none, canary: none, last: 0, judged: 0, dropped: 0, failure: null };
}

function observe(state: ThresholdState, window: Window, rule: Rule): ThresholdState {
  if (state.failure) return state;
  const { stable, canary } = window;
  const sound = [stable, canary].every((counts) => counts && countsProblem(counts, state.bounds.length) === null);
  if (!stable || !canary || !sound) return { ...state, last: window.t, dropped: state.dropped + 1 };
  const next = {
    ...state,
    stable: addCounts(state.stable, stable),
    canary: addCounts(state.canary, canary),
    last: window.t,
    judged: state.judged + 1,
  };
  return speaks(next, rule) ? { ...next, failure: breach(next, rule) } : next;
}

/** What ends now will not be seen any better: the rule speaks before its time, though only against the canary. */
function atEnd(state: ThresholdState, rule: Rule): ThresholdState {
  return state.failure || !hasEnough(state, rule) ? state : { ...state, failure: breach(state, rule) };
}

function speaks(state: ThresholdState, rule: Rule): boolean {
  return state.last >= state.from - 1e-9 && hasEnough(state, rule);
}

function hasEnough({ stable, canary }: ThresholdState, rule: Rule): boolean {
  return Math.min(stable.n, canary.n) >= rule.minRequests;
}

function breach(state: ThresholdState, rule: Rule): ThresholdState['failure'] {
  const { stable, canary } = rates(state);
  if (canary.errors - stable.errors > rule.errorDifference) {
    const limit = `more than ${percent(rule.errorDifference)} above`;
    const explanation = `error rate ${percent(canary.errors)} against ${percent(stable.errors)} of stable: ${limit}`;
    return { at: state.last, metric: 'errors', explanation };
  }
  if (canary.p99 !== null && stable.p99 !== null && canary.p99 > stable.p99 * rule.p99Ratio) {
    const explanation = `p99 ${milliseconds(canary.p99)} against ${milliseconds(stable.p99)} of stable: more than ${rule.p99Ratio} times`;
    return { at: state.last, metric: 'latency', explanation };
  }
  return null;
}

function rates(state: ThresholdState) {
  const of = (counts: Counts) => ({ errors: errorRate(counts) ?? 0, p99: latencyQuantile(counts, state.bounds, 0.99)?.seconds ?? null });
  return { stable: of(state.stable), canary: of(state.canary) };
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`;
}

function judgement(state: ThresholdState, rule: Rule): Judgement {
  const { failure } = state;
  const verdict = verdictOf(state, rule);
  const { stable, canary } = rates(state);
  return {
    verdict,
    metric: failure?.metric ?? null,
    ...(failure ? { at: failure.at } : {}),
    scope: 'release',
    rollback: verdict === 'fail',
    explanation: failure?.explanation ?? explain(state, verdict, rule),
    // The rule has no e-values; what it compares is shown in their place, each against its own limit.
    evidence: {
      errors: { evidence: Math.max(0, canary.errors - stable.errors), limit: rule.errorDifference },
      ...(canary.p99 !== null && stable.p99 ? { latency: { evidence: canary.p99 / stable.p99, limit: rule.p99Ratio } } : {}),
    },
    totals: { stable: state.stable, canary: state.canary },
    windows: { judged: state.judged, dropped: state.dropped },
  };
}

function verdictOf(state: ThresholdState, rule: Rule): Verdict {
  if (state.failure) return 'fail';
  if (state.judged === 0 || state.canary.n === 0) return 'nodata';
  return speaks(state, rule) && state.judged >= state.dropped ? 'pass' : 'inconclusive';
}

function explain(state: ThresholdState, verdict: Verdict, rule: Rule): string {
  if (verdict === 'nodata') return `no requests of both tracks in ${state.judged + state.dropped} windows`;
  const { stable, canary } = rates(state);
  if (verdict === 'pass') return `error rate ${percent(canary.errors)} against ${percent(stable.errors)} of stable, within the limits`;
  const missing = `${state.canary.n} canary and ${state.stable.n} stable requests after ${state.last} s`;
  return `${missing}; the rule needs ${rule.minRequests} of each and ${state.from} s, with most windows complete`;
}
