import { addCounts, countsProblem, errorsOf, noCounts, sumCounts } from '../counts.js';
import type { JudgeSettings } from '../judge-config.js';
import { chooseBounds, type LatencyBound } from '../latency-bounds.js';
import { startPrior, stepsWithin, takeShare } from '../start-prior.js';
import type { AnalysisPlan, Counts, Judge, WeightStep, Window } from '../types.js';
import { findFailure } from './anytime-failure.js';
import { anytimeJudgement } from './anytime-judgement.js';
import { type AnytimeState, asAnytimeState } from './anytime-state.js';
import { observeErrorLimit, startErrorLimit } from './error-limit.js';
import { rememberPods } from './pod-scope.js';
import { observeSignal, type Signal, startSignal } from './signal.js';
import { stepInForce, warmCounts } from './warm.js';

/**
 * The default judge. It may be looked at after every window and still rolls back a release within its tolerance with probability at most α.
 *
 * Signals (errors; latency above a few bounds) each carry three e-processes for "worse than tolerated": `standard` (warm requests against
 * stable, window by window), `catastrophic` (all requests, wide tolerance, from the first one on) and `history` (warm requests against
 * stable's past). All of them and the error limit are averaged with fixed weights; the average is an e-process, whatever their
 * dependence, and `fail` is its reaching 1/α. `pass` asks every signal for evidence of 1/β that the harm is below what is refused. Else
 * `inconclusive`.
 */
export function anytimeValidJudge(settings: JudgeSettings): Judge<AnytimeState> {
  return {
    name: 'anytime-valid',
    start: (plan) => start(plan, settings),
    observe: (state, window) => observe(asAnytimeState(state), window, settings),
    judge: (state, atEnd) => anytimeJudgement(asAnytimeState(state), atEnd, settings),
    step: (state, step) => addStep(asAnytimeState(state), step),
  };
}

function start(plan: AnalysisPlan, settings: JudgeSettings): AnytimeState {
  const history = plan.history.filter((counts) => countsProblem(counts, plan.bounds.length) === null);
  const none = noCounts(plan.bounds.length);
  const past = sumCounts(history, plan.bounds.length);
  const chosen = plan.bounds.length > 0 ? chooseBounds(past, plan.bounds, settings.slo) : [];
  const latency = (chosen ?? []).map((bound) => startSignal('latency', bound, history, settings, 0));
  return {
    schema: 1,
    window: plan.window,
    bounds: plan.bounds,
    steps: [...plan.steps],
    prior: startPrior(plan.end / plan.window),
    last: 0,
    signals: [startSignal('errors', null, history, settings, 0), ...latency],
    limit: startErrorLimit(),
    scout: chosen ? null : past,
    podWindows: [],
    totals: { stable: none, canary: none, warm: none },
    judged: 0,
    dropped: 0,
    silent: 0,
    failure: null,
  };
}

function addStep(state: AnytimeState, step: WeightStep): AnytimeState {
  const others = state.steps.filter((known) => known.at !== step.at);
  return { ...state, steps: [...others, step].sort((x, y) => x.at - y.at) };
}

function observe(state: AnytimeState, window: Window, settings: JudgeSettings): AnytimeState {
  if (state.failure) return state;
  const { stable, canary } = window;
  if (!stable || !canary || !isSound(window, state.bounds.length)) {
    return { ...state, dropped: state.dropped + 1, silent: state.silent + 1 };
  }
  const step = stepInForce(state.steps, window.t, state.window);
  const warm = warmCounts(window, canary, state.window, step, settings.warmUp);
  const { share, next: prior } = takeShare(state.prior, stepsWithin(state.steps, state.last - state.window, window.t - state.window));
  const signals = state.signals.map((signal) => observeSignal(signal, { stable, canary, warm }, settings, share, prior.spent));
  const { totals } = state;
  const seen: AnytimeState = {
    ...state,
    prior,
    last: window.t,
    signals,
    limit: observeErrorLimit(state.limit, step, warm ? errorsOf(warm) : { n: 0, e: 0 }, share, state.signals[0]?.burst ?? 1),
    podWindows: rememberPods(state.podWindows, window, signals, state.window, settings.warmUp),
    totals: {
      stable: addCounts(totals.stable, stable),
      canary: addCounts(totals.canary, canary),
      warm: warm ? addCounts(totals.warm, warm) : totals.warm,
    },
    judged: state.judged + 1,
    silent: canary.n === 0 && expectsRequests(step, stable) ? state.silent + 1 : 0,
  };
  const scouted = scoutBounds(seen, stable, settings);
  return { ...scouted, failure: findFailure(scouted, settings) };
}

function isSound(window: Window, bounds: number): boolean {
  const all: (Counts | null)[] = [window.stable, window.canary, ...(window.pods ?? [])];
  return (
    Number.isFinite(window.t) &&
    all.every((counts) => counts === null || countsProblem(counts, bounds) === null) &&
    (window.pods ?? []).every((pod) => Number.isFinite(pod.age))
  );
}

/** Without enough history the bounds come from stable's first windows; those windows are not judged with them, so the test stays exact. */
function scoutBounds(state: AnytimeState, stable: Counts, settings: JudgeSettings): AnytimeState {
  if (!state.scout) return state;
  const scout = addCounts(state.scout, stable);
  const chosen = chooseBounds(scout, state.bounds, settings.slo);
  if (!chosen) return { ...state, scout };
  return { ...state, scout: null, signals: [...state.signals, ...chosen.map((bound) => lateSignal(bound, settings, state.prior.spent))] };
}

function lateSignal(bound: LatencyBound, settings: JudgeSettings, spent: number): Signal {
  return startSignal('latency', bound, [], settings, spent);
}

/** Whether at the weight in force a canary that serves at all would have been seen in this window. */
function expectsRequests(step: WeightStep | undefined, stable: Counts): boolean {
  const weight = step?.weight ?? 0;
  return weight > 0 && weight < 100 && (stable.n * weight) / (100 - weight) >= 5;
}
