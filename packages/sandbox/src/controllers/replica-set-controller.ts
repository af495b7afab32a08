import { controllerOf, type KubeObject, type OwnerReference, timestamp } from '../kube/object.js';
import { matchesSelector } from '../kube/selectors.js';
import type { Store } from '../kube/store.js';
import type { SeededRandom } from '../seeded-random.js';
import type { EventRecorder } from './events.js';
import { conditionOf, isActive, isReady, untilAvailable } from './pod-state.js';
import { refusedByQuota } from './resource-quota.js';
import { WorkQueue } from './work-queue.js';

/** Keeps as many pods as each ReplicaSet asks for (kubernetes/pkg/controller/replicaset). */
export class ReplicaSetController {
  private readonly queue = new WorkQueue((key) => this.reconcile(key));
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    private readonly random: SeededRandom,
    private readonly now: () => number,
  ) {
    this.unsubscribe = store.onChange(({ kind, object }) => {
      if (kind.kind === 'ReplicaSet') this.queue.add(keyOf(object));
      if (kind.kind === 'Pod') this.enqueueOwners(object);
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private enqueueOwners(pod: KubeObject): void {
    const owner = controllerOf(pod);
    if (owner?.kind === 'ReplicaSet') return this.queue.add(`${pod.metadata.namespace}/${owner.name}`);
    if (owner) return;
    for (const set of this.store.list('ReplicaSet', pod.metadata.namespace)) {
      if (matchesSelector(set.spec.selector, pod.metadata.labels)) this.queue.add(keyOf(set));
    }
  }

  private reconcile(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const set = this.store.find('ReplicaSet', namespace, name);
    if (!set) return;
    const pods = this.claim(set);
    const refusal = set.metadata.deletionTimestamp ? undefined : this.adjust(set, pods.filter(isActive));
    this.report(set, key, refusal);
    // Nothing tells when a quota has room again.
    if (refusal) this.queue.addAfter(key, 1000);
  }

  /** Adopts matching orphans and lets go of pods that no longer match; answers its pods. */
  private claim(set: KubeObject): KubeObject[] {
    const mine: KubeObject[] = [];
    for (const pod of this.store.list('Pod', set.metadata.namespace)) {
      const matches = matchesSelector(set.spec.selector, pod.metadata.labels);
      const owner = controllerOf(pod);
      if (owner?.uid === set.metadata.uid && matches) mine.push(pod);
      else if (owner?.uid === set.metadata.uid) this.store.modify('Pod', pod, ({ metadata }) => delete metadata.ownerReferences);
      else if (!owner && matches && isActive(pod) && !set.metadata.deletionTimestamp) {
        const adopted = this.store.modify('Pod', pod, ({ metadata }) => Object.assign(metadata, { ownerReferences: [reference(set)] }));
        if (adopted) mine.push(adopted);
      }
    }
    return mine;
  }

  /** Answers why no more pods could be made, if so. */
  private adjust(set: KubeObject, pods: KubeObject[]): string | undefined {
    const missing = set.spec.replicas - pods.length;
    for (let i = 0; i < missing; i++) {
      const refusal = this.createPod(set);
      if (refusal) return refusal;
    }
    if (missing < 0) for (const pod of [...pods].sort(byDispensability).slice(0, -missing)) this.deletePod(set, pod);
    return undefined;
  }

  private createPod(set: KubeObject): string | undefined {
    const { template } = set.spec;
    const wanted = {
      metadata: {
        ...template.metadata,
        name: `${set.metadata.name}-${this.random.suffix(5)}`,
        generateName: `${set.metadata.name}-`,
        namespace: set.metadata.namespace,
        ownerReferences: [reference(set)],
      },
      spec: template.spec,
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    };
    const refusal = refusedByQuota(this.store, wanted as unknown as KubeObject);
    if (refusal) {
      this.events.warning(set, 'replicaset-controller', 'FailedCreate', `Error creating: ${refusal}`);
      return refusal;
    }
    const pod = this.store.create('Pod', wanted);
    this.events.normal(set, 'replicaset-controller', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    return undefined;
  }

  private deletePod(set: KubeObject, pod: KubeObject): void {
    const grace = pod.spec.terminationGracePeriodSeconds ?? 30;
    this.store.modify('Pod', pod, ({ metadata }) => {
      metadata.deletionTimestamp = `${new Date(this.now() + grace * 1000).toISOString().slice(0, 19)}Z`;
      metadata.deletionGracePeriodSeconds = grace;
    });
    this.events.normal(set, 'replicaset-controller', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }

  private report(set: KubeObject, key: string, refusal: string | undefined): void {
    const owned = this.store.list('Pod', set.metadata.namespace).filter((pod) => controllerOf(pod)?.uid === set.metadata.uid);
    const pods = owned.filter(isActive);
    const terminatingReplicas = owned.filter((pod) => pod.metadata.deletionTimestamp).length;
    const waits = pods.map((pod) => untilAvailable(pod, set.spec.minReadySeconds ?? 0, this.now())).filter((wait) => wait !== undefined);
    const later = waits.filter((wait) => wait > 0);
    if (later.length > 0) this.queue.addAfter(key, Math.min(...later) + 5);
    const templateLabels = { matchLabels: set.spec.template.metadata?.labels ?? {} };
    const labelled = pods.filter((pod) => matchesSelector(templateLabels, pod.metadata.labels));
    const counts = {
      fullyLabeledReplicas: labelled.length,
      readyReplicas: pods.filter(isReady).length,
      availableReplicas: waits.length - later.length,
    };
    // Zero counts are left out, as Go's omitempty does.
    const shown = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    this.store.modify('ReplicaSet', set, (draft) => {
      draft.status = { replicas: pods.length, ...shown, terminatingReplicas, observedGeneration: set.metadata.generation };
      if (refusal) draft.status.conditions = [this.failure(set, refusal)];
    });
  }

  private failure(set: KubeObject, message: string): object {
    const since = conditionOf(set, 'ReplicaFailure')?.lastTransitionTime ?? timestamp(this.now());
    return { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message, lastTransitionTime: since };
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function reference(set: KubeObject): OwnerReference {
  const { name, uid } = set.metadata;
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true, blockOwnerDeletion: true };
}

/** Which pod goes first: the one that serves least, then the one that restarted most, then the youngest (ActivePodsWithRanks). */
function byDispensability(a: KubeObject, b: KubeObject): number {
  const phase = (pod: KubeObject) => ['Pending', 'Unknown', 'Running'].indexOf(pod.status?.phase);
  const restarts = (pod: KubeObject) => pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
  const age = (pod: KubeObject) => Date.parse(pod.metadata.creationTimestamp);
  return (
    phase(a) - phase(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    restarts(b) - restarts(a) ||
    age(b) - age(a) ||
    Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion)
  );
}
