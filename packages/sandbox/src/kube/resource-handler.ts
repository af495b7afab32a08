import { randomUUID } from 'node:crypto';
import { trackUpdate } from '../patch/managed-fields.js';
import type { SeededRandom } from '../seeded-random.js';
import { ApiError, alreadyExists, badRequest, conflict, invalid, notFound } from './api-error.js';
import { checkDecodable } from './decode.js';
import { applyDefaults } from './defaults.js';
import { apiVersionOf, type Kind } from './kinds.js';
import { type KubeObject, sameJson, timestamp } from './object.js';
import { type PatchRequest, patched } from './patch.js';
import { checkQuota } from './quota.js';
import type { Store } from './store.js';
import { validate } from './validate.js';

export interface WriteOptions {
  /** Field manager: from the query, else the client's user agent. */
  manager: string;
  subresource: string;
  dryRun: boolean;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun: boolean;
}

/** What a write to the API means: decoding, defaults, validation, immutable fields, generation, ownership of fields, then the store. */
export class ResourceHandler {
  private nextIp = 10;

  constructor(
    private readonly store: Store,
    private readonly random: SeededRandom,
    private readonly now: () => number,
  ) {}

  create(kind: Kind, namespace: string, body: unknown, options: WriteOptions): KubeObject {
    checkDecodable(body, kind);
    const object = structuredClone(body) as unknown as KubeObject;
    object.apiVersion = apiVersionOf(kind);
    object.kind = kind.kind;
    object.metadata ??= {} as KubeObject['metadata'];
    this.placeInNamespace(object, kind, namespace);
    const { metadata } = object;
    if (!metadata.name && metadata.generateName) metadata.name = metadata.generateName + this.random.suffix(5);
    if (metadata.resourceVersion) throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
    if (namespace && !this.store.find('Namespace', '', namespace)) throw notFound(namespaceKind, namespace);
    if (kind.status && kind.kind !== 'Namespace') delete object.status;
    applyDefaults(object, () => this.allocateIp());
    if (!kind.custom) omitEmpty(object);
    validate(object, kind, undefined);
    checkQuota(this.store, kind, object);
    if (this.store.find(kind, metadata.namespace ?? '', metadata.name)) throw alreadyExists(kind, metadata.name);
    trackUpdate(object, undefined, kind, { name: options.manager, subresource: options.subresource, now: this.now() });
    if (options.dryRun) return notStored(object, kind, this.now());
    return this.store.create(kind, object);
  }

