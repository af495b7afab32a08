import { kinds } from '../kube/kinds.js';
import type { KubeObject } from '../kube/object.js';
import { timestamp } from '../kube/object.js';
import type { Store } from '../kube/store.js';
import { WorkQueue } from './work-queue.js';

/** Removes what belonged to a deleted owner; obeys Foreground and Orphan, and empties deleted namespaces (kubernetes/pkg/controller/garbagecollector). */
export class GarbageCollector {
  private readonly queue = new WorkQueue((uid) => this.collect(uid));
  private readonly waiting = new Map<string, KubeObject>();
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {
    this.unsubscribe = store.onChange(({ type, object, kind }) => {
      if (type === 'DELETED' && kind.kind === 'Namespace') this.empty(object.metadata.name);
      else if (type === 'DELETED') {
        this.queue.add(object.metadata.uid);
        for (const owner of object.metadata.ownerReferences ?? []) if (this.waiting.has(owner.uid)) this.queue.add(owner.uid);
      } else if (object.metadata.deletionTimestamp && object.metadata.finalizers?.length) {
        this.waiting.set(object.metadata.uid, object);
        this.queue.add(object.metadata.uid);
      }
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private collect(uid: string): void {
    const owner = this.waiting.get(uid);
    const current = owner && this.store.find(owner.kind, owner.metadata.namespace ?? '', owner.metadata.name);
    const finalizers = current?.metadata.uid === uid ? (current.metadata.finalizers ?? []) : [];
    if (finalizers.includes('orphan')) this.orphan(uid);
    else for (const object of this.dependents(uid)) this.remove(object, finalizers.includes('foregroundDeletion'));
    if (!current || current.metadata.uid !== uid) return;
    if (finalizers.includes('foregroundDeletion') && this.dependents(uid).length > 0) return;
    this.finish(current);
  }

  /** Takes away the collector's own finalizers; an object without any left is gone. */
  private finish(object: KubeObject): void {
    const left = (object.metadata.finalizers ?? []).filter((name) => !['foregroundDeletion', 'orphan'].includes(name));
    if (left.length > 0) return;
    this.waiting.delete(object.metadata.uid);
    this.store.remove(object.kind, object);
  }

  private dependents(uid: string): KubeObject[] {
    return kinds
      .flatMap((kind) => (kind.kind === 'Event' ? [] : this.store.list(kind)))
      .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  }

  private orphan(uid: string): void {
    for (const object of this.dependents(uid)) {
      this.store.modify(object.kind, object, ({ metadata }) => {
        metadata.ownerReferences = metadata.ownerReferences?.filter((owner) => owner.uid !== uid) ?? [];
      });
    }
  }

  private remove(object: KubeObject, foreground: boolean): void {
    if (object.metadata.deletionTimestamp) return;
    const grace = object.kind === 'Pod' ? (object.spec?.terminationGracePeriodSeconds ?? 30) : 0;
    const hasOwn = foreground && object.kind === 'ReplicaSet';
    if (grace === 0 && !hasOwn) return this.store.remove(object.kind, object);
    this.store.modify(object.kind, object, ({ metadata }) => {
      metadata.deletionTimestamp = timestamp(this.now() + grace * 1000);
      metadata.deletionGracePeriodSeconds = grace;
      if (hasOwn) metadata.finalizers = [...(metadata.finalizers ?? []), 'foregroundDeletion'];
    });
  }

  private empty(namespace: string): void {
    for (const kind of kinds.filter((one) => one.namespaced)) {
      for (const object of this.store.list(kind, namespace)) this.store.remove(kind, object);
    }
  }
}
