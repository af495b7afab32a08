import { randomUUID } from 'node:crypto';
import { alreadyExists, conflict, notFound } from './api-error.js';
import { apiVersionOf, type Kind, kindNamed, kinds } from './kinds.js';
import { type KubeObject, sameJson, timestamp } from './object.js';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change of one object. `previous` is what was stored before. */
export interface Change {
  type: ChangeType;
  kind: Kind;
  object: KubeObject;
  previous: KubeObject | undefined;
  resourceVersion: number;
}

/** How many changes can be replayed to a watch that resumes; older ones are answered 410. */
const historyLength = 5000;

/**
 * All objects of the cluster, versioned as in etcd: every write takes the next resource version, nothing is changed in place, and
 * listeners hear of each change in order. What a write may contain is not decided here but in `resource-handler.ts`.
 */
export class Store {
  private readonly objects = new Map<Kind, Map<string, KubeObject>>(kinds.map((kind) => [kind, new Map()]));
  private readonly listeners = new Set<(change: Change) => void>();
  private readonly history: Change[] = [];
  private version = 1000;
  private forgotten = 1000;

  /** Every kind that can be stored. */
  readonly kinds = kinds;

  constructor(private readonly now: () => number) {}

  get resourceVersion(): string {
    return String(this.version);
  }

  onChange(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  find(kind: Kind | string, namespace: string, name: string): KubeObject | undefined {
    return this.of(kind).get(keyOf(namespace, name));
  }

  get(kind: Kind | string, namespace: string, name: string): KubeObject {
    const found = this.find(kind, namespace, name);
    if (!found) throw notFound(resolve(kind), name);
    return found;
  }

  /** Objects of a kind in key order; of all namespaces when `namespace` is empty. */
  list(kind: Kind | string, namespace = ''): KubeObject[] {
    const all = [...this.of(kind)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
    return namespace ? all.filter((object) => object.metadata.namespace === namespace) : all;
  }

  /** Stores a new object with uid, creation time and resource version. */
  create(kind: Kind | string, object: object): KubeObject {
    const of = resolve(kind);
    const given = structuredClone(object) as KubeObject;
    const { name, namespace = '' } = given.metadata;
    if (this.find(of, namespace, name)) throw alreadyExists(of, name);
    given.apiVersion = apiVersionOf(of);
    given.kind = of.kind;
    given.metadata.uid = randomUUID();
    given.metadata.creationTimestamp = timestamp(this.now());
    if (of.generation) given.metadata.generation = 1;
    return this.commit('ADDED', of, given, undefined);
  }

  /** Stores a changed object; answers the stored one untouched when nothing changed, as the API server does. */
  update(kind: Kind | string, object: KubeObject): KubeObject {
    const of = resolve(kind);
    const stored = this.get(of, object.metadata.namespace ?? '', object.metadata.name);
    const { resourceVersion } = object.metadata;
    if (resourceVersion && resourceVersion !== stored.metadata.resourceVersion) throw conflict(of, object.metadata.name);
    const next: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: stored.metadata.resourceVersion } };
    if (sameJson(next, stored)) return stored;
    return this.commit('MODIFIED', of, next, stored);
  }

  /** Changes the newest form of an object, if it is still there. What controllers use. */
  modify(kind: Kind | string, object: KubeObject, change: (draft: KubeObject) => void): KubeObject | undefined {
    const { namespace = '', name, uid } = object.metadata;
    const stored = this.find(kind, namespace, name);
    if (!stored || stored.metadata.uid !== uid) return undefined;
    const draft = structuredClone(stored);
    change(draft);
    if (resolve(kind).generation && draft.metadata.generation !== undefined && !sameJson(draft.spec, stored.spec))
      draft.metadata.generation += 1;
    return this.update(kind, draft);
  }

  remove(kind: Kind | string, object: KubeObject): void {
    const of = resolve(kind);
    const stored = this.find(of, object.metadata.namespace ?? '', object.metadata.name);
    if (stored?.metadata.uid === object.metadata.uid) this.commit('DELETED', of, stored, stored);
  }

  /** Changes after a resource version, or undefined when they are no longer kept. */
  since(resourceVersion: number): Change[] | undefined {
    if (resourceVersion < this.oldestVersion) return undefined;
    return this.history.filter((change) => change.resourceVersion > resourceVersion);
  }

  /** The oldest resource version that a watch or a list in pieces can continue from. */
  get oldestVersion(): number {
    return this.forgotten;
  }

  /** Forgets all changes up to now, as etcd's compaction does: who continues from before is answered 410. */
  compact(): void {
    this.history.length = 0;
    this.forgotten = this.version;
  }

  private of(kind: Kind | string): Map<string, KubeObject> {
    return this.objects.get(resolve(kind)) as Map<string, KubeObject>;
  }

  private commit(type: ChangeType, kind: Kind, object: KubeObject, previous: KubeObject | undefined): KubeObject {
    this.version += 1;
    const stored: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: this.resourceVersion } };
    const key = keyOf(stored.metadata.namespace ?? '', stored.metadata.name);
    if (type === 'DELETED') this.of(kind).delete(key);
    else this.of(kind).set(key, stored);
    const change = { type, kind, object: stored, previous, resourceVersion: this.version };
    this.history.push(change);
    if (this.history.length > historyLength) this.forgotten = this.history.splice(0, historyLength / 5).at(-1)?.resourceVersion ?? 0;
    for (const listener of this.listeners) listener(change);
    return stored;
  }
}

function resolve(kind: Kind | string): Kind {
  return typeof kind === 'string' ? kindNamed(kind) : kind;
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