  /** PUT, on the object itself or a subresource. */
  replace(kind: Kind, namespace: string, name: string, body: unknown, options: WriteOptions): KubeObject {
    checkDecodable(body, kind);
    const stored = this.store.get(kind, namespace, name);
    const next = structuredClone(body) as unknown as KubeObject;
    next.metadata ??= {} as KubeObject['metadata'];
    if (next.metadata.name !== name) {
      throw badRequest(`the name of the object (${next.metadata.name ?? ''}) does not match the name on the URL (${name})`);
    }
    this.placeInNamespace(next, kind, namespace);
    if (!next.metadata.resourceVersion && kind.versionedUpdate) {
      const message = 'Invalid value: 0: must be specified for an update';
      // The resource's name stands where the kind's should: so it does in the real server.
      throw invalid({ ...kind, kind: kind.plural }, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }]);
    }
    checkStoredUid(stored, kind, next.metadata.uid);
    return this.write(kind, stored, next, options);
  }

  patch(kind: Kind, namespace: string, name: string, request: PatchRequest, options: WriteOptions): KubeObject {
    const stored = this.store.find(kind, namespace, name);
    if (!stored) {
      if (request.type !== 'apply') throw notFound(kind, name);
      return this.createByApply(kind, namespace, name, request, options);
    }
    const next = patched(stored, kind, request, { ...options, now: this.now() });
    if (request.type === 'apply') checkDecodable(next, kind);
    else checkPatched(next, kind);
    return this.write(kind, stored, next, options, request.type === 'apply');
  }

  /** Removes an object, or marks it for removal: pods end gracefully, Foreground waits for dependents. */
  remove(kind: Kind, namespace: string, name: string, options: DeleteOptions): KubeObject {
    const stored = this.store.get(kind, namespace, name);
    checkPreconditions(stored, kind, options.preconditions);
    if (options.dryRun) return stored;
    const grace = kind.kind === 'Pod' ? (options.gracePeriodSeconds ?? stored.spec?.terminationGracePeriodSeconds ?? 30) : 0;
    const finalizer = { Foreground: 'foregroundDeletion', Orphan: 'orphan' }[options.propagationPolicy ?? ''];
    const waits = grace > 0 || finalizer !== undefined || (stored.metadata.finalizers?.length ?? 0) > 0;
    if (!waits) {
      this.store.remove(kind, stored);
      return stored;
    }
    if (stored.metadata.deletionTimestamp) return stored;
    const marked = this.store.modify(kind, stored, ({ metadata }) => {
      metadata.deletionTimestamp = timestamp(this.now() + grace * 1000);
      metadata.deletionGracePeriodSeconds = grace;
      if (finalizer) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
    });
    return marked ?? stored;
  }

  private createByApply(kind: Kind, namespace: string, name: string, request: PatchRequest, options: WriteOptions): KubeObject {
    const empty = {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { name, ...(namespace ? { namespace } : {}) },
    } as KubeObject;
    const object = patched(empty, kind, request, { ...options, now: this.now() });
    const managed = object.metadata.managedFields;
    const created = this.create(kind, namespace, { ...object, metadata: { ...object.metadata, managedFields: undefined } }, options);
    if (options.dryRun) return created;
    return this.store.modify(kind, created, (draft) => Object.assign(draft.metadata, { managedFields: managed })) ?? created;
  }

  private write(kind: Kind, stored: KubeObject, wanted: KubeObject, options: WriteOptions, applied = false): KubeObject {
    const { name } = stored.metadata;
    const { uid } = wanted.metadata;
    if (uid && uid !== stored.metadata.uid) throw immutableUid(kind, name, uid);
    if (wanted.metadata.name !== name) {
      throw invalid(kind, name, [
        { reason: 'FieldValueInvalid', message: `Invalid value: "${wanted.metadata.name}": field is immutable`, field: 'metadata.name' },
      ]);
    }
    const { resourceVersion } = wanted.metadata;
    if (resourceVersion && resourceVersion !== stored.metadata.resourceVersion) throw conflict(kind, name);
    const next = keepSystemFields(kind, stored, wanted, options.subresource);
    applyDefaults(next, () => this.allocateIp());
    if (!kind.custom) omitEmpty(next);
    validate(next, kind, stored, options.subresource);
    if (kind.generation && changesGeneration(kind, stored, next)) next.metadata.generation = (stored.metadata.generation ?? 0) + 1;
    if (!applied) trackUpdate(next, stored, kind, { name: options.manager, subresource: options.subresource, now: this.now() });
    if (isUnchanged(stored, next) || options.dryRun) return options.dryRun ? next : stored;
    const written = this.store.update(kind, next);
    // The last finalizer's removal is what a deletion waited for.
    if (written.metadata.deletionTimestamp && !written.metadata.finalizers?.length && kind.kind !== 'Pod') this.store.remove(kind, written);
    return written;
  }

  private placeInNamespace(object: KubeObject, kind: Kind, namespace: string): void {
    if (!kind.namespaced) {
      delete object.metadata.namespace;
      return;
    }
    if (object.metadata.namespace && object.metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    object.metadata.namespace = namespace;
  }

  private allocateIp(): string {
    this.nextIp += 1;
    return `10.96.${(this.nextIp >> 8) & 255}.${this.nextIp & 255}`;
  }
}

