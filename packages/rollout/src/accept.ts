import type { Routing } from '@slipway/cluster';
import type { Circumstances, Command } from './command.js';
import { isReRun } from './re-run.js';
import { isActive, isGoingBack, type RolloutState } from './state.js';
import { type RolloutTarget, routingOf, type StepConfig } from './target.js';
import {
  alreadyGood,
  alreadyReleased,
  changedSince,
  configChanged,
  inProgress,
  isPaused,
  lastStep,
  nameOf,
  notAllOrNothing,
  notForward,
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
} from './verdicts.js';

/**
 * What becomes of a command:
 * `begin`: a new rollout; `go`: the state that must be brought about (`answer` is then the end, unless it goes wrong); `finish`: the way back
 * that was begun must be finished first, then the command is put again; `end`: nothing is to be done.
 */
export type Acceptance =
  | { kind: 'begin'; rollout: 'canary' | 'rolling'; image: string; version: string | null; weight: number; step: number }
  | { kind: 'go'; state: RolloutState }
  | { kind: 'finish'; state: RolloutState }
  | { kind: 'end'; verdict: Verdict; state?: RolloutState };

/** Whether and how `command` fits where the rollout stands. Pure: every rule about the order of commands is here. */
export function accept(
  command: Command,
  state: RolloutState | undefined,
  target: Pick<RolloutTarget, 'strategy' | 'steps'>,
  at: Circumstances,
): Acceptance {
  switch (command.kind) {
    case 'start':
      return acceptStart(command, state, target, at);
    case 'step':
      return acceptStep(command, state, at);
    case 'promote':
      return acceptPromote(command, state, at);
    case 'pause':
      return acceptPause(command, state, at);
    case 'resume':
      return acceptResume(state);
    case 'abort':
      return acceptAbort(command, state);
    case 'roll-back':
      return acceptRollBack(command, state, at);
  }
}

function acceptStart(
  command: Extract<Command, { kind: 'start' }>,
  state: RolloutState | undefined,
  target: Pick<RolloutTarget, 'strategy' | 'steps'>,
  at: Circumstances,
): Acceptance {
  const { image, version } = command;
  if (!isActive(state)) {
    if (at.stableImage === image) return end(alreadyReleased(image));
    if (isHalf(command.weight, target)) return end(notAllOrNothing(command.weight));
    // What served not long ago need not be tried on a few users first.
    if (target.strategy === 'rolling' || at.recentImages.includes(image))
      return { kind: 'begin', rollout: 'rolling', image, version, weight: 0, step: -1 };
    return { kind: 'begin', rollout: 'canary', image, version, ...firstStep(target.steps, command.weight) };
  }
  if (isGoingBack(state)) return { kind: 'finish', state };
  if (state.image.to !== image && command.supersede) {
    const why = { reason: 'SUPERSEDED', summary: `${image} takes its place.` };
    return { kind: 'finish', state: goingBack(state, 'aborting', why) };
  }
  if (state.image.to !== command.image || state.kind === 'rolling') return end(inProgress(state, command.image));
  if (state.phase === 'promoting') {
    return end({
      outcome: 'pass',
      reason: 'PROMOTING',
      summary: `${nameOf(state)} is being promoted already.`,
      next: ['Run `promote` to finish it.'],
    });
  }
  // Somebody may have put the route back by hand.
  if (state.stepStartedAt !== null && !at.inForce) return { kind: 'go', state: { ...mine(state, at), stepStartedAt: null } };
  if (state.stepStartedAt !== null) return end(stepInForce(state), mine(state, at));
  return state.paused ? end(isPaused(state, state.paused)) : { kind: 'go', state: mine(state, at) };
}

function acceptStep(command: Extract<Command, { kind: 'step' }>, state: RolloutState | undefined, at: Circumstances): Acceptance {
  if (!isActive(state)) return end(withoutRollout(state, 'step'));
  if (isGoingBack(state)) return { kind: 'finish', state };
  if (state.phase === 'promoting') return end(lastStep(state, `${nameOf(state)} is being promoted already`));
  if (state.configHash !== at.configHash) return end(configChanged(state));
  if (state.paused) return end(isPaused(state, state.paused));
  if (isHalf(command.weight, state.target)) return end(notAllOrNothing(command.weight));
  // A step that was being brought about when a run ended was not watched yet: bring it about, and no more.
  if (state.stepStartedAt === null) return { kind: 'go', state: mine(state, at) };
  if (command.weight !== undefined && command.weight === state.weight) return end(stepInForce(state), mine(state, at));
  if (isReRun(state.stepBy, at.holder)) return end(stepInForce(state), mine(state, at));
  const next = nextStep(state, command.weight);
  if (next === undefined) return end(lastStep(state, `${nameOf(state)} is at its last step`));
  // Steps that no user meets may follow each other.
  if (next.weight < state.weight || (next.weight === state.weight && next.weight > 0)) return end(notForward(state, next.weight));
  return { kind: 'go', state: { ...mine(state, at), phase: 'progressing', ...next, stepStartedAt: null } };
}

