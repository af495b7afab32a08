import type { KubeObject } from '../kube.js';

/** A merge patch of a Rollout: to its `status` subresource, or to the object. */
export interface RolloutPatch {
  subresource?: 'status';
  body: object;
}

// The same bodies as kubectl-argo-rollouts sends (pkg/kubectl-argo-rollouts/cmd: abort, retry, pause, promote).
export const abortPatch: RolloutPatch = { subresource: 'status', body: { status: { abort: true } } };
export const retryPatch: RolloutPatch = { subresource: 'status', body: { status: { abort: false } } };
export const pausePatch: RolloutPatch = { body: { spec: { paused: true } } };
export const unpausePatch: RolloutPatch = { body: { spec: { paused: false } } };

/** To the end without steps, pauses and analyses; nothing when it is there already. Pure. */
export function promoteFullPatches({ spec, status = {} }: KubeObject): RolloutPatch[] {
  const promote: RolloutPatch = { subresource: 'status', body: { status: { promoteFull: true } } };
  return [...(status.currentPodHash === status.stableRS ? [] : [promote]), ...unpaused(spec)];
}

/**
 * One step on. A pause is ended by clearing its conditions; an inconclusive analysis besides by leaving its step, or the controller would pause
 * anew; an analysis or experiment under way by leaving its step. A weight that is being brought about is left alone: it was not seen yet. Pure.
 */
export function advancePatches(rollout: KubeObject): RolloutPatch[] {
  const { spec, status = {} } = rollout;
  const index: number = status.currentStepIndex ?? 0;
  const steps: object[] = spec?.strategy?.canary?.steps ?? [];
  const next = Math.min(index + 1, steps.length);
  const body = () => {
    const paused = (status.pauseConditions ?? []).length > 0;
    if (paused && status.controllerPause && isInconclusive(rollout))
      return { pauseConditions: null, controllerPause: false, currentStepIndex: next };
    if (paused) return { pauseConditions: null };
    return isWaitingStep(steps[index]) ? { pauseConditions: null, currentStepIndex: next } : undefined;
  };
  const cleared = body();
  return [...(cleared ? [{ subresource: 'status' as const, body: { status: cleared } }] : []), ...unpaused(spec)];
}

function unpaused(spec: KubeObject['spec']): RolloutPatch[] {
  return spec?.paused === true ? [unpausePatch] : [];
}

function isInconclusive({ status }: KubeObject): boolean {
  return status?.canary?.currentStepAnalysisRunStatus?.status === 'Inconclusive';
}

/** A step in which the controller waits for something other than pods and weights. */
function isWaitingStep(step: object | undefined): boolean {
  return step !== undefined && ['pause', 'analysis', 'experiment', 'plugin'].some((kind) => kind in step);
}
