import { errorsOf } from '../counts.js';
import type { JudgeSettings } from '../judge-config.js';
import type { Judgement, Verdict } from '../types.js';
import { evidenceOf } from './anytime-failure.js';
import type { AnytimeState, Failure } from './anytime-state.js';
import { limitAtEnd } from './error-limit.js';
import { percent, tallyText } from './explain.js';
import { passEvidence, readSignal, type Signal } from './signal.js';
import { stepInForce } from './warm.js';

/** After this many silent windows in a row there is no pass: the canary may have stopped serving. */
const silentForNoPass = 3;

interface Decision {
  verdict: Verdict;
  metric: string | null;
  explanation: string;
}

export function anytimeJudgement(state: AnytimeState, atEnd: boolean, settings: JudgeSettings): Judgement {
  const { failure, totals } = state;
  const { verdict, metric, explanation } = failure ? failed(state, failure, settings) : undecided(state, atEnd, settings);
  return {
    verdict,
    metric,
    ...(verdict === 'fail' ? { at: failure?.at ?? state.last } : {}),
    scope: failure?.scope ?? 'release',
    rollback: verdict === 'fail',
    explanation,
    evidence: evidenceOf(state, settings),
    totals: { stable: totals.stable, canary: totals.canary },
    windows: { judged: state.judged, dropped: state.dropped },
  };
}

function failed(state: AnytimeState, failure: Failure, settings: JudgeSettings): Decision {
  const { metric, component } = failure;
  if (metric === 'error-limit') return overLimit(state, `at ${failure.at} s`);
  const signal = state.signals[failure.signal ?? 0];
  const read = (counts: AnytimeState['totals']['stable']) => (signal ? readSignal(signal, counts) : errorsOf(counts));
  const canary = read(component === 'catastrophic' ? state.totals.canary : state.totals.warm);
  const reference = component === 'history' ? "stable's past" : 'stable';
  const than =
    component === 'catastrophic'
      ? 'far worse than stable, even for cold pods'
      : `more than ${settings.tolerated.ratio} × ${reference} + ${percent(settings.tolerated.margin)}`;
  const what = eventName(signal);
  const where = failure.scope === 'release' ? '' : ` ${failure.scope.replace(':', ' ')} alone carries it;`;
  const explanation =
    `${metric}: ${tallyText(canary)} of the canary's requests ${what}, ${tallyText(read(state.totals.stable))} of stable's: ${than};` +
    `${where} evidence reached ${1 / settings.alpha} at ${failure.at} s (${component} component)`;
  return { verdict: 'fail', metric, explanation };
}

function eventName(signal: Signal | undefined): string {
  return signal?.bound ? `took longer than ${signal.bound.seconds} s` : 'failed';
}

function overLimit(state: AnytimeState, when: string): Decision {
  const step = stepInForce(state.steps, state.last, state.window);
  const seen = `${tallyText(state.limit.seen)} of the canary's requests failed in this step`;
  const explanation = `error-limit: ${seen}, above its limit of ${percent(step?.maxErrorRate ?? 0)}, ${when}`;
  return { verdict: 'fail', metric: 'error-limit', explanation };
}

function undecided(state: AnytimeState, atEnd: boolean, settings: JudgeSettings): Decision {
  const open = (verdict: Verdict, explanation: string): Decision => ({ verdict, metric: null, explanation });
  if (state.judged === 0) return open('nodata', `no window with counts of both tracks (${state.dropped} incomplete)`);
  if (state.totals.canary.n === 0) return open('nodata', `no request reached the canary in ${state.judged} windows`);
  const limit = limitAtEnd(state.limit, stepInForce(state.steps, state.last, state.window), state.signals[0]?.burst ?? 1);
  if (atEnd && limit === 'surely above') return overLimit(state, 'at the end of the step, beyond what chance explains (1 %)');
  if (limit !== 'kept')
    return open(
      'inconclusive',
      `${tallyText(state.limit.seen)} of the canary's requests failed: above the step's limit, but chance may explain it`,
    );
  if (state.silent >= silentForNoPass) return open('inconclusive', `nothing was seen of the canary in the last ${state.silent} windows`);
  if (state.dropped > state.judged)
    return open('inconclusive', `${state.dropped} of ${state.judged + state.dropped} windows are incomplete`);
  return weighPass(state, settings);
}

function weighPass(state: AnytimeState, settings: JudgeSettings): Decision {
  const needed = -Math.log(settings.beta);
  const { refused } = settings;
  const harm = `${refused.ratio} × stable + ${percent(refused.margin)}`;
  const { canary, stable } = state.totals;
  const seen = `${tallyText(errorsOf(canary))} of the canary's requests failed, ${tallyText(errorsOf(stable))} of stable's`;
  const short = state.signals.filter((signal) => passEvidence(signal) < needed);
  if (short.length === 0 && state.scout === null) {
    return { verdict: 'pass', metric: null, explanation: `${seen}; a harm of ${harm} is ruled out for ${signalNames(state)}` };
  }
  const waiting = state.scout ? [...short.map(signalName), 'latency (bounds not chosen yet)'] : short.map(signalName);
  const more = state.scout ? null : requestsNeeded(state, short, needed);
  const hint = more === null ? '' : `; needs about ${more} more requests to warm canary pods at this rate of evidence`;
  return {
    verdict: 'inconclusive',
    metric: null,
    explanation: `${seen}; a harm of ${harm} is not ruled out yet for ${waiting.join(', ')}${hint}`,
  };
}

/** What the slowest signal still needs, from what its requests brought so far; null while they brought nothing. */
function requestsNeeded(state: AnytimeState, short: readonly Signal[], needed: number): number | null {
  const { n } = state.totals.warm;
  const estimates = short.map((signal) => (n * (needed - passEvidence(signal))) / passEvidence(signal));
  const most = Math.max(...estimates);
  return n > 0 && estimates.every((estimate) => estimate > 0) && Number.isFinite(most) ? Math.ceil(most / 10) * 10 : null;
}

function signalNames(state: AnytimeState): string {
  return state.signals.map(signalName).join(', ');
}

function signalName(signal: Signal): string {
  return signal.bound ? `latency above ${signal.bound.seconds} s` : 'errors';
}
