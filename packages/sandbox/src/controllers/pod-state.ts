import { controllerOf, type KubeObject } from '../kube/object.js';
import type { Store } from '../kube/store.js';

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  const conditions: Condition[] = object.status?.conditions ?? [];
  return conditions.find((condition) => condition.type === type);
}

export function isReady(pod: KubeObject): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True';
}

/** Not on its way out and not ended. */
export function isActive(pod: KubeObject): boolean {
  return !pod.metadata.deletionTimestamp && !['Succeeded', 'Failed'].includes(pod.status?.phase);
}

/** Milliseconds until a ready pod has been ready for `minReadySeconds`; 0 when it has, undefined when it is not ready. */
export function untilAvailable(pod: KubeObject, minReadySeconds: number, now: number): number | undefined {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000 - now);
}

/** Objects of a kind whose controller is this owner. */
export function ownedBy(store: Store, kind: string, owner: KubeObject): KubeObject[] {
  return store.list(kind, owner.metadata.namespace).filter((object) => controllerOf(object)?.uid === owner.metadata.uid);
}

export function sum(objects: readonly KubeObject[], value: (object: KubeObject) => number | undefined): number {
  return objects.reduce((total, object) => total + (value(object) ?? 0), 0);
}
