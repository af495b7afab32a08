import { controllerOf, type KubeObject, timestamp } from '../kube/object.js';
import { matchesSelector } from '../kube/selectors.js';
import type { Store } from '../kube/store.js';
import { conditionOf, isActive, isReady } from './pod-state.js';
import { WorkQueue } from './work-queue.js';

/** Says in every PodDisruptionBudget how many of its pods may go now (kubernetes/pkg/controller/disruption). */
export class DisruptionController {
  private readonly queue = new WorkQueue((key) => this.reconcile(key));
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {
    this.unsubscribe = store.onChange(({ kind, object }) => {
      if (!['PodDisruptionBudget', 'Pod', 'ReplicaSet', 'Deployment', 'Rollout'].includes(kind.kind)) return;
      for (const { metadata } of store.list('PodDisruptionBudget', object.metadata.namespace)) {
        this.queue.add(`${metadata.namespace}/${metadata.name}`);
      }
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private reconcile(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const budget = this.store.find('PodDisruptionBudget', namespace, name);
    if (!budget) return;
    const pods = this.store
      .list('Pod', namespace)
      .filter((pod) => isActive(pod) && matchesSelector(budget.spec.selector ?? {}, pod.metadata.labels));
    const { expectedPods, desiredHealthy } = this.expectation(budget, pods);
    const currentHealthy = pods.filter(isReady).length;
    const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
    const counts = { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods };
    const status = { ...counts, observedGeneration: budget.metadata.generation, conditions: [this.condition(budget, disruptionsAllowed)] };
    this.store.modify('PodDisruptionBudget', budget, (draft) => Object.assign(draft, { status }));
  }

  private expectation({ spec }: KubeObject, pods: readonly KubeObject[]): { expectedPods: number; desiredHealthy: number } {
    const { minAvailable, maxUnavailable } = spec;
    if (typeof minAvailable === 'number') return { expectedPods: pods.length, desiredHealthy: minAvailable };
    const expectedPods = this.expectedPods(pods);
    if (minAvailable !== undefined) return { expectedPods, desiredHealthy: share(minAvailable, expectedPods) };
    const lacking = typeof maxUnavailable === 'number' ? maxUnavailable : share(maxUnavailable ?? '0%', expectedPods);
    return { expectedPods, desiredHealthy: Math.max(0, expectedPods - lacking) };
  }

  /** As many as the workloads of these pods ask for. */
  private expectedPods(pods: readonly KubeObject[]): number {
    const workloads = new Map<string, KubeObject>();
    for (const pod of pods) {
      const workload = this.workloadOf(pod);
      if (workload) workloads.set(workload.metadata.uid, workload);
    }
    return [...workloads.values()].reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0);
  }

  private workloadOf(pod: KubeObject): KubeObject | undefined {
    let found: KubeObject | undefined;
    for (let owner = controllerOf(pod); owner; owner = found && controllerOf(found)) {
      const next = this.store.find(owner.kind, pod.metadata.namespace ?? '', owner.name);
      if (!next) break;
      found = next;
    }
    return found;
  }

  private condition(budget: KubeObject, allowed: number): object {
    const status = allowed > 0 ? 'True' : 'False';
    const old = conditionOf(budget, 'DisruptionAllowed');
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(this.now());
    const reason = allowed > 0 ? 'SufficientPods' : 'InsufficientPods';
    const { generation: observedGeneration } = budget.metadata;
    return { type: 'DisruptionAllowed', status, reason, message: '', observedGeneration, lastTransitionTime };
  }
}

function share(percent: unknown, of: number): number {
  return Math.ceil((Number.parseInt(String(percent), 10) / 100) * of);
}
