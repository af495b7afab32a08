import type { KubeObject } from '../../kube/object.js';
import { wantedSizes } from './canary-sizes.js';
import { currentIndex, isFullyPromoted, isTrafficRouted, stepsOf, weightAt } from './canary-steps.js';
import { hashOf, type Sets } from './rollout-sets.js';

interface Destination {
  podTemplateHash: string;
  serviceName: string;
  weight: number;
}

/** `status.canary.weights`. */
export interface Weights {
  canary: Destination;
  stable: Destination;
}

/** Whether every ReplicaSet has the pods that the step asks for, available. */
export function isAtDesiredSize(rollout: KubeObject, { fresh, stable, older }: Sets): boolean {
  const other = stable === fresh ? undefined : stable;
  const wanted = wantedSizes(rollout, other === undefined);
  const has = (set: KubeObject | undefined, size: number) =>
    (set?.spec.replicas ?? 0) === size && (set?.status?.availableReplicas ?? 0) === size;
  if (!fresh || !has(fresh, wanted.canary)) return false;
  if (isTrafficRouted(rollout)) return !other || has(other, wanted.stable);
  return has(other, wanted.stable) && older.every((set) => (set.status?.availableReplicas ?? 0) === 0);
}

/** Percent of the traffic for the canary now. A new weight waits for the pods that are to bear it. */
export function desiredWeight(rollout: KubeObject, sets: Sets): number {
  const { status } = rollout;
  if (isFullyPromoted(rollout) || status?.abort || (sets.fresh?.status?.availableReplicas ?? 0) === 0) return 0;
  if (status?.promoteFull) return status.canary?.weights?.canary.weight ?? 0;
  const index = currentIndex(rollout);
  if (stepsOf(rollout).length === 0) return 0;
  if (!isAtDesiredSize(rollout, sets)) return weightAt(rollout, index - 1);
  return index < stepsOf(rollout).length ? weightAt(rollout, index) : 100;
}

export function currentWeights(rollout: KubeObject, { fresh, stable }: Sets, weight: number): Weights {
  const { canaryService = '', stableService = '' } = rollout.spec.strategy.canary;
  const to = (set: KubeObject | undefined, serviceName: string, share: number) => ({
    podTemplateHash: set ? hashOf(set) : '',
    serviceName,
    weight: share,
  });
  return { canary: to(fresh, canaryService, weight), stable: to(stable, stableService, 100 - weight) };
}
