import type { Command } from './command.js';
import type { RolloutState } from './state.js';
import { nameOf, stepInForce, type Verdict } from './verdicts.js';

/** What a command came to, from the state in which the rollout rests after it. Pure. */
export function settledVerdict(command: Command, state: RolloutState): Verdict {
  switch (state.phase) {
    case 'progressing':
      return stepInForce(state);
    case 'promoted':
      return { outcome: 'pass', reason: 'PROMOTED', summary: `All users meet ${nameOf(state)}.` };
    case 'undone':
      return { outcome: 'pass', reason: 'ROLLED_BACK', summary: `All users are back on ${state.image.from}: ${why(state)}` };
    case 'aborted':
      return command.kind === 'abort' || command.kind === 'roll-back' ? aborted(command, state) : tookItBack(state);
    default:
      throw new Error(`a rollout cannot rest while it is ${state.phase}`);
  }
}

function aborted(command: Command, state: RolloutState): Verdict {
  return {
    outcome: 'pass',
    reason: command.kind === 'abort' ? 'ABORTED' : 'ROLLED_BACK',
    summary: `All users meet ${state.image.from}; the rollout of ${nameOf(state)} was aborted: ${why(state)}`,
  };
}

function tookItBack(state: RolloutState): Verdict {
  return {
    outcome: 'fail',
    reason: state.ended?.reason ?? 'ROLLOUT_ABORTED',
    summary: `${nameOf(state)} was taken back, and all users meet ${state.image.from}: ${why(state)}`,
    next: ['Mend the cause, then begin a new rollout with `start`.'],
  };
}

function why(state: RolloutState): string {
  return state.ended?.summary ?? 'no reason recorded.';
}