function acceptPromote(command: Extract<Command, { kind: 'promote' }>, state: RolloutState | undefined, at: Circumstances): Acceptance {
  const { image, version } = command;
  if (!isActive(state)) {
    if (image === undefined) return end(withoutRollout(state, 'promote'));
    if (at.stableImage === image) return end(alreadyReleased(image));
    return { kind: 'begin', rollout: 'rolling', image, version, weight: 0, step: -1 };
  }
  if (isGoingBack(state)) return { kind: 'finish', state };
  if (image !== undefined && image !== state.image.to) return end(inProgress(state, image));
  if (state.phase === 'promoting') return { kind: 'go', state };
  if (state.paused) return end(isPaused(state, state.paused));
  const remaining = state.target.steps.slice(state.step + 1);
  const allDone = state.stepStartedAt !== null && remaining.length === 0;
  if (!allDone && command.weight !== 100) return end(stepsRemaining(state, remaining));
  return { kind: 'go', state: { ...state, phase: 'promoting' } };
}

function acceptPause({ why }: Extract<Command, { kind: 'pause' }>, state: RolloutState | undefined, at: Circumstances): Acceptance {
  if (!isActive(state)) return end(withoutRollout(state, 'pause'));
  if (isGoingBack(state) || state.phase === 'promoting') return end(tooLateToPause(state));
  const paused = state.paused ?? { at: at.now, by: at.holder, why };
  return end(pausedNow(state, paused), { ...state, paused });
}

function acceptResume(state: RolloutState | undefined): Acceptance {
  if (!isActive(state)) return end(withoutRollout(state, 'resume'));
  const { paused, ...going } = state;
  return paused ? end(resumed(state), going) : end(notPaused(state));
}

function acceptAbort(command: Extract<Command, { kind: 'abort' }>, state: RolloutState | undefined): Acceptance {
  if (!isActive(state)) return end(nothingToDo(state));
  return { kind: 'go', state: isGoingBack(state) ? state : goingBack(state, 'aborting', command) };
}

function acceptRollBack(command: Extract<Command, { kind: 'roll-back' }>, state: RolloutState | undefined, at: Circumstances): Acceptance {
  if (state === undefined || (command.image !== undefined && state.image.to !== command.image)) return end(nothingToDo(undefined));
  if (isGoingBack(state)) return { kind: 'go', state };
  if (isActive(state)) {
    const changed = command.generation !== undefined && command.generation !== state.generation;
    return changed ? end(somebodyWorks(state)) : { kind: 'go', state: goingBack(state, 'aborting', command) };
  }
  if (command.onlyUnfinished) return end(nothingToDo(state));
  // One automatic rollback per rollout: after `undone` there is nothing more to take back.
  if (state.phase !== 'promoted' || at.stableImage === state.image.from) return end(alreadyGood(state));
  if (at.stableImage !== state.image.to) return end(changedSince(state, at.stableImage));
  return { kind: 'go', state: goingBack(state, 'undoing', command) };
}

/** The state in which users are sent back, with why. Pure. */
export function goingBack(state: RolloutState, phase: 'aborting' | 'undoing', why: { reason: string; summary: string }): RolloutState {
  return { ...state, phase, ended: { reason: why.reason, summary: why.summary }, stepStartedAt: null, finishedAt: null };
}

/** The step after the one in force; a weight that slipway.yml does not name takes the place of the next step's. */
function nextStep(state: RolloutState, weight: number | undefined): (Routing & { step: number }) | undefined {
  const { steps } = state.target;
  const named = steps.findIndex((step, index) => index > state.step && step.weight === weight);
  const index = named >= 0 ? named : state.step + 1;
  const step = steps[index];
  return step && { step: index, ...routingOf(step), ...(weight === undefined ? {} : { weight }) };
}

/** Blue/green knows nobody and everybody. */
function isHalf(weight: number | undefined, { strategy }: Pick<RolloutTarget, 'strategy'>): weight is number {
  return strategy === 'blue-green' && weight !== undefined && weight !== 100;
}

/** A weight that is asked for takes the place of the first step's, or begins with the step of that weight. */
function firstStep(steps: readonly StepConfig[], weight: number | undefined): { weight: number; step: number } {
  const step = Math.max(
    0,
    steps.findIndex((each) => each.weight === weight),
  );
  return { step, weight: weight ?? steps[step]?.weight ?? 10 };
}

function mine(state: RolloutState, at: Circumstances): RolloutState {
  return { ...state, stepBy: at.holder };
}

function end(verdict: Verdict, state?: RolloutState): Acceptance {
  return state === undefined ? { kind: 'end', verdict } : { kind: 'end', verdict, state };
}
