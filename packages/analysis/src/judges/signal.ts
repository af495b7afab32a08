import { burstFactor, joinWindows } from '../burst-factor.js';
import { upperBound } from '../clopper-pearson.js';
import { errorsOf, slowerThan, type Tally } from '../counts.js';
import {
  above,
  advance,
  betterThan,
  type Increment,
  logEvidence,
  logPlaced,
  type Mixture,
  startMixture,
  type Tolerance,
  worseThan,
} from '../e-process.js';
import { type EffectGrid, effectGrid, passGrid } from '../effect-grid.js';
import type { JudgeSettings } from '../judge-config.js';
import type { LatencyBound } from '../latency-bounds.js';
import { LOG_ZERO } from '../log-sum.js';
import type { Counts } from '../types.js';

/** What is judged of the requests: that they failed, or that they took longer than one latency bound. */
export interface Signal {
  metric: 'errors' | 'latency';
  bound: LatencyBound | null;
  /** Burst factor φ, and stable's windows from which it is still being learnt; null: history told it. */
  burst: number;
  /** φ of the catastrophic tier, which speaks before anything is known of bursts. */
  earlyBurst: number;
  learning: Tally[] | null;
  /** Requests to warm pods against stable. */
  standard: Mixture;
  /** All requests, from the first, against a far wider tolerance: cold pods may be slow and fail a little. */
  catastrophic: Mixture;
  /** Warm requests against stable's past; null without a usable past, or since stable itself left it. */
  history: { upper: number; canary: Mixture; stable: Mixture } | null;
  /** Whether there was a usable past at the start. */
  past: boolean;
  pass: Mixture;
}

export type Component = 'standard' | 'catastrophic' | 'history';

/** One window as a signal sees it. */
export interface SignalWindow {
  stable: Counts;
  canary: Counts;
  /** The canary's requests to warm pods; null: there are none. */
  warm: Counts | null;
}

const catastrophicErrors: Tolerance = { ratio: 5, margin: 0.03 };
/** For latency the catastrophic tier compares the canary at three times the bound, so that the ratio need not be wide. */
const catastrophicLatency: Tolerance = { ratio: 1.25, margin: 0.03 };
/** Logs of the parts of a signal's evidence; which of the two holds is known before the first window. */
const logSharesWithPast = { standard: Math.log(0.6), catastrophic: Math.log(0.15), history: Math.log(0.25) };
const logSharesWithoutPast = { standard: Math.log(0.8), catastrophic: Math.log(0.2), history: LOG_ZERO };
/** Confidence that stable's past rate lies below `upper`. */
const historyConfidence = 0.99;
/** Evidence that stable itself is above its past at which the past is no longer used. */
const vetoAt = Math.log(5);
/** A history with this many events tells φ well; with fewer, stable's windows of the rollout are added. */
const eventsForBurst = 200;
const longestLearning = 180;
/** The history's share of that: its windows are joined to at most so many. */
const mostPast = 60;
const burstBeforeKnown = 3;

/** `spent`: the part of the start-time prior that earlier windows took, when the signal joins late. */
export function startSignal(
  metric: Signal['metric'],
  bound: LatencyBound | null,
  history: readonly Counts[],
  settings: JudgeSettings,
  spent: number,
): Signal {
  const past = history.map((counts) => readSignal({ bound }, counts));
  const n = past.reduce((sum, tally) => sum + tally.n, 0);
  const e = past.reduce((sum, tally) => sum + tally.e, 0);
  const burst = burstFactor(past);
  const earlyBurst = burstFactor(past, burstBeforeKnown);
  const upper = upperBound(e / burst, n / burst, historyConfidence);
  const grid = gridOf(bound);
  const usable = settings.tolerated.ratio * upper + settings.tolerated.margin < 0.8;
  return {
    metric,
    bound,
    burst,
    earlyBurst,
    learning: e >= eventsForBurst ? null : joinWindows(past, mostPast),
    standard: startMixture(grid, spent),
    catastrophic: startMixture(grid, spent),
    history: usable ? { upper, canary: startMixture(grid, spent), stable: startMixture(grid, spent) } : null,
    past: usable,
    pass: startMixture(passGrid, 1),
  };
}

