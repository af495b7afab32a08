import { type KubeObject, sameJson, timestamp } from '../../kube/object.js';
import type { Store } from '../../kube/store.js';
import { templateHash } from '../deployment-controller.js';
import type { EventRecorder } from '../events.js';
import { ownedBy } from '../pod-state.js';
import { hashLabel } from './argo-traffic.js';

export const revisionKey = 'rollout.argoproj.io/revision';
const desiredKey = 'rollout.argoproj.io/desired-replicas';
const deadlineKey = 'scale-down-deadline';

/** The ReplicaSets of one Rollout. */
export interface Sets {
  /** Of the present template. */
  fresh: KubeObject | undefined;
  /** Of the template that was promoted last; the same as `fresh` when that is it. */
  stable: KubeObject | undefined;
  /** Neither of them, the newest first. */
  older: KubeObject[];
  all: KubeObject[];
}

/** Finds, makes and sizes the ReplicaSets of Rollouts. */
export class RolloutSets {
  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    private readonly now: () => number,
  ) {}

  of(rollout: KubeObject): Sets {
    const all = ownedBy(this.store, 'ReplicaSet', rollout).sort((a, b) => revisionOf(b) - revisionOf(a));
    const fresh = all.find((set) => sameJson(plainTemplate(set), plainTemplate(rollout)));
    const stable = all.find((set) => hashOf(set) === rollout.status?.stableRS);
    return { fresh, stable, older: all.filter((set) => set !== fresh && set !== stable), all };
  }

  /** Makes the ReplicaSet of the present template if there is none, and gives it the highest revision. */
  ensureFresh(rollout: KubeObject): void {
    const { fresh, all } = this.of(rollout);
    const highest = Math.max(0, ...all.filter((set) => set !== fresh).map(revisionOf));
    const revision = String(fresh && revisionOf(fresh) > highest ? revisionOf(fresh) : highest + 1);
    if (fresh) this.annotate(fresh, { [revisionKey]: revision });
    else this.create(rollout, revision);
    if (rollout.metadata.annotations?.[revisionKey] === revision) return;
    this.store.modify('Rollout', rollout, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [revisionKey]: revision };
    });
    this.events.normal(rollout, 'rollouts-controller', 'RolloutUpdated', `Rollout updated to revision ${revision}`);
  }

  /** Answers whether the number changed. */
  scale(rollout: KubeObject, set: KubeObject, size: number): boolean {
    const before: number = set.spec.replicas;
    this.store.modify('ReplicaSet', set, (draft) => {
      draft.spec.replicas = size;
      draft.metadata.annotations = { ...draft.metadata.annotations, [desiredKey]: String(rollout.spec.replicas ?? 1) };
      if (size === 0) delete draft.metadata.annotations[deadlineKey];
    });
    if (before === size) return false;
    const message = `Scaled ${size > before ? 'up' : 'down'} ReplicaSet ${set.metadata.name} (revision ${revisionOf(set)}) from ${before} to ${size}`;
    this.events.normal(rollout, 'rollouts-controller', 'ScalingReplicaSet', message);
    return true;
  }

  /** Whether `spec.replicas` changed since its ReplicaSets were last sized. */
  isScalingEvent(rollout: KubeObject, { all }: Sets): boolean {
    const sizes = all.filter((set) => set.spec.replicas > 0).map((set) => set.metadata.annotations?.[desiredKey]);
    return sizes.some((size) => size !== undefined && size !== String(rollout.spec.replicas ?? 1));
  }

  /** It may go to zero then. */
  setDeadline(set: KubeObject, after: number): void {
    this.annotate(set, { [deadlineKey]: timestamp(this.now() + after) });
  }

  clearDeadline(set: KubeObject): void {
    if (deadlineOfSet(set) === undefined) return;
    this.store.modify('ReplicaSet', set, ({ metadata }) => {
      if (metadata.annotations) delete metadata.annotations[deadlineKey];
    });
  }

  cleanUp(rollout: KubeObject, { older }: Sets): void {
    const idle = older.filter((set) => set.spec.replicas === 0 && (set.status?.replicas ?? 0) === 0);
    for (const set of idle.slice(rollout.spec.revisionHistoryLimit ?? 10)) this.store.remove('ReplicaSet', set);
  }

  private annotate(set: KubeObject, annotations: Record<string, string>): void {
    this.store.modify('ReplicaSet', set, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, ...annotations };
    });
  }

  private create(rollout: KubeObject, revision: string): void {
    const { metadata, spec } = rollout;
    const hash = templateHash(spec.template);
    const labels = { ...spec.template.metadata?.labels, [hashLabel]: hash };
    const owner = {
      apiVersion: rollout.apiVersion,
      kind: 'Rollout',
      name: metadata.name,
      uid: metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    };
    const set = this.store.create('ReplicaSet', {
      metadata: {
        name: `${metadata.name}-${hash}`,
        namespace: metadata.namespace,
        labels,
        annotations: { [desiredKey]: String(spec.replicas ?? 1), [revisionKey]: revision },
        ownerReferences: [owner],
      },
      spec: {
        replicas: 0,
        ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [hashLabel]: hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
      status: { replicas: 0 },
    });
    this.events.normal(
      rollout,
      'rollouts-controller',
      'NewReplicaSetCreated',
      `Created ReplicaSet ${set.metadata.name} (revision ${revision})`,
    );
  }
}

export function hashOf(set: KubeObject): string {
  return set.metadata.labels?.[hashLabel] ?? '';
}

export function revisionOf(object: KubeObject): number {
  return Number(object.metadata.annotations?.[revisionKey] ?? 0);
}

/** Milliseconds since the epoch. */
export function deadlineOfSet(set: KubeObject): number | undefined {
  const text = set.metadata.annotations?.[deadlineKey];
  return text === undefined ? undefined : Date.parse(text);
}

function plainTemplate({ spec }: KubeObject): object {
  const labels = { ...spec.template.metadata?.labels };
  delete labels[hashLabel];
  return { ...spec.template, metadata: { ...spec.template.metadata, labels } };
}
