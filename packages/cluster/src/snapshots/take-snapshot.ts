import { randomBytes } from 'node:crypto';
import { type Clock, OperationError } from '@slipway/core';
import { readScaler, type Scaler } from '../capacity/scaler.js';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';
import { inParallel } from './in-parallel.js';
import { type Reference, referencedConfig } from './referenced-config.js';
import { fingerprintSecret, type SnapshotKey, sealSecret, snapshotKey } from './seal-secret.js';
import {
  entryChecksum,
  entryWords,
  type Snapshot,
  type SnapshotEntry,
  type SnapshotMetadata,
  type SnapshotRole,
  sealedPlace,
} from './snapshot.js';
import { type SnapshotReference, storeSnapshot } from './snapshot-store.js';
import { stripObject } from './strip-object.js';

/** Requests that are under way at once. */
export const AT_ONCE = 8;

export interface SnapshotOptions {
  id: string;
  namespace: string;
  /** The workload, as it was just read; or its kind and name, which costs one read. */
  workload: KubeObject | Reference;
  /** The same for the canary, if there is one; for the record. */
  canary?: KubeObject | Reference;
  /** Its autoscaler; null: it has none; absent: it is looked for (one list). */
  scaler?: Scaler | null;
  /** The Kubernetes Service, or its name; absent: none is kept. */
  service?: KubeObject | string;
  /** The objects that split traffic, as they were just read or by name. */
  traffic?: readonly (KubeObject | Reference)[];
  metadata: SnapshotMetadata;
  /** Traffic split, metrics, state of the rollout: any JSON. */
  record?: unknown;
  /** Encrypts Secrets; absent: only fingerprints of them are kept. See {@link snapshotKey}. */
  key?: string;
  /** Snapshots to keep of this workload, at least 1; default 5. */
  maxSnapshots?: number;
  /** Ids of snapshots that are still needed, whatever their age. */
  inUse?: readonly string[];
}

/** Where it was stored, and what is not in it. */
export interface TakenSnapshot extends SnapshotReference {
  id: string;
  snapshot: Snapshot;
  warnings: string[];
}

/**
 * Reads everything that a release may change, and stores it; see snapshot-store.ts for where. Reads go in parallel, 8 at once; besides them
 * three requests (four the first time). Objects that may not be read are left out with a warning, so that a release does not need rights that
 * only a restore of those objects would.
 *
 * Reasons: WORKLOAD_NOT_FOUND, SCALER_AMBIGUOUS, SNAPSHOT_TOO_LARGE, CONFLICT.
 */
export async function takeSnapshot(client: KubeClient, options: SnapshotOptions, clock: Clock): Promise<TakenSnapshot> {
  const snapshot = await readForSnapshot(client, options, clock);
  const reference = await storeSnapshot(client, snapshot, { max: options.maxSnapshots ?? 5, inUse: options.inUse ?? [] });
  return { ...reference, id: snapshot.id, snapshot, warnings: [...warningsOf(snapshot), ...reference.warnings] };
}

/** The snapshot as it would be stored. Only reads. */
export async function readForSnapshot(client: KubeClient, options: SnapshotOptions, clock: Clock): Promise<Snapshot> {
  const { namespace, id } = options;
  const workload = await readWorkloadObject(client, namespace, options.workload);
  const salt = options.key === undefined ? null : randomBytes(16).toString('base64');
  const key = options.key === undefined || salt === null ? undefined : snapshotKey(options.key, salt);
  const toRead = wanted(options, workload);
  const entries = await inParallel(AT_ONCE, toRead, async ({ role, read }) => {
    const found = await read(client);
    return found.map((each) => entryOf(role, each, (secret) => protect(secret, key, sealedPlace({ id, namespace }, secret.metadata.name))));
  });
  return {
    schema: 2,
    id,
    at: new Date(clock.now()).toISOString(),
    namespace,
    workload: workload.metadata.name,
    metadata: options.metadata,
    record: options.record ?? null,
    salt,
    entries: entries.flat(),
  };
}

/** What became of reading one object. */
interface Found extends Reference {
  object?: KubeObject;
  unread?: string;
}

interface Wanted {
  role: SnapshotRole;
  read: (client: KubeClient) => Promise<Found[]>;
}

