import {
  type CounterSample,
  type Counts,
  closeWindow,
  type Judge,
  type Judgement,
  type MetricsSource,
  type WeightStep,
  type Window,
} from '@slipway/analysis';
import { isCancellation, OperationError } from '@slipway/core';
import { measuredWeight } from './measured-split.js';
import type { Evidence, RolloutState, WindowRow } from './state.js';

/** How many windows the state keeps for the report. */
const ROWS = 12;

/** How many of stable's windows are kept for a bake. */
const PAST = 60;

/** A judge at work on one rollout: where counts come from, and what is frozen for the rollout. */
export interface Watch {
  judge: Judge;
  source: MetricsSource;
  /** Milliseconds. */
  window: number;
  /** Milliseconds of stable's past to ask for, where the source keeps any. */
  history: number;
}

/** The evidence with which the step in force is watched on: what was kept, or nothing yet. Pure. */
export function evidenceFor(state: RolloutState, judge: string): Evidence {
  const kept = state.evidence;
  const origin = kept?.origin ?? state.stepStartedAt ?? state.startedAt;
  if (kept === null || kept.judge !== judge)
    return { judge, origin, step: state.step, watched: 0, state: null, judgement: null, windows: [] };
  if (kept.step === state.step) return kept;
  const next = { ...kept, step: state.step, watched: 0 };
  // At 100 % stable has no users to compare with: a test of its own begins, against what stable was while it had them.
  return state.weight === 100 ? { ...next, state: null, judgement: null } : next;
}

/** Tells the judge what it has to know before the first window, or of the step that began since. */
export async function prepareJudge(
  evidence: Evidence,
  state: RolloutState,
  watch: Watch,
  bounds: readonly number[],
  signal: AbortSignal,
): Promise<Evidence> {
  const step = weightStep(state, evidence.origin);
  if (evidence.state !== null) return { ...evidence, state: watch.judge.step(evidence.state, step) };
  const past = state.weight === 100 && evidence.past ? evidence.past : await pastOf(watch, bounds, signal);
  const end = state.target.steps.reduce((sum, { duration }) => sum + duration, 0) / 1000;
  return { ...evidence, state: watch.judge.start({ window: watch.window / 1000, steps: [step], bounds, end, history: past }) };
}

async function pastOf({ source, history, window }: Watch, bounds: readonly number[], signal: AbortSignal): Promise<Counts[]> {
  if (!source.history || history <= 0) return [];
  try {
    const past = await source.history(history / 1000, window / 1000, signal);
    return String(past.bounds) === String(bounds) ? past.windows : [];
  } catch (error) {
    // Without a past the judge compares with stable alone; that is no reason not to judge.
    if (error instanceof OperationError) return [];
    throw error;
  }
}

/** The weight in force, from when it was in place. */
function weightStep(state: RolloutState, origin: string): WeightStep {
  const at = secondsSince(origin, Date.parse(state.stepStartedAt ?? origin));
  const { maxErrorRate } = state.target.steps[state.step] ?? {};
  return { at, weight: state.weight, ...(maxErrorRate === undefined ? {} : { maxErrorRate }) };
}

/** What a sample adds. `early`: the window began before the step's weight was in place, and says nothing of it. */
export type Observation = { kind: 'early' } | { kind: 'window'; evidence: Evidence; problems: string[] };

/** Judges the window between two samples; a sample that is missing is a window without counts, which is not the same as one without errors. */
export function observeWindow(
  evidence: Evidence,
  state: RolloutState,
  watch: Watch,
  before: CounterSample | null,
  after: CounterSample | null,
  now: number,
): Observation {
  const origin = Date.parse(evidence.origin);
  const closed = before && after ? closeWindow(before, after, origin) : { window: null, problems: after?.problems ?? [] };
  if (before && closed.window && before.at < Date.parse(state.stepStartedAt ?? evidence.origin) - 1) return { kind: 'early' };
  const window = closed.window ?? { t: secondsSince(evidence.origin, now), stable: null, canary: null };
  // Nothing was ever read, so the judge has not begun; the time counts all the same, or the step would never end.
  if (evidence.state === null)
    return {
      kind: 'window',
      evidence: { ...evidence, watched: evidence.watched + 1, windows: keep(evidence, rowOf(window, state, {})) },
      problems: [...closed.problems],
    };
  const past = pastWith(evidence, state, window);
  const judged = watch.judge.observe(evidence.state, window);
  const judgement = watch.judge.judge(judged, false);
  const windows = keep(evidence, rowOf(window, state, judgement.evidence));
  return {
    kind: 'window',
    evidence: { ...evidence, ...past, watched: evidence.watched + 1, state: judged, judgement, windows },
    problems: [...closed.problems],
  };
}

/** What a bake will compare with is kept only where one is to come. */
function pastWith({ past = [] }: Evidence, { weight, target }: RolloutState, { stable }: Window): Pick<Evidence, 'past'> {
  const bakes = target.steps.at(-1)?.weight === 100;
  if (!bakes || weight === 100 || !stable || stable.n === 0) return past.length > 0 ? { past } : {};
  return { past: [...past, stable].slice(-PAST) };
}

function keep({ windows }: Evidence, row: WindowRow): WindowRow[] {
  return [...windows, row].slice(-ROWS);
}

function rowOf({ t, stable, canary }: Window, state: RolloutState, evidence: WindowRow['evidence']): WindowRow {
  const short = (counts: Counts | null) => counts && { n: counts.n, e: counts.e };
  const weight = Math.round(measuredWeight(state));
  return { t, weight, stable: short(stable), canary: short(canary), evidence };
}

function secondsSince(origin: string, at: number): number {
  return Math.max(0, (at - Date.parse(origin)) / 1000);
}

/** The verdict when no more windows will come, with or without any. */
export function judgeAtEnd({ judge, window }: Watch, { state }: Evidence): Judgement {
  return judge.judge(state ?? judge.start({ window: window / 1000, steps: [], bounds: [], end: 1, history: [] }), true);
}

/** One look at the counters. Null: it brought nothing, and the window counts as missing; `warn` hears why. A lack of rights is an error. */
export async function lookOnce({ source }: Watch, signal: AbortSignal, warn: (problems: string[]) => void): Promise<CounterSample | null> {
  try {
    return await source.sample(signal);
  } catch (error) {
    if (isCancellation(error, signal) || !(error instanceof OperationError)) throw error;
    if (error.reason === 'FORBIDDEN' || error.reason === 'UNAUTHENTICATED') throw error;
    warn([error.message]);
    return null;
  }
}
