import { noCounts, sumCounts } from '../counts.js';
import type { Counts, WeightStep, Window } from '../types.js';

/**
 * The canary's requests that went to warm pods in this window: of pods that were past warm-up when it began, or, when pods are not told
 * apart, all of them once the step in force is older than warm-up (each step brings new, cold pods). Null: none.
 */
export function warmCounts(window: Window, canary: Counts, length: number, step: WeightStep | undefined, warmUp: number): Counts | null {
  if (window.pods && window.pods.length > 0) {
    const warm = window.pods.filter((pod) => isWarm(pod.age, length, warmUp));
    if (warm.length === 0) return null;
    return warm.length === 1 ? (warm[0] ?? noCounts(canary.b.length)) : sumCounts(warm, canary.b.length);
  }
  return isWarm(window.t - (step?.at ?? 0), length, warmUp) ? canary : null;
}

/** Whether something `age` seconds old at the end of a window was past warm-up at its start. */
export function isWarm(age: number, length: number, warmUp: number): boolean {
  return age - length >= warmUp - 1e-9;
}

/** The step in force when a window ending at `t` began; undefined before the first. */
export function stepInForce(steps: readonly WeightStep[], t: number, length: number): WeightStep | undefined {
  const begin = t - length + 1e-9;
  let found: WeightStep | undefined;
  for (const step of steps) if (step.at <= begin && (!found || step.at >= found.at)) found = step;
  return found ?? steps[0];
}
