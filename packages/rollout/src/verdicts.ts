import type { Outcome } from '@slipway/core';
import { measuredWeight, weightWords } from './measured-split.js';
import { type RolloutState, routingIn } from './state.js';
import type { StepConfig } from './target.js';

/** How a command ends: what the action's result says. */
export interface Verdict {
  outcome: Outcome;
  reason: string;
  summary: string;
  next?: string[];
}

/** `v1.4.0`, or the image where no version was given. */
export function nameOf(state: RolloutState): string {
  return state.version ?? state.image.to;
}

/** The end of a command whose step is in place. */
export function stepInForce(state: RolloutState): Verdict {
  const { steps } = state.target;
  const last = state.step >= steps.length - 1;
  const paused = state.paused ? [`It is paused (${state.paused.why}): run \`resume\` before what comes next.`] : [];
  return {
    outcome: 'pass',
    reason: 'STEP_IN_FORCE',
    summary: `${usersOf(state)} (step ${state.step + 1} of ${steps.length}).`,
    next: ['Run `canary-analyze` to judge this step.', last ? 'When it passes, run `promote`.' : 'When it passes, run `step`.', ...paused],
  };
}

/** Counting pods gives a share of the connections that is only about right. */
function usersOf(state: RolloutState): string {
  if (state.target.traffic.router !== 'replicas' || !state.split) return `${meets(state)} ${nameOf(state)}${measuredWords(state)}`;
  const measured = Math.round(measuredWeight(state));
  const asked = measured === state.weight ? '' : `; ${state.weight} % was asked`;
  return `About ${measured} % of users meet ${nameOf(state)}: ${state.split.words}${asked}`;
}

/** `10 % of users meet`, `Nobody but a mirror of 10 % of requests meets`. */
function meets(state: RolloutState): string {
  const { weight, mirror, match } = routingIn(state);
  const besides = [...(match ? ['requests with the header or cookie'] : []), ...(mirror > 0 ? [`copies of ${mirror} % of requests`] : [])];
  if (weight > 0) return `${weight} % of users${besides.length > 0 ? ` (and ${besides.join(', ')})` : ''} meet`;
  return besides.length > 0 ? `No users but ${besides.join(' and ')} meet` : 'No user meets';
}

function measuredWords({ split }: RolloutState): string {
  return split?.measured === undefined ? '' : `; ${split.measured}`;
}

export function alreadyReleased(image: string): Verdict {
  return { outcome: 'skipped', reason: 'ALREADY_RELEASED', summary: `${image} is what all users meet already.` };
}

export function inProgress(state: RolloutState, image: string): Verdict {
  return {
    outcome: 'fail',
    reason: 'ROLLOUT_IN_PROGRESS',
    summary: `A rollout of ${state.image.to} (${state.id}) is at ${weightWords(state)}; ${image} cannot begin before it has ended. Nothing was changed.`,
    next: [
      'Run `abort` to send users back to the former version, or finish it (`step`, `promote`); then run this again.',
      'To send it back in the same run, give `supersede`.',
      ...seen(state),
    ],
  };
}

export function lastStep(state: RolloutState, what: string): Verdict {
  return {
    outcome: 'skipped',
    reason: 'LAST_STEP',
    summary: `${what} (${weightWords(state)}); there is no further step.`,
    next: ['Run `promote`.'],
  };
}

export function notForward(state: RolloutState, weight: number): Verdict {
  return {
    outcome: 'error',
    reason: 'WEIGHT_NOT_FORWARD',
    summary: `A step to ${weight} % is not forward: ${weightWords(state)} of users meet ${nameOf(state)} already. Nothing was changed.`,
    next: ['Give a larger weight, or run `abort` to send users back.'],
  };
}

export function notAllOrNothing(weight: number): Verdict {
  return {
    outcome: 'error',
    reason: 'WEIGHT_IMPOSSIBLE',
    summary: `Blue/green sends nobody or everybody to the new version; ${weight} % is neither. Nothing was changed.`,
    next: ['Leave `weight` out, or use `strategy: canary`.'],
  };
}

export function stepsRemaining(state: RolloutState, remaining: readonly StepConfig[]): Verdict {
  const left =
    remaining.length > 0
      ? `the steps ${remaining.map((step) => `${step.weight} %`).join(', ')} are still to come`
      : 'its last step is not in force yet';
  return {
    outcome: 'fail',
    reason: 'STEPS_REMAINING',
    summary: `${nameOf(state)} is at ${weightWords(state)} and ${left}. Nothing was changed.`,
    next: [
      remaining.length > 0 ? 'Run `step`, then `canary-analyze`, for each.' : 'Run `start` or `step` again to bring it about.',
      'To leave them out on purpose, run `promote` with `weight: 100`.',
    ],
  };
}

