import { type KubeObject, timestamp } from '../../kube/object.js';
import { currentIndex } from './canary-steps.js';

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastUpdateTime: string;
  lastTransitionTime: string;
}

/** Conditions of one Rollout, while they are changed. */
export class Conditions {
  private list: Condition[];

  constructor(
    { status }: KubeObject,
    private readonly now: number,
  ) {
    this.list = status?.conditions ?? [];
  }

  get all(): Condition[] {
    return this.list;
  }

  find(type: string): Condition | undefined {
    return this.list.find((one) => one.type === type);
  }

  remove(type: string): void {
    this.list = this.list.filter((one) => one.type !== type);
  }

  /** One with the same status and reason stays as it is, unless something `moved`. */
  set(type: string, status: Condition['status'], reason: string, message: string, moved = false): void {
    const old = this.find(type);
    if (old?.status === status && old.reason === reason && !moved) return;
    const at = timestamp(this.now);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : at;
    this.remove(type);
    this.list = [...this.list, { type, status, reason, message, lastUpdateTime: at, lastTransitionTime }];
  }
}

/** What pausing, going on and retrying mean for the conditions, before anything else is looked at. */
export function notePauses(rollout: KubeObject, conditions: Conditions): void {
  const isPaused = rollout.spec.paused === true || (rollout.status?.pauseConditions ?? []).length > 0;
  const progressing = conditions.find('Progressing');
  const wasAborted = progressing?.reason === 'RolloutAborted';
  if (isPaused && progressing?.reason !== 'RolloutPaused' && !wasAborted)
    conditions.set('Progressing', 'Unknown', 'RolloutPaused', 'Rollout is paused');
  if (!isPaused && progressing?.reason === 'RolloutPaused')
    conditions.set('Progressing', 'Unknown', 'RolloutResumed', 'Rollout is resumed');
  if (wasAborted && !rollout.status?.abort) conditions.set('Progressing', 'Unknown', 'RolloutRetry', 'Retrying Rollout after abort');
  const isShownPaused = conditions.find('Paused')?.status === 'True';
  if ((isPaused && !wasAborted) !== isShownPaused && !(wasAborted && rollout.status?.abort))
    conditions.set('Paused', isPaused ? 'True' : 'False', 'RolloutPaused', 'Rollout is paused');
}

/** What the new status means for the conditions. `status` is the next one; the Rollout still has the last. */
export function noteProgress(rollout: KubeObject, status: Record<string, unknown>, conditions: Conditions, now: number): void {
  const { replicas = 1 } = rollout.spec;
  const count = (name: string) => Number(status[name] ?? 0);
  const isCompleted = status.stableRS !== undefined && status.stableRS === status.currentPodHash;
  const isHealthy = isCompleted && ['updatedReplicas', 'replicas', 'availableReplicas'].every((name) => count(name) === replicas);
  conditions.set('Completed', isCompleted ? 'True' : 'False', 'RolloutCompleted', 'RolloutCompleted');
  if (isHealthy) conditions.set('Healthy', 'True', 'RolloutHealthy', 'Rollout is healthy');
  else if (conditions.find('Healthy')) conditions.set('Healthy', 'False', 'RolloutHealthy', 'Rollout is not healthy');
  const enough = count('availableReplicas') >= replicas;
  const availability = enough ? 'Rollout has minimum availability' : 'Rollout does not have minimum availability';
  conditions.set('Available', enough ? 'True' : 'False', 'AvailableReason', availability);
  const set = `ReplicaSet "${rollout.metadata.name}-${status.currentPodHash}"`;
  if (status.abort) {
    const revision = rollout.metadata.annotations?.['rollout.argoproj.io/revision'];
    conditions.set('Progressing', 'False', 'RolloutAborted', `Rollout aborted update to revision ${revision}`);
  } else if (isHealthy) conditions.set('Progressing', 'True', 'NewReplicaSetAvailable', `${set} has successfully progressed.`);
  else if (hasProgressed(rollout, status)) conditions.set('Progressing', 'True', 'ReplicaSetUpdated', `${set} is progressing.`, true);
  else if (isTimedOut(rollout, conditions, now))
    conditions.set('Progressing', 'False', 'ProgressDeadlineExceeded', `${set} has timed out progressing.`);
}

/** Milliseconds since the epoch when a Rollout that does not move is out of time. */
export function deadlineOf({ spec }: KubeObject, conditions: Conditions): number | undefined {
  const progressing = conditions.find('Progressing');
  if (!progressing || ['NewReplicaSetAvailable', 'RolloutAborted', 'RolloutPaused'].includes(progressing.reason)) return undefined;
  return Date.parse(progressing.lastUpdateTime) + (spec.progressDeadlineSeconds ?? 600) * 1000;
}

function isTimedOut(rollout: KubeObject, conditions: Conditions, now: number): boolean {
  const deadline = deadlineOf(rollout, conditions);
  return deadline !== undefined && now > deadline;
}

function hasProgressed(rollout: KubeObject, next: Record<string, unknown>): boolean {
  const old = rollout.status ?? {};
  const before = (name: string) => Number(old[name] ?? 0);
  const after = (name: string) => Number(next[name] ?? 0);
  return (
    ['updatedReplicas', 'readyReplicas', 'availableReplicas'].some((name) => after(name) > before(name)) ||
    after('replicas') - after('updatedReplicas') < before('replicas') - before('updatedReplicas') ||
    ['stableRS', 'currentPodHash'].some((name) => old[name] !== next[name]) ||
    next.currentStepIndex !== (old.currentStepIndex === undefined ? undefined : currentIndex(rollout))
  );
}
