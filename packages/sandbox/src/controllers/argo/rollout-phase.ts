import type { KubeObject } from '../../kube/object.js';
import { isFullyPromoted, isTrafficRouted } from './canary-steps.js';
import type { Condition } from './rollout-conditions.js';

/** `status.phase` and `status.message` of a Rollout whose status is otherwise complete (argo-rollouts, utils/rollout/rolloututil.go). */
export function phaseOf(rollout: KubeObject): { phase: string; message?: string } {
  const { spec, status } = rollout;
  const conditions: Condition[] = status.conditions ?? [];
  const invalid = conditions.find(({ type }) => type === 'InvalidSpec');
  if (invalid) return { phase: 'Degraded', message: `InvalidSpec: ${invalid.message}` };
  const failed = conditions.find(({ reason }) => reason === 'RolloutAborted' || reason === 'ProgressDeadlineExceeded');
  if (failed) return { phase: 'Degraded', message: `${failed.reason}: ${failed.message}` };
  if (spec.paused) return { phase: 'Paused', message: 'manually paused' };
  const [pause] = status.pauseConditions ?? [];
  if (pause) return { phase: 'Paused', message: pause.reason };
  const waits = waitsFor(rollout);
  return waits ? { phase: 'Progressing', message: waits } : { phase: 'Healthy' };
}

function waitsFor(rollout: KubeObject): string | undefined {
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = rollout.status;
  if (updatedReplicas < (rollout.spec.replicas ?? 1)) return 'more replicas need to be updated';
  if (availableReplicas < updatedReplicas) return 'updated replicas are still becoming available';
  if (!isTrafficRouted(rollout) && replicas > updatedReplicas) return 'old replicas are pending termination';
  return isFullyPromoted(rollout) ? undefined : 'waiting for all steps to complete';
}