function wanted({ namespace, canary, scaler, service, traffic = [] }: SnapshotOptions, workload: KubeObject): Wanted[] {
  const one = (role: SnapshotRole, object: KubeObject | Reference): Wanted => ({
    role,
    read: async (client) => [isObject(object) ? { ...referenceTo(object), object } : await readOne(client, namespace, object)],
  });
  const config = referencedConfig(workload.spec?.template?.spec ?? {});
  return [
    one('workload', workload),
    ...(canary === undefined ? [] : [one('canary', canary)]),
    ...config.map((reference) => one(reference.resource.plural === 'secrets' ? 'secret' : 'config', reference)),
    ...(scaler === null ? [] : [{ role: 'scaler' as const, read: (client: KubeClient) => readScalerObject(client, workload, scaler) }]),
    ...(service === undefined
      ? []
      : [one('service', typeof service === 'string' ? { resource: resources.services, name: service } : service)]),
    ...traffic.map((each) => one('traffic', each)),
  ];
}

async function readOne(client: KubeClient, namespace: string, { resource, name }: Reference): Promise<Found> {
  try {
    const object = await client.find(resource, namespace, name);
    return { resource, name, ...(object ? { object } : {}) };
  } catch (error) {
    return { resource, name, unread: refusal(error) };
  }
}

async function readScalerObject(client: KubeClient, workload: KubeObject, known: Scaler | undefined): Promise<Found[]> {
  const { name, namespace = '' } = workload.metadata;
  try {
    const scaler = known ?? (await readScaler(client, namespace, { kind: workload.kind, name }));
    if (scaler === null) return [];
    const resource = scaler.kind === 'keda' ? resources.scaledobjects : resources.horizontalpodautoscalers;
    return [{ resource, name: scaler.name, object: scaler.object }];
  } catch (error) {
    return [{ resource: resources.horizontalpodautoscalers, name, unread: refusal(error) }];
  }
}

/** Only the lack of a right is no failure. */
function refusal(error: unknown): string {
  if (error instanceof OperationError && error.reason === 'FORBIDDEN') return [error.message, ...error.next].join(' ');
  throw error;
}

async function readWorkloadObject(client: KubeClient, namespace: string, workload: KubeObject | Reference): Promise<KubeObject> {
  if (isObject(workload)) return workload;
  const found = await client.find(workload.resource, namespace, workload.name);
  if (found) return found;
  throw new OperationError(`There is no ${workload.resource.kind} ${namespace}/${workload.name} to take a snapshot of.`, {
    reason: 'WORKLOAD_NOT_FOUND',
    next: ['Correct its name; the first release of a service has nothing to go back to.'],
  });
}

function entryOf(
  role: SnapshotRole,
  { resource, name, object, unread }: Found,
  seal: (secret: KubeObject) => SnapshotEntry['secret'],
): SnapshotEntry {
  const isSecret = resource.plural === 'secrets' && resource.group === '';
  const secret = object && isSecret ? seal(object) : null;
  const content = {
    state: unread === undefined ? stateOf(object, secret) : ('unread' as const),
    object: object && !isSecret ? stripObject(object) : null,
    secret,
    why: unread ?? null,
  };
  return {
    role,
    resource: plain(resource),
    name,
    uid: isSecret ? null : (object?.metadata.uid ?? null),
    ...content,
    sha256: entryChecksum(content),
  };
}

function stateOf(object: KubeObject | undefined, secret: SnapshotEntry['secret']): SnapshotEntry['state'] {
  return object === undefined ? 'absent' : (secret?.kind ?? 'kept');
}

function protect(secret: KubeObject, key: SnapshotKey | undefined, place: string): SnapshotEntry['secret'] {
  return key === undefined ? fingerprintSecret(secret) : sealSecret(stripObject(secret), key, place);
}

function warningsOf({ entries }: Snapshot): string[] {
  return entries.filter(({ state }) => state === 'unread').map((entry) => `${entryWords(entry)} is not in the snapshot: ${entry.why}`);
}

function isObject(object: KubeObject | Reference): object is KubeObject {
  return 'metadata' in object;
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject): Reference {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const known = Object.values(resources).find((resource) => resource.kind === kind && resource.group === group);
  return { resource: { group, version, plural: known?.plural ?? `${kind.toLowerCase()}s`, kind }, name: metadata.name };
}

function plain({ group, version, plural, kind }: Reference['resource']): Reference['resource'] {
  return { group, version, plural, kind };
}
