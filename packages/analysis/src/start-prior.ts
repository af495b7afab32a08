import type { WeightStep } from './types.js';

/**
 * A prior over the window in which a fault begins, spent window by window. Half lies on the first window (most bad releases are bad at
 * once), a share on the first window of each later step, three tenths evenly on the planned windows, and a tail 1/(k(k+1)) for windows
 * after the planned end, so that the test can go on for ever. All shares depend on the plan alone, never on data, and sum to at most 1.
 */
export interface StartPrior {
  windows: number;
  /** Steps after the first that have begun. */
  steps: number;
  spent: number;
  planned: number;
}

const first = 1 / 2;
const steps = 1 / 6;
const evenly = 0.3;
const tail = 1 - first - steps - evenly;

export function startPrior(planned: number): StartPrior {
  return { windows: 0, steps: 0, spent: 0, planned: Math.max(1, Math.ceil(planned)) };
}

/** Takes the share of the next window; `stepBegins`: it is the first one of a later step. */
export function takeShare(prior: StartPrior, stepBegins: boolean): { share: number; next: StartPrior } {
  const late = prior.windows - prior.planned + 1;
  let share = late > 0 ? tail / (late * (late + 1)) : evenly / prior.planned;
  if (prior.windows === 0) share += first;
  else if (stepBegins) share += steps / 2 ** (prior.steps + 1);
  const stepCount = prior.steps + (stepBegins && prior.windows > 0 ? 1 : 0);
  return { share, next: { ...prior, windows: prior.windows + 1, steps: stepCount, spent: prior.spent + share } };
}

/** The steps that began after `from` and not after `to` (seconds), the first of all steps left out. */
export function stepsWithin(all: readonly WeightStep[], from: number, to: number): boolean {
  return all.some((step, i) => i > 0 && step.at > from && step.at <= to);
}
