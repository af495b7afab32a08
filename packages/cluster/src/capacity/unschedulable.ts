import { type Clock, OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';

/**
 * How long a pod may be without a node before that is final. The cluster autoscaler looks every 10 s and says so once its provider has agreed;
 * half of it would end rollouts that were about to get their node. Milliseconds.
 */
const PATIENCE = 20_000;
/** Kubernetes' default of `terminationGracePeriodSeconds`. */
const DEFAULT_GRACE = 30;

/** Events of the cluster autoscaler and of Karpenter that say: a node is being made for this pod. */
const NODE_TO_COME = new Set(['TriggeredScaleUp', 'Nominated']);

/** Whether the scheduler has found no node for the pod, in its words. Pure. */
export function unschedulableWords(pod: KubeObject): string | undefined {
  const conditions: { type: string; status: string; reason?: string; message?: string }[] = pod.status?.conditions ?? [];
  const found = conditions.find(({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable');
  return found && (found.message ?? 'Unschedulable');
}

/** Watches for pods that will never get a node; remembers what it saw from one look to the next. */
export interface SchedulingWatch {
  /**
   * The pod for which waiting is of no use: no node for 20 s in which nothing else moved (and as long again as old pods may take to end, while
   * the update replaces some), no other pod being evicted for it, no autoscaler making a node. One list of events at the moment of decision.
   */
  hopeless(deployment: KubeObject, pods: readonly KubeObject[]): Promise<KubeObject | undefined>;
}

export function schedulingWatch(client: KubeClient, clock: Clock): SchedulingWatch {
  const since = new Map<string, number>();
  const hopeful = new Set<string>();
  let progress = '';
  let movedAt = clock.now();
  let replaces = false;
  return {
    async hopeless(deployment, pods) {
      const now = clock.now();
      const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
      const seen = `${replicas}/${updatedReplicas}/${availableReplicas}`;
      if (seen !== progress) movedAt = now;
      progress = seen;
      replaces ||= replicas > updatedReplicas;
      const waiting = pods.filter((pod) => unschedulableWords(pod) !== undefined && !pod.metadata.deletionTimestamp);
      remember(since, waiting, now);
      const patience = PATIENCE + (replaces ? 1000 * graceOf(deployment) : 0);
      const found = waiting.find(
        ({ metadata, status }) =>
          !hopeful.has(metadata.name) &&
          // The scheduler is evicting others to make room for it.
          !status?.nominatedNodeName &&
          now - Math.max(since.get(metadata.name) ?? now, movedAt) >= patience,
      );
      if (!found || !(await nodeMayCome(client, found))) return found;
      hopeful.add(found.metadata.name);
      return undefined;
    },
  };
}

function remember(since: Map<string, number>, waiting: readonly KubeObject[], now: number): void {
  const names = new Set(waiting.map(({ metadata }) => metadata.name));
  for (const name of since.keys()) if (!names.has(name)) since.delete(name);
  for (const name of names) if (!since.has(name)) since.set(name, now);
}

function graceOf(deployment: KubeObject): number {
  const grace = Number(deployment.spec?.template?.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE);
  return Number.isFinite(grace) ? grace : DEFAULT_GRACE;
}

/** Who may not read events does not know whether an autoscaler is at work, and waits on. */
async function nodeMayCome(client: KubeClient, { metadata }: KubeObject): Promise<boolean> {
  const fieldSelector = `involvedObject.kind=Pod,involvedObject.name=${metadata.name}`;
  try {
    const events = await client.list(resources.events, metadata.namespace ?? '', { fieldSelector });
    return events.some(({ reason }) => NODE_TO_COME.has(reason));
  } catch (error) {
    if (error instanceof OperationError && error.reason === 'FORBIDDEN') return true;
    throw error;
  }
}
