import { type Capacity, type RouterKind, type Routing, sameRouting, stableAlone } from '@slipway/cluster';
import { type RolloutState, routingIn } from './state.js';

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
  /** How the router's objects send requests to the canary; null: no router is asked (a rolling release). */
  split: (Routing & { settled: boolean }) | null;
  /** The lower limit of the autoscaler that owns stable's number of pods; null: nothing owns it. */
  scaler: { min: number } | null;
}

/** The router, as far as rules depend on it. */
export interface RouterRules {
  /** With `replicas` the number of pods is the route, so stable's number is ours to set. */
  kind: RouterKind;
  capacity(routing: Routing, replicas: number): Capacity;
  /** There when it makes objects of its own before the canary has pods; what it made, it puts away once they are gone. */
  prepare?: unknown;
}

/** What the driver remembers between two looks; lost with the process, then done again. */
export interface Memory {
  /** What was routed last; null: nothing by this process. */
  routed: Routing | null;
  /** That was read back and is in force. */
  verified: boolean;
  /** What the canary's pods must find was made. */
  prepared: boolean;
  /** The step's gate was open. */
  admitted: boolean;
  /** Requests were counted, and are split as they should be. */
  measured: boolean;
  /** The canary was given its time to finish requests. */
  drained: boolean;
  /** The router's objects have their original form again. */
  tidy: boolean;
  /** What the router made for the canary was put away after it. */
  putAway: boolean;
}

/**
 * One change, or one wait. `await-…`, `ask-gate`, `verify-route`, `measure-split`, `drain` and `refuse-…` change nothing and need no intent.
 * The name is what `intent.change` says.
 */
export type Change =
  | { change: 'adopt-stable' }
  | { change: 'take-snapshot' }
  /** Stable must not shrink while part of its users is elsewhere. */
  | { change: 'raise-floor'; replicas: number }
  | { change: 'restore-floor' }
  | { change: 'prepare-route' }
  | { change: 'scale-canary'; image: string; replicas: number }
  | { change: 'await-canary' }
  | { change: 'scale-stable'; replicas: number }
  | { change: 'update-stable'; image: string }
  /** Stable has an image that this rollout knows nothing of: somebody else changed it. */
  | { change: 'refuse-foreign-image'; image: string }
  | { change: 'restore-stable'; image: string }
  | { change: 'await-stable' }
  | { change: 'ask-gate'; url: string }
  | { change: 'route'; routing: Routing }
  | { change: 'verify-route'; routing: Routing }
  | { change: 'measure-split'; routing: Routing }
  | { change: 'drain' }
  | { change: 'remove-canary' }
  | { change: 'put-away' }
  /** The phase has come to its end; `phase` is what it becomes. */
  | { change: 'rest'; phase: 'progressing' | 'promoted' | 'aborted' | 'undone' };

/**
 * The next change on the way that `state.phase` says, from what is there: the same answer for a first run and for one that takes over
 * after a crash, because it looks at the cluster and not at what was done before. Pure.
 *
 * Forward: capacity → ready → route → read back → measured → start the clock. Back: route first → read back → drain → remove.
 */
export function decide(state: RolloutState, seen: Observed, router: RouterRules, memory: Memory): Change {
  switch (state.phase) {
    case 'starting':
    case 'progressing':
      return towardsStep(state, seen, router, memory);
    case 'promoting':
      return state.kind === 'rolling' ? towardsImage(state, seen) : towardsPromotion(state, seen, router, memory);
    case 'aborting':
      return towardsAbort(state, seen, router, memory);
    case 'undoing':
      return towardsUndone(state, seen);
    default:
      throw new Error(`decide: a rollout that is ${state.phase} needs no change`);
  }
}

function towardsStep(state: RolloutState, seen: Observed, router: RouterRules, memory: Memory): Change {
  if (!seen.stable.tracked) return { change: 'adopt-stable' };
  if (state.snapshot === null) return seen.stable.ready ? { change: 'take-snapshot' } : { change: 'await-stable' };
  const routing = routingIn(state);
  if (needsFloor(state, seen, router)) return { change: 'raise-floor', replicas: state.replicas };
  if (router.prepare !== undefined && state.phase === 'starting' && !memory.prepared) return { change: 'prepare-route' };
  const wanted = canaryReplicas(state, seen, router);
  const { canary } = seen;
  const { gate } = state.target.steps[state.step] ?? {};
  if (!canary || canary.image !== state.image.to || canary.replicas < wanted) {
    // Where pods are the route, this is what moves users.
    if (gate !== undefined && router.kind === 'replicas' && !memory.admitted) return { change: 'ask-gate', url: gate };
    return { change: 'scale-canary', image: state.image.to, replicas: wanted };
  }
  if (!canary.ready) return { change: 'await-canary' };
  // A route that is in force went through its gate.
  if (gate !== undefined && router.kind !== 'replicas' && !memory.admitted && !isRouted(routing, seen))
    return { change: 'ask-gate', url: gate };
  return towardsRouting(routing, seen, memory) ?? towardsMeasured(state, router, memory) ?? { change: 'rest', phase: 'progressing' };
}

