import type { KubeObject } from '../../kube/object.js';
import { resolveBounds } from '../rolling-update.js';
import { nextBasicSizes, type SetState, wantedSizes } from './canary-sizes.js';
import { isTrafficRouted } from './canary-steps.js';
import { deadlineOfSet, hashOf, type RolloutSets, type Sets } from './rollout-sets.js';

/** Hears when to look again, milliseconds since the epoch. */
type Wake = (at: number) => void;

/** Sizes every ReplicaSet as far as may be done now. Answers whether a number changed. */
export function resizeSets(sets: RolloutSets, rollout: KubeObject, of: Sets, wake: Wake, now: number): boolean {
  const { fresh, stable } = of;
  if (!fresh) return false;
  const other = stable === fresh ? undefined : stable;
  const isDelayed = isTrafficRouted(rollout) && rollout.status?.abort === true && other !== undefined;
  if (!isDelayed) sets.clearDeadline(fresh);
  if (other) sets.clearDeadline(other);
  const next = isTrafficRouted(rollout) ? wantedSizes(rollout, other === undefined) : basicSizes(rollout, of);
  if (other && sets.scale(rollout, other, next.stable)) return true;
  if (isDelayed) return retireCanary(sets, rollout, fresh, other, wake, now) || retireOlder(sets, rollout, of, wake, now);
  return sets.scale(rollout, fresh, next.canary) || retireOlder(sets, rollout, of, wake, now);
}

function basicSizes(rollout: KubeObject, { fresh, stable, older }: Sets) {
  const other = stable === fresh ? undefined : stable;
  const pods = older.reduce((sum, set) => sum + set.spec.replicas, 0);
  return nextBasicSizes({ rollout, canary: stateOf(fresh), stable: other && stateOf(other), older: pods });
}

function stateOf(set: KubeObject | undefined): SetState {
  return { replicas: set?.spec.replicas ?? 0, available: set?.status?.availableReplicas ?? 0 };
}

/** After an abort the canary's pods stay for `abortScaleDownDelaySeconds` (default 30; 0: for good). */
function retireCanary(sets: RolloutSets, rollout: KubeObject, fresh: KubeObject, stable: KubeObject, wake: Wake, now: number): boolean {
  const delay = rollout.spec.strategy.canary.abortScaleDownDelaySeconds ?? 30;
  if (delay === 0) return false;
  const deadline = deadlineOfSet(fresh);
  if (deadline !== undefined && now >= deadline) return sets.scale(rollout, fresh, 0);
  if (deadline !== undefined) wake(deadline);
  else if (fresh.spec.replicas > 0 && stateOf(stable).available === (rollout.spec.replicas ?? 1)) sets.setDeadline(fresh, delay * 1000);
  return false;
}

/**
 * ReplicaSets of neither track go. With traffic routing: what was stable at its deadline, a canary that was superseded when its successor is
 * available or all is aborted. Else: as fast as availability allows.
 */
function retireOlder(sets: RolloutSets, rollout: KubeObject, { older, all, fresh }: Sets, wake: Wake, now: number): boolean {
  if (!isTrafficRouted(rollout)) return retireByAvailability(sets, rollout, older, all);
  const { replicas, available } = stateOf(fresh);
  const isSucceeded = rollout.status?.abort === true || (replicas > 0 && available >= replicas);
  let changed = false;
  for (const set of older) {
    const deadline = deadlineOfSet(set);
    if (set.spec.replicas === 0 || hasTraffic(rollout, set)) continue;
    if (deadline !== undefined && now < deadline) wake(deadline);
    else if (deadline !== undefined || isSucceeded) changed = sets.scale(rollout, set, 0) || changed;
  }
  return changed;
}

function hasTraffic({ status }: KubeObject, set: KubeObject): boolean {
  const { canary, stable } = status?.canary?.weights ?? {};
  return [canary, stable].some((one) => one?.podTemplateHash === hashOf(set));
}

function retireByAvailability(sets: RolloutSets, rollout: KubeObject, older: readonly KubeObject[], all: readonly KubeObject[]): boolean {
  const replicas: number = rollout.spec.replicas ?? 1;
  const { maxUnavailable } = resolveBounds(replicas, rollout.spec.strategy?.canary);
  let spare = all.reduce((sum, set) => sum + stateOf(set).available, 0) - (replicas - maxUnavailable);
  let changed = false;
  for (const set of older) {
    const { replicas: size, available } = stateOf(set);
    const broken = Math.max(0, size - available);
    const less = broken + Math.min(size - broken, Math.max(0, spare));
    spare -= less - broken;
    if (less > 0) changed = sets.scale(rollout, set, size - less) || changed;
  }
  return changed;
}
