import { type EngineView, endOf } from '@slipway/cluster';
import { goingBack } from '../accept.js';
import type { Command } from '../command.js';
import { isReRun } from '../re-run.js';
import { isActive, isGoingBack, type RolloutState } from '../state.js';
import {
  alreadyGood,
  alreadyReleased,
  changedSince,
  configChanged,
  inProgress,
  isPaused,
  lastStep,
  nothingToDo,
  notPaused,
  pausedNow,
  resumed,
  somebodyWorks,
  stepInForce,
  stepsRemaining,
  tooLateToPause,
  type Verdict,
  withoutRollout,
} from '../verdicts.js';
import type { Beginning, EngineState } from './engine-state.js';
import { busy, notReady, suspended, withoutSteps } from './engine-verdicts.js';

/** As Acceptance of a native rollout; `hold`, `resume`: the controller is told so, and then it ends. */
export type EngineAcceptance =
  | { kind: 'begin'; beginning: Beginning }
  | { kind: 'take-back'; why: { reason: string; summary: string } }
  | { kind: 'go'; state: EngineState }
  | { kind: 'finish'; state: EngineState }
  | { kind: 'end'; verdict: Verdict; state?: EngineState; first?: 'hold' | 'resume' };

interface Asker {
  configHash: string;
  holder: string;
  now: string;
}

/** Whether and how a command fits where the rollout and its controller stand. Pure. */
export function acceptEngine(command: Command, state: RolloutState | undefined, view: EngineView, at: Asker): EngineAcceptance {
  const active = isActive(state) ? (state as EngineState) : undefined;
  const back = command.kind === 'abort' || command.kind === 'roll-back';
  if (active && isGoingBack(active) && !back) return { kind: 'finish', state: active };
  switch (command.kind) {
    case 'start':
      return active ? startAgain(command.image, active, at) : begin('canary', command, view);
    case 'step':
      return active ? step(active, at) : end(withoutRollout(state, 'step'));
    case 'promote':
      if (active) return promote(command, active, view);
      return command.image === undefined
        ? end(withoutRollout(state, 'promote'))
        : begin('rolling', { image: command.image, version: command.version }, view);
    case 'abort':
      return active ? goBack(active, command) : unrecorded(state, view, command);
    case 'roll-back':
      return active ? rollBackActive(active, command) : rollBack(command, state, view);
    case 'pause':
      return active ? pause(active, command.why, at) : end(withoutRollout(state, 'pause'));
    case 'resume':
      return active ? resume(active) : end(withoutRollout(state, 'resume'));
  }
}

function begin(kind: Beginning['kind'], { image, version }: { image: string; version: string | null }, view: EngineView): EngineAcceptance {
  const { desired, stable } = view.image;
  if (view.standing === 'unready') return end(notReady(view));
  if (view.standing === 'stable' && stable === image && desired === image) return end(alreadyReleased(image));
  const atWork = view.standing === 'underway' || view.standing === 'promoting' || view.standing === 'unseen';
  if (atWork && desired !== image) return end(busy(view));
  if (!atWork && (view.held === 'spec.paused' || view.held === 'spec.suspend')) return end(suspended(view));
  if (kind === 'canary' && view.steps.length === 0) return end(withoutSteps(view));
  return { kind: 'begin', beginning: { kind, image, version } };
}

function startAgain(image: string, state: EngineState, at: Asker): EngineAcceptance {
  if (state.image.to !== image || state.kind === 'rolling') return end(inProgress(state, image));
  if (state.paused) return end(isPaused(state, state.paused));
  if (state.phase === 'promoting') return { kind: 'go', state };
  return state.stepStartedAt === null ? { kind: 'go', state: mine(state, at) } : end(stepInForce(state), mine(state, at));
}