function towardsPromotion(state: RolloutState, seen: Observed, router: RouterRules, memory: Memory): Change {
  const { stable } = seen;
  if (stable.image !== state.image.to) return updateStable(state, stable.image);
  // Stable must be able to carry everybody before the canary's pods, which are the route here, are taken away.
  if (router.kind === 'replicas' && stable.replicas < state.replicas) return { change: 'scale-stable', replicas: state.replicas };
  if (!stable.ready) return { change: 'await-stable' };
  return (
    towardsRouting(stableAlone, seen, memory) ??
    towardsNoCanary(seen, router, memory) ??
    floorRestored(state) ?? { change: 'rest', phase: 'promoted' }
  );
}

function towardsImage(state: RolloutState, { stable }: Observed): Change {
  if (state.snapshot === null) return { change: 'take-snapshot' };
  if (stable.image !== state.image.to) return updateStable(state, stable.image);
  return stable.ready ? { change: 'rest', phase: 'promoted' } : { change: 'await-stable' };
}

function towardsAbort(state: RolloutState, seen: Observed, router: RouterRules, memory: Memory): Change {
  // Stable has the new image only when a promotion had begun; an image that is neither is somebody else's and stays.
  const restore = seen.stable.image === state.image.to && state.snapshot !== null;
  return (
    towardsRouting(stableAlone, seen, memory) ??
    (restore ? { change: 'restore-stable', image: state.image.from } : undefined) ??
    towardsNoCanary(seen, router, memory) ??
    (seen.stable.ready ? undefined : { change: 'await-stable' }) ??
    floorRestored(state) ?? { change: 'rest', phase: 'aborted' }
  );
}

function towardsUndone(state: RolloutState, { stable }: Observed): Change {
  if (stable.image !== state.image.from) return { change: 'restore-stable', image: state.image.from };
  return stable.ready ? { change: 'rest', phase: 'undone' } : { change: 'await-stable' };
}

function updateStable(state: RolloutState, image: string): Change {
  return image === state.image.from ? { change: 'update-stable', image: state.image.to } : { change: 'refuse-foreign-image', image };
}

/** Canary pods for the step: what its routing needs of the pods that stable has now (an autoscaler may have added some), or as it says itself. */
function canaryReplicas(state: RolloutState, { stable }: Observed, router: RouterRules): number {
  if (router.kind === 'replicas') return router.capacity(routingIn(state), state.replicas).canary;
  const base = Math.max(state.replicas, stable.replicas);
  const { replicas } = state.target.steps[state.step] ?? {};
  const needed = router.capacity(routingIn(state), base).canary;
  // A canary without a share of its own still has to show that it starts.
  return Math.max(1, needed, replicas === undefined ? 0 : Math.ceil(replicas * base));
}

/** Where the number of pods is the route, an owner of that number is refused before anything begins. */
function needsFloor(state: RolloutState, { scaler }: Observed, router: RouterRules): boolean {
  return router.kind !== 'replicas' && scaler !== null && scaler.min < state.replicas;
}

function floorRestored(state: RolloutState): Change | undefined {
  return state.floor ? { change: 'restore-floor' } : undefined;
}

function towardsRouting(routing: Routing, { split }: Observed, memory: Memory): Change | undefined {
  const routed = memory.routed !== null && sameRouting(memory.routed, routing);
  if (split === null || (routed && memory.verified)) return undefined;
  // What pods can make need not be the wanted number (9 % for 10 % of 10 pods), so a route that was set is judged by reading it back.
  return routed || (sameRouting(split, routing) && split.settled) ? { change: 'verify-route', routing } : { change: 'route', routing };
}

/** Whether the objects say so already, whoever wrote them. */
function isRouted(routing: Routing, { split }: Observed): boolean {
  return split !== null && sameRouting(split, routing);
}

/** Objects that say a split are not yet requests that are split so; where pods are the route, counting them is all that can be known. */
function towardsMeasured(state: RolloutState, { kind }: RouterRules, { measured }: Memory): Change | undefined {
  const routing = routingIn(state);
  if (measured || state.target.splitCheck === 'objects' || kind === 'replicas' || routing.weight === 0) return undefined;
  return { change: 'measure-split', routing };
}

function towardsNoCanary({ canary, split }: Observed, router: RouterRules, memory: Memory): Change | undefined {
  // A rolling release has neither; what a router made goes after the pods that it was made for.
  if (!canary) return split !== null && router.prepare !== undefined && !memory.putAway ? { change: 'put-away' } : undefined;
  return canary.replicas > 0 && !memory.drained ? { change: 'drain' } : { change: 'remove-canary' };
}
