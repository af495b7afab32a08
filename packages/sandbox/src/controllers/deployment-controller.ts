import { controllerOf, type KubeObject, sameJson } from '../kube/object.js';
import { matchesSelector } from '../kube/selectors.js';
import type { Store } from '../kube/store.js';
import { fnv1a, safeAlphabet } from '../seeded-random.js';
import { deploymentStatus } from './deployment-status.js';
import type { EventRecorder } from './events.js';
import { ownedBy, sum } from './pod-state.js';
import { nextNewSize, nextOldSizes, proportionalSizes, resolveBounds } from './rolling-update.js';
import { WorkQueue } from './work-queue.js';

const revisionKey = 'deployment.kubernetes.io/revision';
const desiredKey = 'deployment.kubernetes.io/desired-replicas';
const maxKey = 'deployment.kubernetes.io/max-replicas';
const hashLabel = 'pod-template-hash';
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionKey,
  desiredKey,
  maxKey,
  'deprecated.deployment.rollback.to',
]);

/** Rolls each Deployment's template out through ReplicaSets (kubernetes/pkg/controller/deployment). */
export class DeploymentController {
  private readonly queue = new WorkQueue((key) => this.reconcile(key));
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    private readonly now: () => number,
  ) {
    this.unsubscribe = store.onChange(({ kind, object, type }) => {
      const { namespace } = object.metadata;
      if (kind.kind === 'Deployment') this.queue.add(`${namespace}/${object.metadata.name}`);
      if (kind.kind === 'ReplicaSet') {
        const owner = controllerOf(object);
        if (owner) this.queue.add(`${namespace}/${owner.name}`);
      }
      // Recreate waits until the last old pod is gone.
      if (kind.kind === 'Pod' && type === 'DELETED')
        for (const { metadata } of store.list('Deployment', namespace)) this.queue.add(`${namespace}/${metadata.name}`);
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private reconcile(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const deployment = this.store.find('Deployment', namespace, name);
    if (!deployment) return;
    if (deployment.metadata.deletionTimestamp) return this.report(deployment, undefined, key);
    this.adopt(deployment);
    const isScaling = this.isScalingEvent(deployment);
    const found = deployment.spec.paused || isScaling ? undefined : this.ensureNewSet(deployment);
    if (deployment.spec.paused || isScaling) this.scaleInProportion(deployment);
    else if (deployment.spec.strategy.type === 'Recreate') this.recreate(deployment);
    else this.roll(deployment);
    this.cleanUp(deployment);
    this.report(deployment, found, key);
  }

  private adopt(deployment: KubeObject): void {
    for (const set of this.store.list('ReplicaSet', deployment.metadata.namespace)) {
      if (controllerOf(set) || !matchesSelector(deployment.spec.selector, set.metadata.labels)) continue;
      this.store.modify('ReplicaSet', set, ({ metadata }) => Object.assign(metadata, { ownerReferences: [reference(deployment)] }));
    }
  }

  /** Oldest first. */
  private sets(deployment: KubeObject): KubeObject[] {
    return ownedBy(this.store, 'ReplicaSet', deployment).sort((a, b) => revisionOf(a) - revisionOf(b));
  }

  private newSet(deployment: KubeObject): KubeObject | undefined {
    return this.sets(deployment).find((set) => sameJson(plainTemplate(set), plainTemplate(deployment)));
  }

  /** Finds or makes the ReplicaSet of the current template and gives it the highest revision. */
  private ensureNewSet(deployment: KubeObject): { reason: string; message: string } | undefined {
    const sets = this.sets(deployment);
    const existing = this.newSet(deployment);
    const highestOld = Math.max(0, ...sets.filter((set) => set !== existing).map(revisionOf));
    const revision = String(existing ? Math.max(revisionOf(existing), highestOld + 1) : highestOld + 1);
    const fresh = existing ? this.renumber(deployment, existing, revision) : this.createSet(deployment, revision, sets);
    this.store.modify('Deployment', deployment, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [revisionKey]: revision };
    });
    if (!existing) return { reason: 'NewReplicaSetCreated', message: `Created new replica set "${fresh.metadata.name}"` };
    const isNews = existing.metadata.annotations?.[revisionKey] !== revision;
    return isNews ? { reason: 'FoundNewReplicaSet', message: `Found new replica set "${fresh.metadata.name}"` } : undefined;
  }

  private renumber(deployment: KubeObject, set: KubeObject, revision: string): KubeObject {
    const changed = this.store.modify('ReplicaSet', set, (draft) => {
      draft.metadata.annotations = { ...draft.metadata.annotations, ...inherited(deployment), [revisionKey]: revision };
      if (deployment.spec.minReadySeconds !== undefined) draft.spec.minReadySeconds = deployment.spec.minReadySeconds;
    });
    return changed ?? set;
  }

  private createSet(deployment: KubeObject, revision: string, sets: readonly KubeObject[]): KubeObject {
    const { metadata, spec } = deployment;
    const hash = templateHash(spec.template);
    const labels = { ...spec.template.metadata?.labels, [hashLabel]: hash };
    const bounds = resolveBounds(spec.replicas, spec.strategy.rollingUpdate);
    const total = sum(sets, (set) => set.spec.replicas);
    const isRolling = spec.strategy.type === 'RollingUpdate';
    const replicas = isRolling ? nextNewSize(spec.replicas, total, 0, bounds) : total > 0 ? 0 : spec.replicas;
    const set = this.store.create('ReplicaSet', {
      metadata: {
        name: `${metadata.name}-${hash}`,
        namespace: metadata.namespace,
        labels,
        annotations: { ...inherited(deployment), ...this.sizeAnnotations(deployment), [revisionKey]: revision },
        ownerReferences: [reference(deployment)],
      },
      spec: {
        replicas,
        ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [hashLabel]: hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
      status: { replicas: 0 },
    });
    if (replicas > 0) this.sayScaled(deployment, set, 0, replicas);
    return set;
  }

  private roll(deployment: KubeObject): void {
    const fresh = this.newSet(deployment);
    if (!fresh) return;
    const { replicas, strategy } = deployment.spec;
    const bounds = resolveBounds(replicas, strategy.rollingUpdate);
    const sets = this.sets(deployment);
    const size = nextNewSize(
      replicas,
      sum(sets, (set) => set.spec.replicas),
      fresh.spec.replicas,
      bounds,
    );
    if (size !== fresh.spec.replicas) return this.scale(deployment, fresh, size);
    const old = sets.filter((set) => set !== fresh);
    const count = (set: KubeObject) => ({
      replicas: set.spec.replicas,
      available: Math.min(set.status?.availableReplicas ?? 0, set.spec.replicas),
    });
    const sizes = nextOldSizes(replicas, count(fresh), old.map(count), bounds);
    for (const [i, set] of old.entries()) this.scale(deployment, set, sizes[i] as number);
    this.scale(deployment, fresh, size);
  }

  private recreate(deployment: KubeObject): void {
    const fresh = this.newSet(deployment);
    if (!fresh) return;
    const old = this.sets(deployment).filter((set) => set !== fresh);
    for (const set of old) this.scale(deployment, set, 0);
    const remains = old.some((set) => ownedBy(this.store, 'Pod', set).length > 0);
    if (!remains) this.scale(deployment, fresh, deployment.spec.replicas);
  }

  private isScalingEvent(deployment: KubeObject): boolean {
    const active = this.sets(deployment).filter((set) => set.spec.replicas > 0);
    return active.some((set) => set.metadata.annotations?.[desiredKey] !== String(deployment.spec.replicas));
  }

  private scaleInProportion(deployment: KubeObject): void {
    const sets = this.sets(deployment);
    const { replicas, strategy } = deployment.spec;
    const active = sets.filter((set) => set.spec.replicas > 0);
    const fresh = this.newSet(deployment);
    const only = active.length === 1 ? active[0] : active.length === 0 ? (fresh ?? sets.at(-1)) : undefined;
    if (only) return this.scale(deployment, only, replicas);
    const isSaturated = fresh && fresh.spec.replicas === replicas && fresh.status?.availableReplicas === replicas;
    if (isSaturated) {
      for (const set of active) if (set !== fresh) this.scale(deployment, set, 0);
      return this.scale(deployment, fresh, replicas);
    }
    const { maxSurge } = resolveBounds(replicas, strategy.rollingUpdate);
    const sizes = proportionalSizes(
      active.map((set) => set.spec.replicas),
      replicas > 0 ? replicas + maxSurge : 0,
    );
    for (const [i, set] of active.entries()) this.scale(deployment, set, sizes[i] as number);
  }

  private scale(deployment: KubeObject, set: KubeObject, size: number): void {
    const before = this.store.find('ReplicaSet', set.metadata.namespace ?? '', set.metadata.name)?.spec.replicas ?? 0;
    this.store.modify('ReplicaSet', set, (draft) => {
      draft.spec.replicas = size;
      draft.metadata.annotations = { ...draft.metadata.annotations, ...this.sizeAnnotations(deployment) };
    });
    if (before !== size) this.sayScaled(deployment, set, before, size);
  }

  private sizeAnnotations({ spec }: KubeObject): Record<string, string> {
    const surge = spec.strategy.type === 'RollingUpdate' ? resolveBounds(spec.replicas, spec.strategy.rollingUpdate).maxSurge : 0;
    return { [desiredKey]: String(spec.replicas), [maxKey]: String(spec.replicas + surge) };
  }

  private sayScaled(deployment: KubeObject, set: KubeObject, from: number, to: number): void {
    const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${to}`;
    this.events.normal(deployment, 'deployment-controller', 'ScalingReplicaSet', message);
  }

  /** Old ReplicaSets beyond the history limit go once a rollout is complete. */
  private cleanUp(deployment: KubeObject): void {
    const fresh = this.newSet(deployment);
    const done = this.sets(deployment).filter((set) => set !== fresh && set.spec.replicas === 0 && (set.status?.replicas ?? 0) === 0);
    const excess = done.length - deployment.spec.revisionHistoryLimit;
    for (const set of done.slice(0, Math.max(0, excess))) this.store.remove('ReplicaSet', set);
  }

  private report(deployment: KubeObject, found: { reason: string; message: string } | undefined, key: string): void {
    const current = this.store.find('Deployment', deployment.metadata.namespace ?? '', deployment.metadata.name);
    if (!current) return;
    const view = { deployment: current, fresh: this.newSet(current), sets: this.sets(current), found };
    const status = deploymentStatus(view, this.now());
    this.store.modify('Deployment', current, (draft) => Object.assign(draft, { status }));
    // Nothing may change any more when the deadline passes, so look again then.
    this.queue.addAfter(key, current.spec.progressDeadlineSeconds * 1000 + 1000);
  }
}

function revisionOf(set: KubeObject): number {
  return Number(set.metadata.annotations?.[revisionKey] ?? 0);
}

function reference({ metadata }: KubeObject) {
  return { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

function inherited({ metadata }: KubeObject): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !ownAnnotations.has(key)));
}

function plainTemplate({ spec }: KubeObject): object {
  const labels = { ...spec.template.metadata?.labels };
  delete labels[hashLabel];
  return { ...spec.template, metadata: { ...spec.template.metadata, labels } };
}

/** A short name for a template's content. The real hash is taken of Go's memory layout; only that equal templates get equal names matters. */
export function templateHash(template: unknown): string {
  const sorted = JSON.stringify(template, (_key, value) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  const digits = String(fnv1a(sorted));
  return [...digits].map((digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length]).join('');
}
