import type { Context } from '@slipway/core';

const name = 'rollout-unfinished';

/**
 * Runs the part of an action that moves traffic, and notes for `post` whether it came to its end: a run that was cancelled or killed left
 * something to clean up, one that was refused or failed by an error did not.
 */
export async function noteUnfinished<T>({ state, signal }: Pick<Context, 'state' | 'signal'>, body: () => Promise<T>): Promise<T> {
  state.set(name, 'true');
  try {
    return await body();
  } finally {
    if (!signal.aborted) state.set(name, 'false');
  }
}

/** Whether `main` did not come to its end. */
export function wasUnfinished({ state }: Pick<Context, 'state'>): boolean {
  return state.get(name) === 'true';
}
