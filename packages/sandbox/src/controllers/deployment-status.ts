import { type KubeObject, timestamp } from '../kube/object.js';
import { conditionOf, sum } from './pod-state.js';
import { resolveBounds } from './rolling-update.js';

export interface DeploymentView {
  deployment: KubeObject;
  fresh: KubeObject | undefined;
  sets: readonly KubeObject[];
  /** Why Progressing was last set by creating or finding the new ReplicaSet. */
  found: { reason: string; message: string } | undefined;
}

/** The status of a Deployment as its controller computes it (deployment controller, sync.go and progress.go). */
export function deploymentStatus(view: DeploymentView, now: number): object {
  const { deployment, fresh, sets } = view;
  const replicas = sum(sets, (set) => set.status?.replicas);
  const available = sum(sets, (set) => set.status?.availableReplicas);
  const counts = {
    replicas,
    updatedReplicas: fresh?.status?.replicas ?? 0,
    readyReplicas: sum(sets, (set) => set.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(sets, (set) => set.spec.replicas) - available),
  };
  const shown = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  const conditions = [availableCondition(deployment, available, now), progressingCondition(view, counts, now), replicaFailure(view)];
  const terminatingReplicas = sum(sets, (set) => set.status?.terminatingReplicas);
  return { observedGeneration: deployment.metadata.generation, ...shown, terminatingReplicas, conditions: conditions.filter(Boolean) };
}

interface Update {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

/** A condition whose times move as the controller moves them: transition with the status, update with status, reason or `touched`. */
function condition(deployment: KubeObject, update: Update, now: number, touched = false): object {
  const old = conditionOf(deployment, update.type);
  const at = timestamp(now);
  const transition = old?.status === update.status ? (old.lastTransitionTime ?? at) : at;
  const same = old?.status === update.status && old.reason === update.reason && !touched;
  return { ...update, lastUpdateTime: same ? (old.lastUpdateTime ?? at) : at, lastTransitionTime: transition };
}

/** What keeps a ReplicaSet from making its pods; the new one's first. */
function replicaFailure({ fresh, sets }: DeploymentView): object | undefined {
  const failures = [fresh, ...sets].map((set) => set && conditionOf(set, 'ReplicaFailure'));
  const found = failures.find(Boolean);
  return found && { ...found, lastUpdateTime: found.lastTransitionTime };
}

function availableCondition(deployment: KubeObject, available: number, now: number): object {
  const { replicas, strategy } = deployment.spec;
  const { maxUnavailable } = resolveBounds(replicas, strategy.rollingUpdate);
  const least = strategy.type === 'Recreate' ? replicas : replicas - maxUnavailable;
  const update: Update =
    available >= least
      ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        };
  return condition(deployment, update, now);
}

type Counts = { replicas: number; updatedReplicas: number; readyReplicas: number; availableReplicas: number };

function progressingCondition({ deployment, fresh, found }: DeploymentView, counts: Counts, now: number): object | undefined {
  const old = conditionOf(deployment, 'Progressing');
  const set = fresh ? `ReplicaSet "${fresh.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  const say = (status: 'True' | 'False' | 'Unknown', reason: string, message: string, touched = false) =>
    condition(deployment, { type: 'Progressing', status, reason, message }, now, touched);
  if (deployment.spec.paused) return say('Unknown', 'DeploymentPaused', 'Deployment is paused');
  if (old?.reason === 'DeploymentPaused') return say('Unknown', 'DeploymentResumed', 'Deployment is resumed', true);
  if (isComplete(deployment, counts) && fresh) return say('True', 'NewReplicaSetAvailable', `${set} has successfully progressed.`);
  if (found) return say('True', found.reason, found.message, true);
  if (hasProgressed(deployment, counts)) return say('True', 'ReplicaSetUpdated', `${set} is progressing.`, true);
  if (isTimedOut(deployment, now)) return say('False', 'ProgressDeadlineExceeded', `${set} has timed out progressing.`);
  return old ?? say('True', 'ReplicaSetUpdated', `${set} is progressing.`, true);
}

function isComplete({ spec, metadata, status }: KubeObject, { replicas, updatedReplicas, availableReplicas }: Counts): boolean {
  const seen = status?.observedGeneration === undefined || status.observedGeneration <= (metadata.generation ?? 0);
  return seen && updatedReplicas === spec.replicas && replicas === spec.replicas && availableReplicas === spec.replicas;
}

function hasProgressed({ status }: KubeObject, next: Counts): boolean {
  const old = { updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0, replicas: 0, ...status };
  const oldOld = old.replicas - old.updatedReplicas;
  return (
    next.updatedReplicas > old.updatedReplicas ||
    next.replicas - next.updatedReplicas < oldOld ||
    next.readyReplicas > old.readyReplicas ||
    next.availableReplicas > old.availableReplicas
  );
}

/** A rollout that has ended cannot time out; one under way does when nothing moved for `progressDeadlineSeconds`. */
function isTimedOut(deployment: KubeObject, now: number): boolean {
  const old = conditionOf(deployment, 'Progressing');
  if (!old || old.reason === 'NewReplicaSetAvailable') return false;
  if (old.reason === 'ProgressDeadlineExceeded') return true;
  return now >= Date.parse(old.lastUpdateTime ?? '') + deployment.spec.progressDeadlineSeconds * 1000;
}
