import type { KubeObject } from '../kube.js';

/** How far a Deployment has come with its newest template. */
export interface Progress {
  ready: boolean;
  /** `3 of 10 updated, 2 available`. */
  words: string;
  desired: number;
  updated: number;
  available: number;
}

/** A condition of the Deployment that waiting will not heal. */
export interface Stuck {
  reason: 'PROGRESS_DEADLINE_EXCEEDED' | 'PODS_NOT_CREATED';
  message: string;
}

/**
 * Whether the Deployment's newest template, and nothing older, is what serves: the rule of `kubectl rollout status`
 * (k8s.io/kubectl, pkg/polymorphichelpers/rollout_status.go), for a generation that is at least `generation`. Pure.
 */
export function progressOf(deployment: KubeObject, generation: number): Progress {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  const desired: number = deployment.spec?.replicas ?? 1;
  const progress = { ready: false, desired, updated: updatedReplicas, available: availableReplicas };
  const newest = Math.max(generation, deployment.metadata.generation ?? 0);
  if (observedGeneration < newest) return { ...progress, words: 'waiting for the deployment controller to see the change' };
  if (updatedReplicas < desired)
    return { ...progress, words: `${updatedReplicas} of ${desired} pods updated, ${availableReplicas} available` };
  if (replicas > updatedReplicas) return { ...progress, words: `${replicas - updatedReplicas} old pods have yet to go` };
  if (availableReplicas < updatedReplicas)
    return { ...progress, words: `${availableReplicas} of ${updatedReplicas} updated pods available` };
  return { ...progress, ready: true, words: `${availableReplicas} of ${desired} pods ready` };
}

/** Why the deployment controller has given up, or cannot make pods; undefined while it works. Pure. */
export function stuckOf(deployment: KubeObject, generation: number): Stuck | undefined {
  // Conditions of an older generation tell of an older rollout.
  if ((deployment.status?.observedGeneration ?? 0) < generation) return undefined;
  const conditions: { type: string; status: string; reason?: string; message?: string }[] = deployment.status?.conditions ?? [];
  const failed = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (failed) return { reason: 'PODS_NOT_CREATED', message: failed.message ?? failed.reason ?? '' };
  const late = conditions.find(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  return late && { reason: 'PROGRESS_DEADLINE_EXCEEDED', message: late.message ?? '' };
}