/** A patch that makes of the object what cannot be decoded is refused with the whole of it. */
function checkPatched(next: KubeObject, kind: Kind): void {
  try {
    checkDecodable(next, kind);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const why = error.message.replace(/^.* cannot be handled as a \w+: /, '');
    const cause = {
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(JSON.stringify(next))}: ${why}`,
      field: 'patch',
    };
    throw new ApiError(422, 'Invalid', ` "" is invalid: patch: ${cause.message}`, { causes: [cause] });
  }
}

/** What a dry run answers: everything but a resource version. */
function notStored(object: KubeObject, kind: Kind, now: number): KubeObject {
  const { resourceVersion, ...metadata } = object.metadata;
  const generation = kind.generation ? { generation: 1 } : {};
  return {
    ...object,
    metadata: { ...metadata, uid: randomUUID(), creationTimestamp: timestamp(now), ...generation } as KubeObject['metadata'],
  };
}

const namespaceKind: Kind = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

/** What a client cannot change: identity, times, and the status (or, through a subresource, everything else). */
function keepSystemFields(kind: Kind, stored: KubeObject, wanted: KubeObject, subresource: string): KubeObject {
  const next = structuredClone(wanted);
  if (subresource === 'status') {
    const kept: KubeObject = { ...structuredClone(stored), status: next.status };
    if (next.metadata.managedFields) kept.metadata.managedFields = next.metadata.managedFields;
    return kept;
  }
  next.apiVersion = stored.apiVersion;
  next.kind = stored.kind;
  const { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } = stored.metadata;
  Object.assign(next.metadata, { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds });
  for (const key of ['generation', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (next.metadata[key] === undefined) delete next.metadata[key];
  }
  if (kind.status) {
    if (stored.status === undefined) delete next.status;
    else next.status = structuredClone(stored.status);
  }
  if (kind.kind === 'Service' && next.spec && !next.spec.clusterIP && stored.spec?.clusterIP) next.spec.clusterIP = stored.spec.clusterIP;
  return next;
}

/** A custom kind without a status of its own counts every change; Deployments those of annotations too (pkg/registry/apps/deployment/strategy.go). */
function changesGeneration(kind: Kind, before: KubeObject, after: KubeObject): boolean {
  if (kind.custom && !kind.status) return !sameJson({ ...before, metadata: {} }, { ...after, metadata: {} });
  if (!sameJson(before.spec, after.spec)) return true;
  return kind.kind === 'Deployment' && !sameJson(before.metadata.annotations ?? {}, after.metadata.annotations ?? {});
}

/** Apart from who owns which field since when. */
function isUnchanged(before: KubeObject, after: KubeObject): boolean {
  const plain = (object: KubeObject) => ({ ...object, metadata: { ...object.metadata, managedFields: undefined } });
  const owners = (object: KubeObject) => (object.metadata.managedFields ?? []).map((entry) => ({ ...entry, time: '' }));
  return sameJson(plain(before), plain(after)) && sameJson(owners(before), owners(after));
}

/** The server finds the mistake twice and says it once. */
function immutableUid(kind: Kind, name: string, uid: string): ApiError {
  const cause = { reason: 'FieldValueInvalid', message: `Invalid value: "${uid}": field is immutable`, field: 'metadata.uid' };
  const { code, reason, message, details } = invalid(kind, name, [cause]);
  return new ApiError(code, reason, message, { ...details, causes: [cause, cause] });
}

/** A PUT that names a uid goes through to the storage, which words it its own way. */
function checkStoredUid({ metadata }: KubeObject, kind: Kind, uid: string | undefined): void {
  const { name, namespace, uid: actual } = metadata;
  if (!uid || uid === actual) return;
  const key = ['/registry', ...(kind.custom ? [kind.group] : []), kind.plural, ...(namespace ? [namespace] : []), name].join('/');
  const error = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: `;
  throw conflict(kind, name, `${error}Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actual}`);
}

/** What a deletion names must be what is stored. The kind stands where the resource should: so it does in the real server. */
function checkPreconditions({ metadata }: KubeObject, kind: Kind, preconditions: DeleteOptions['preconditions'] = {}): void {
  const refuse = (what: string, asked: string, actual: string, since: string) => {
    const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${actual}). The object might have been ${since}`;
    return conflict({ ...kind, plural: kind.kind }, metadata.name, why);
  };
  const { uid, resourceVersion } = preconditions;
  if (uid && uid !== metadata.uid) throw refuse('UID', uid, metadata.uid, 'deleted and then recreated');
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw refuse('ResourceVersion', resourceVersion, metadata.resourceVersion, 'modified');
  }
}

/** Empty maps and lists that Go leaves out when it writes a built-in kind. */
function omitEmpty(object: KubeObject): void {
  const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  for (const field of ['labels', 'annotations', 'ownerReferences', 'finalizers'] as const) {
    if (isEmpty(object.metadata[field])) delete object.metadata[field];
  }
  for (const field of ['data', 'binaryData']) if (isEmpty(object[field])) delete object[field];
}
