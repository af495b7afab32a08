import { type EngineView, engineWords } from '@slipway/cluster';
import { nameOf, type Verdict } from '../verdicts.js';
import type { EngineState } from './engine-state.js';

/** The controller is at work on something that Slipway did not begin. */
export function busy(view: EngineView): Verdict {
  return {
    outcome: 'fail',
    reason: 'ENGINE_BUSY',
    summary: `${engineWords(view)}: an update to ${view.image.desired} that Slipway did not begin is on its way. Nothing was changed.`,
    next: ['Wait until it has ended; or run `start` with that image to take it over, or `abort` to send it back.'],
  };
}

export function notReady(view: EngineView): Verdict {
  return {
    outcome: 'fail',
    reason: 'ENGINE_NOT_READY',
    summary: `${engineWords(view)}: the controller has not set the service up yet. Nothing was changed.`,
    next: ['Wait until it is Healthy (Argo Rollouts) or Initialized (Flagger), then run this again.'],
  };
}

export function suspended(view: EngineView): Verdict {
  return {
    outcome: 'fail',
    reason: 'ENGINE_SUSPENDED',
    summary: `${view.object} is held (${view.held}), so a release would not begin. Nothing was changed.`,
    next: ['Find out who held it and why, undo that, then run this again.'],
  };
}

export function withoutSteps(view: EngineView): Verdict {
  return {
    outcome: 'error',
    reason: 'ROLLOUT_WITHOUT_STRATEGY',
    summary: `${view.object} has no steps with weights, so its controller would replace all pods at once. Nothing was changed.`,
    next: ['Give it steps; or run `promote` with the image, which releases without a canary.'],
  };
}

/** The controller waits for what Slipway cannot decide. */
export function heldElsewhere(state: EngineState, view: EngineView): Verdict {
  return {
    outcome: 'hold',
    reason: 'ENGINE_HELD',
    summary: `${nameOf(state)}: ${engineWords(view)} and waits: ${view.held}.`,
    next: ['Decide what it waits for, then run this again; or run `abort`.'],
  };
}

export function beingPromoted(state: EngineState): Verdict {
  return {
    outcome: 'pass',
    reason: 'PROMOTING',
    summary: `${nameOf(state)} is past its last step; its controller is promoting it.`,
    next: ['Run `promote` to see it to its end.'],
  };
}