/** The event counts of this signal in these counts. */
export function readSignal(signal: Pick<Signal, 'bound'>, counts: Counts): Tally {
  return signal.bound ? slowerThan(counts, signal.bound.index) : errorsOf(counts);
}

/** Adds one window; `share` is its part of the start-time prior, `spent` what is placed with it. */
export function observeSignal(signal: Signal, window: SignalWindow, settings: JudgeSettings, share: number, spent: number): Signal {
  const grid = gridOf(signal.bound);
  const stable = readSignal(signal, window.stable);
  const warm = window.warm ? readSignal(signal, window.warm) : { n: 0, e: 0 };
  const { tolerated, refused } = settings;
  const step = (mixture: Mixture, increment: Increment) => advance(mixture, grid, share, signal.burst, increment);
  return {
    ...signal,
    standard: step(signal.standard, worseThan(tolerated, stable, warm)),
    catastrophic: advance(signal.catastrophic, grid, share, signal.earlyBurst, catastrophicIncrement(signal.bound, window)),
    history: observeHistory(signal.history, step, tolerated, stable, warm, spent),
    pass: advance(signal.pass, passGrid, 0, signal.burst, betterThan(refused, stable, warm)),
    ...learnBurst(signal, stable),
  };
}

/** What is learnt of bursts is used from the next window on: a factor must not depend on the window that it tempers. */
function learnBurst(signal: Signal, stable: Tally): Pick<Signal, 'burst' | 'earlyBurst' | 'learning'> {
  const { learning } = signal;
  if (!learning || learning.length >= longestLearning) return { learning, burst: signal.burst, earlyBurst: signal.earlyBurst };
  const more = [...learning, stable];
  return { learning: more, burst: burstFactor(more), earlyBurst: burstFactor(more, burstBeforeKnown) };
}

function catastrophicIncrement(bound: LatencyBound | null, window: SignalWindow) {
  if (!bound) return worseThan(catastrophicErrors, errorsOf(window.stable), errorsOf(window.canary));
  if (bound.far === null) return () => 0;
  return worseThan(catastrophicLatency, slowerThan(window.stable, bound.index), slowerThan(window.canary, bound.far));
}

/**
 * Outside the proof: it needs a past that still holds. So stable is tested against the same past, and once it leaves it (an outage of a
 * dependency, another time of day), the component is given up for the rest of the rollout.
 */
function observeHistory(
  history: Signal['history'],
  step: (mixture: Mixture, increment: Increment) => Mixture,
  tolerated: Tolerance,
  stable: Tally,
  warm: Tally,
  spent: number,
): Signal['history'] {
  if (!history) return null;
  const reference = step(history.stable, above(history.upper + tolerated.margin, stable));
  if (logEvidence(reference, spent) >= vetoAt) return null;
  return { ...history, stable: reference, canary: step(history.canary, above(historicRate(history.upper, tolerated), warm)) };
}

function historicRate(upper: number, tolerated: Tolerance): number {
  return Math.min(1, tolerated.ratio * upper + tolerated.margin);
}

/** log of each component's evidence times its share of the signal: their sum is an average of e-processes, which is one again. */
export function signalEvidence(signal: Signal, spent: number): Record<Component, number> {
  const shares = signal.past ? logSharesWithPast : logSharesWithoutPast;
  return {
    standard: shares.standard + logEvidence(signal.standard, spent),
    catastrophic: shares.catastrophic + logEvidence(signal.catastrophic, spent),
    // A component that was given up keeps no evidence: its stake is lost.
    history: signal.history ? shares.history + logEvidence(signal.history.canary, spent) : LOG_ZERO,
  };
}

/** log of the evidence that the harm is smaller than what is refused. */
export function passEvidence(signal: Signal): number {
  return logPlaced(signal.pass);
}

const errorGrid = effectGrid();
const latencyGrids = new Map<number, EffectGrid>();

function gridOf(bound: LatencyBound | null): EffectGrid {
  if (!bound) return errorGrid;
  // No more than all requests can be slow. Two digits, so that few grids are made and a stored state finds the same one again.
  const most = bound.share > 0 ? Math.round(100 / (1.25 * bound.share)) / 100 : 60;
  const known = latencyGrids.get(most) ?? effectGrid(most);
  latencyGrids.set(most, known);
  return known;
}