function step(state: EngineState, at: Asker): EngineAcceptance {
  if (state.phase === 'promoting') return end(lastStep(state, 'It is being promoted already'));
  if (state.paused) return end(isPaused(state, state.paused));
  if (state.configHash !== at.configHash) return end(configChanged(state));
  if (state.stepStartedAt === null) return { kind: 'go', state: mine(state, at) };
  if (isReRun(state.stepBy, at.holder)) return end(stepInForce(state), mine(state, at));
  if (state.step >= state.target.steps.length - 1) return end(lastStep(state, 'It is at its last step'));
  return { kind: 'go', state: { ...mine(state, at), stepStartedAt: null, engine: { ...state.engine, from: state.step } } };
}

function promote(command: Extract<Command, { kind: 'promote' }>, state: EngineState, view: EngineView): EngineAcceptance {
  if (command.image !== undefined && command.image !== state.image.to) return end(inProgress(state, command.image));
  if (state.phase === 'promoting') return { kind: 'go', state };
  if (state.paused) return end(isPaused(state, state.paused));
  const full = command.weight === 100;
  const remaining = state.target.steps.slice(view.step + 1);
  const stops = view.held !== null || view.steps.slice(view.step + 1).some(({ pause }) => pause === null);
  const waits = state.stepStartedAt === null;
  if (!full && (waits || (remaining.length > 0 && stops))) return end(stepsRemaining(state, remaining));
  return { kind: 'go', state: { ...state, phase: 'promoting', engine: { ...state.engine, full, from: view.step } } };
}

function goBack(state: EngineState, why: { reason: string; summary: string }): EngineAcceptance {
  return { kind: 'go', state: isGoingBack(state) ? state : (goingBack(state, 'aborting', why) as EngineState) };
}

/** Nothing is on record, but the controller is at work: a person said abort, and means that. */
function unrecorded(state: RolloutState | undefined, view: EngineView, why: { reason: string; summary: string }): EngineAcceptance {
  const atWork = ['underway', 'promoting', 'unseen', 'aborted'].includes(view.standing) && view.image.desired !== view.image.stable;
  return atWork && view.image.stable !== null ? { kind: 'take-back', why } : end(nothingToDo(state));
}

function rollBackActive(state: EngineState, command: Extract<Command, { kind: 'roll-back' }>): EngineAcceptance {
  if (command.image !== undefined && state.image.to !== command.image) return end(nothingToDo(undefined));
  const changed = command.generation !== undefined && command.generation !== state.generation && !isGoingBack(state);
  return changed ? end(somebodyWorks(state)) : goBack(state, command);
}

function rollBack(command: Extract<Command, { kind: 'roll-back' }>, state: RolloutState | undefined, view: EngineView): EngineAcceptance {
  if (state === undefined || (command.image !== undefined && state.image.to !== command.image)) return end(nothingToDo(undefined));
  if (command.onlyUnfinished) return end(nothingToDo(state));
  if (state.phase !== 'promoted' || endOf(view, state.image.from) === 'promoted') return end(alreadyGood(state));
  if (view.image.desired !== state.image.to) return end(changedSince(state, view.image.desired));
  return { kind: 'go', state: goingBack(state, 'undoing', command) as EngineState };
}

function pause(state: EngineState, why: string, at: Asker): EngineAcceptance {
  if (state.phase === 'promoting' || isGoingBack(state)) return end(tooLateToPause(state));
  const paused = state.paused ?? { at: at.now, by: at.holder, why };
  return { ...end(pausedNow(state, paused), { ...state, paused }), first: 'hold' };
}

function resume(state: EngineState): EngineAcceptance {
  const { paused, ...going } = state;
  return paused ? { ...end(resumed(state), going), first: 'resume' } : end(notPaused(state));
}

function mine(state: EngineState, { holder }: Asker): EngineState {
  return { ...state, stepBy: holder };
}

function end(verdict: Verdict, state?: EngineState): Extract<EngineAcceptance, { kind: 'end' }> {
  return state === undefined ? { kind: 'end', verdict } : { kind: 'end', verdict, state };
}