export function configChanged(state: RolloutState): Verdict {
  return {
    outcome: 'error',
    reason: 'CONFIG_CHANGED',
    summary: `The service's settings in slipway.yml are not those with which ${state.id} began; a rollout is judged by the rules it began with.`,
    next: ['Restore the settings, or run `promote` or `abort` (both go by the rules it began with) and begin anew.'],
  };
}

/** What a command that needs a rollout gets when there is none. A release that is through already is not a failure of a re-run. */
export function withoutRollout(state: RolloutState | undefined, command: string): Verdict {
  if (state?.phase === 'promoted') {
    return {
      outcome: 'skipped',
      reason: 'ALREADY_RELEASED',
      summary: `${nameOf(state)} was promoted at ${state.finishedAt}; there is nothing to ${command}.`,
    };
  }
  if (state && state.phase !== 'none') {
    const verb = state.phase === 'undone' ? 'rolled back' : 'aborted';
    return {
      outcome: 'fail',
      reason: 'ROLLOUT_ABORTED',
      summary: `The rollout of ${nameOf(state)} was ${verb}: ${state.ended?.summary ?? 'no reason recorded'}`,
      next: ['Mend the cause, then begin a new rollout with `start`.', ...seen(state)],
    };
  }
  return {
    outcome: 'fail',
    reason: 'NO_ROLLOUT',
    summary: `No rollout has begun, so there is nothing to ${command}.`,
    next: ['Run `start` with an `image` first.'],
  };
}

/** Nobody decided yet: a hold, as an undecided judge is one. */
export function isPaused(state: RolloutState, { at, by, why }: NonNullable<RolloutState['paused']>): Verdict {
  return {
    outcome: 'hold',
    reason: 'ROLLOUT_PAUSED',
    summary: `${nameOf(state)} is paused at ${weightWords(state)} since ${at}, by ${by}: ${sentence(why)} Nothing was moved.`,
    next: ['Run `resume`, then this again. `abort` sends users back.'],
  };
}

export function pausedNow(state: RolloutState, { by, why }: NonNullable<RolloutState['paused']>): Verdict {
  return {
    outcome: 'pass',
    reason: 'ROLLOUT_PAUSED',
    summary: `${nameOf(state)} is paused at ${weightWords(state)}, by ${by}: ${sentence(why)}`,
    next: ['Run `resume` to let it go on, `abort` to send users back.'],
  };
}

export function resumed(state: RolloutState): Verdict {
  return {
    outcome: 'pass',
    reason: 'ROLLOUT_RESUMED',
    summary: `${nameOf(state)} may go on from ${weightWords(state)}.`,
    next: ['Run `step` or `promote`.'],
  };
}

export function notPaused(state: RolloutState): Verdict {
  return { outcome: 'skipped', reason: 'NOTHING_TO_DO', summary: `${nameOf(state)} is not paused.` };
}

export function tooLateToPause(state: RolloutState): Verdict {
  return {
    outcome: 'fail',
    reason: 'NOT_PAUSABLE',
    summary: `${nameOf(state)} is ${state.phase}, which comes to its end by itself. Nothing was changed.`,
    next: ['To send users back, run `abort`.'],
  };
}

function sentence(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}

export function nothingToDo(state: RolloutState | undefined): Verdict {
  const why = state ? `the last rollout (${state.id}) is ${state.phase}` : 'no such rollout is on record';
  return { outcome: 'skipped', reason: 'NOTHING_TO_DO', summary: `There is nothing to send back: ${why}.` };
}

/** The rollout was written while it was looked at, so its run is alive. */
export function somebodyWorks(state: RolloutState): Verdict {
  return {
    outcome: 'skipped',
    reason: 'SOMEBODY_WORKS',
    summary: `${nameOf(state)} is ${state.phase}, and its run is alive: it was written while it was being looked at. Nothing was changed.`,
  };
}

export function alreadyGood(state: RolloutState): Verdict {
  const was =
    state.phase === 'undone' ? 'was rolled back before' : state.phase === 'aborted' ? 'was aborted' : 'is not what the Deployment runs';
  return { outcome: 'skipped', reason: 'ALREADY_GOOD', summary: `${state.image.from} serves all users already: ${nameOf(state)} ${was}.` };
}

export function changedSince(state: RolloutState, image: string): Verdict {
  return {
    outcome: 'fail',
    reason: 'WORKLOAD_CHANGED',
    summary: `The Deployment runs ${image}, which is neither the release (${state.image.to}) nor what was good before it (${state.image.from}); somebody else changed it. Nothing was changed.`,
    next: [`Find out who did; kubectl -n ${state.target.namespace} rollout history deployment/${state.target.workload}`],
  };
}

function seen(state: RolloutState): string[] {
  return state.runUrl === null ? [] : [`It was begun by ${state.runUrl}.`];
}
