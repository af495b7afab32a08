import type { Capacity } from '@slipway/cluster';
import type { RolloutState } from './state.js';

/** What the cluster looks like, as far as a rollout is concerned. */
export interface Observed {
  stable: {
    image: string;
    replicas: number;
    /** The newest template, and nothing older, is what serves. */
    ready: boolean;
    /** Its pods are marked as the stable track. */
    tracked: boolean;
  };
  /** Null: there is no canary Deployment. */
  canary: { image: string; replicas: number; ready: boolean } | null;
  /** Percent of requests that the router's objects send to the canary; null: no router is asked (a rolling release). */
  split: { weight: number; settled: boolean } | null;
}

/** The router, as far as rules depend on it. */
export interface RouterRules {
  /** With `replicas` the number of pods is the route, so stable's number is ours to set. */
  kind: 'istio' | 'replicas';
  capacity(weight: number, replicas: number): Capacity;
}

/** What the driver remembers between two looks; lost with the process, then done again. */
export interface Memory {
  /** The weight that was set last; null: none by this process. */
  routed: number | null;
  /** That weight was read back and is in force. */
  verified: boolean;
  /** The canary was given its time to finish requests. */
  drained: boolean;
  /** The router's objects have their original form again. */
  tidy: boolean;
}

/**
 * One change, or one wait. `await-…`, `verify-route`, `drain` and `refuse-…` change nothing and need no intent. The name is what `intent.change` says.
 */
export type Change =
  | { change: 'adopt-stable' }
  | { change: 'take-snapshot' }
  | { change: 'scale-canary'; image: string; replicas: number }
  | { change: 'await-canary' }
  | { change: 'scale-stable'; replicas: number }
  | { change: 'update-stable'; image: string }
  /** Stable has an image that this rollout knows nothing of: somebody else changed it. */
  | { change: 'refuse-foreign-image'; image: string }
  | { change: 'restore-stable'; image: string }
  | { change: 'await-stable' }
  | { change: 'route'; weight: number }
  | { change: 'verify-route'; weight: number }
  | { change: 'drain' }
  | { change: 'remove-canary' }
  /** The phase has come to its end; `phase` is what it becomes. */
  | { change: 'rest'; phase: 'progressing' | 'promoted' | 'aborted' | 'undone' };

/**
 * The next change on the way that `state.phase` says, from what is there: the same answer for a first run and for one that takes over
 * after a crash, because it looks at the cluster and not at what was done before. Pure.
 *
 * Forward: capacity → ready → route → read back → start the clock. Back: route first → read back → drain → remove.
 */
export function decide(state: RolloutState, seen: Observed, router: RouterRules, memory: Memory): Change {
  switch (state.phase) {
    case 'starting':
    case 'progressing':
      return towardsStep(state, seen, router, memory);
    case 'promoting':
      return state.kind === 'rolling' ? towardsImage(state, seen) : towardsPromotion(state, seen, router, memory);
    case 'aborting':
      return towardsAbort(state, seen, memory);
    case 'undoing':
      return towardsUndone(state, seen);
    default:
      throw new Error(`decide: a rollout that is ${state.phase} needs no change`);
  }
}

function towardsStep(state: RolloutState, seen: Observed, router: RouterRules, memory: Memory): Change {
  if (!seen.stable.tracked) return { change: 'adopt-stable' };
  if (state.snapshot === null) return seen.stable.ready ? { change: 'take-snapshot' } : { change: 'await-stable' };
  const wanted = router.capacity(state.weight, state.replicas).canary;
  const { canary } = seen;
  if (!canary || canary.image !== state.image.to || canary.replicas < wanted) {
    return { change: 'scale-canary', image: state.image.to, replicas: wanted };
  }
  if (!canary.ready) return { change: 'await-canary' };
  return towardsWeight(state.weight, seen, memory) ?? { change: 'rest', phase: 'progressing' };
}

function towardsPromotion(state: RolloutState, seen: Observed, router: RouterRules, memory: Memory): Change {
  const { stable } = seen;
  if (stable.image !== state.image.to) return updateStable(state, stable.image);
  // Stable must be able to carry everybody before the canary's pods, which are the route here, are taken away.
  if (router.kind === 'replicas' && stable.replicas < state.replicas) return { change: 'scale-stable', replicas: state.replicas };
  if (!stable.ready) return { change: 'await-stable' };
  return towardsWeight(0, seen, memory) ?? towardsNoCanary(seen, memory) ?? { change: 'rest', phase: 'promoted' };
}

function towardsImage(state: RolloutState, { stable }: Observed): Change {
  if (state.snapshot === null) return { change: 'take-snapshot' };
  if (stable.image !== state.image.to) return updateStable(state, stable.image);
  return stable.ready ? { change: 'rest', phase: 'promoted' } : { change: 'await-stable' };
}

function towardsAbort(state: RolloutState, seen: Observed, memory: Memory): Change {
  // Stable has the new image only when a promotion had begun; an image that is neither is somebody else's and stays.
  const restore = seen.stable.image === state.image.to && state.snapshot !== null;
  return (
    towardsWeight(0, seen, memory) ??
    (restore ? { change: 'restore-stable', image: state.image.from } : undefined) ??
    towardsNoCanary(seen, memory) ??
    (seen.stable.ready ? { change: 'rest', phase: 'aborted' } : { change: 'await-stable' })
  );
}

function towardsUndone(state: RolloutState, { stable }: Observed): Change {
  if (stable.image !== state.image.from) return { change: 'restore-stable', image: state.image.from };
  return stable.ready ? { change: 'rest', phase: 'undone' } : { change: 'await-stable' };
}

function updateStable(state: RolloutState, image: string): Change {
  return image === state.image.from ? { change: 'update-stable', image: state.image.to } : { change: 'refuse-foreign-image', image };
}

function towardsWeight(weight: number, { split }: Observed, memory: Memory): Change | undefined {
  if (split === null || (memory.routed === weight && memory.verified)) return undefined;
  // What pods can make need not be the wanted number (9 % for 10 % of 10 pods), so a route that was set is judged by reading it back.
  const set = memory.routed === weight || (split.weight === weight && split.settled);
  return set ? { change: 'verify-route', weight } : { change: 'route', weight };
}

function towardsNoCanary({ canary }: Observed, memory: Memory): Change | undefined {
  if (!canary) return undefined;
  return canary.replicas > 0 && !memory.drained ? { change: 'drain' } : { change: 'remove-canary' };
}
