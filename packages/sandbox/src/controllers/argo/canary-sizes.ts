import type { KubeObject } from '../../kube/object.js';
import { resolveBounds } from '../rolling-update.js';
import { canaryScale, isFullyPromoted, isTrafficRouted, wantedWeight } from './canary-steps.js';

/** Pods of the two ReplicaSets. */
export interface Sizes {
  canary: number;
  stable: number;
}

/** A ReplicaSet as it counts here. */
export interface SetState {
  replicas: number;
  available: number;
}

/** How many pods both tracks are to have in the end. `alone`: there is no other ReplicaSet that is stable. */
export function wantedSizes(rollout: KubeObject, alone: boolean): Sizes {
  const replicas: number = rollout.spec.replicas ?? 1;
  if (alone) return { canary: replicas, stable: isTrafficRouted(rollout) ? replicas : 0 };
  const weight = rollout.status?.promoteFull || isFullyPromoted(rollout) ? 100 : wantedWeight(rollout);
  if (!isTrafficRouted(rollout)) return approximateSizes(replicas, weight, resolveBounds(replicas, rollout.spec.strategy?.canary).maxSurge);
  const scale = rollout.status?.promoteFull ? undefined : canaryScale(rollout);
  return { canary: scale?.replicas ?? Math.ceil((replicas * (scale?.weight ?? weight)) / 100), stable: replicas };
}

/**
 * The numbers of pods that come closest to a weight where pods are all there is to split traffic by. With surge, one pod more may come closer.
 * For a weight from 1 to 99 and more than one pod, no track is without (argo-rollouts, utils/replicaset/canary.go).
 */
export function approximateSizes(replicas: number, weight: number, maxSurge: number): Sizes {
  if (replicas === 0 || weight <= 0) return { canary: 0, stable: replicas };
  if (weight >= 100) return { canary: replicas, stable: 0 };
  let best: (Sizes & { error: number }) | undefined;
  for (const total of maxSurge > 0 ? [replicas, replicas + 1] : [replicas]) {
    const exact = (replicas * weight) / 100;
    for (const canary of [Math.ceil(exact), Math.floor(exact)]) {
      const stable = total - canary;
      if (total > 1 && (canary === 0 || stable <= 0)) continue;
      const error = Math.abs(Math.trunc((canary * 100) / total) - weight);
      if (!best || error < best.error) best = { canary, stable, error };
    }
  }
  return best ? { canary: best.canary, stable: best.stable } : { canary: 1, stable: replicas - 1 };
}

interface BasicInput {
  rollout: KubeObject;
  canary: SetState;
  /** Undefined: there is none beside the canary. */
  stable: SetState | undefined;
  /** Pods of still older ReplicaSets; they go first. */
  older: number;
}

/** The next sizes on the way to the wanted ones, within surge and unavailability: up first, the stable one before the canary. */
export function nextBasicSizes({ rollout, canary, stable, older }: BasicInput): Sizes {
  const replicas: number = rollout.spec.replicas ?? 1;
  const wanted = wantedSizes(rollout, stable === undefined);
  const { maxSurge, maxUnavailable } = resolveBounds(replicas, rollout.spec.strategy?.canary);
  const next = { canary: canary.replicas, stable: stable?.replicas ?? 0 };
  const allowed = Math.max(replicas + maxSurge, wanted.canary + wanted.stable);
  let room = allowed - next.canary - next.stable - older;
  for (const track of ['stable', 'canary'] as const) {
    const more = Math.max(0, Math.min(room, wanted[track] - next[track]));
    next[track] += more;
    room -= more;
  }
  if (older > 0) return next;
  // Pods of the track that is on its way out need not be available to be counted, or broken ones could never go.
  const isGrowing = wanted.canary >= canary.replicas;
  const counted = (set: SetState | undefined, ignoreAvailability: boolean) =>
    set ? Math.min(set.replicas, ignoreAvailability ? set.replicas : set.available) : 0;
  let spare = counted(canary, !isGrowing) + counted(stable, isGrowing) - (replicas - maxUnavailable);
  for (const track of ['canary', 'stable'] as const) {
    const less = Math.max(0, Math.min(spare, next[track] - wanted[track]));
    next[track] -= less;
    spare -= less;
  }
  return next;
}
