import { OperationError } from '@slipway/core';
import type { KubeObject, Resource } from '../kube.js';
import { canonicalJson, sha256 } from './canonical-json.js';
import { type FingerprintedSecret, openSecret, type SealedSecret, SNAPSHOT_KEY_VARIABLE, snapshotKey } from './seal-secret.js';

/** What an object is to the release; a restore goes by it. `canary` is kept for the record alone. */
export type SnapshotRole = 'workload' | 'canary' | 'config' | 'secret' | 'scaler' | 'service' | 'traffic';

/** One object as it was. */
export interface SnapshotEntry {
  role: SnapshotRole;
  resource: Resource;
  name: string;
  /** `kept`: in `object`; `sealed`, `fingerprint`: a Secret; `absent`: there was none; `unread`: it may not be read (`why`). */
  state: 'kept' | 'sealed' | 'fingerprint' | 'absent' | 'unread';
  /** Its uid, which tells a later object of the same name from it; null for Secrets, whose fingerprints it is the key to. */
  uid: string | null;
  object: KubeObject | null;
  secret: SealedSecret | FingerprintedSecret | null;
  why: string | null;
  /** Of the canonical JSON of what is kept (for a sealed Secret: of what is encrypted). */
  sha256: string;
}

export interface SnapshotMetadata {
  /** Who had it taken: a person or a workflow. */
  who: string | null;
  runUrl: string | null;
  /** The image that serves. */
  image: string | null;
  /** Percent of users that met the canary. */
  weight: number;
}

/** What a rollback restores: everything that a release may change, as it was. */
export interface Snapshot {
  schema: 2;
  /** Id of the rollout before which it was taken, or another name for the moment. */
  id: string;
  /** RFC 3339. */
  at: string;
  namespace: string;
  /** Name of the workload. */
  workload: string;
  metadata: SnapshotMetadata;
  /** For the record: traffic split, metrics, the rollout's state. */
  record: unknown;
  /** Salt of the Secrets' key; null when none was given. */
  salt: string | null;
  entries: SnapshotEntry[];
}

/** The entry's object in words: `ConfigMap shop-config`. */
export function entryWords({ resource, name }: Pick<SnapshotEntry, 'resource' | 'name'>): string {
  return `${resource.kind} ${name}`;
}

/** Key of an entry among live objects. */
export function entryKey({ resource, name }: Pick<SnapshotEntry, 'resource' | 'name'>): string {
  return `${resource.plural}.${resource.group}/${name}`;
}

/** The workload in a snapshot. Reason: SNAPSHOT_TAMPERED (it has none, or none of that kind). */
export function workloadIn(snapshot: Snapshot): SnapshotEntry & { object: KubeObject } {
  const entry = snapshot.entries.find(({ role }) => role === 'workload');
  if (entry?.object) return { ...entry, object: entry.object };
  throw new OperationError(`Snapshot ${snapshot.id} of ${snapshot.namespace}/${snapshot.workload} has no workload in it.`, {
    reason: 'SNAPSHOT_TAMPERED',
    next: ['Restore an older snapshot, or release the last good image again.'],
  });
}

/**
 * The snapshot with its sealed Secrets opened (`kept`), to plan a restore by. Without a key they stay as they are. Not for storing.
 *
 * Reason: SNAPSHOT_KEY_WRONG. Throws UsageError when the key is none.
 */
export function openSnapshot(snapshot: Snapshot, givenKey: string | undefined): Snapshot {
  if (givenKey === undefined || snapshot.salt === null) return snapshot;
  const key = snapshotKey(givenKey, snapshot.salt);
  return { ...snapshot, entries: snapshot.entries.map((entry) => openEntry(snapshot, entry, key)) };
}

function openEntry(snapshot: Snapshot, entry: SnapshotEntry, key: Buffer): SnapshotEntry {
  if (entry.secret?.kind !== 'sealed') return entry;
  const object = openSecret(entry.secret, key, sealedPlace(snapshot, entry.name));
  if (object) return { ...entry, state: 'kept', object };
  throw new OperationError(
    `${entryWords(entry)} in snapshot ${snapshot.id} cannot be opened with the key that was given. Nothing was restored.`,
    {
      reason: 'SNAPSHOT_KEY_WRONG',
      next: [`Give the key with which it was taken (at ${snapshot.at}) in ${SNAPSHOT_KEY_VARIABLE}.`],
    },
  );
}

/** What a sealed Secret is bound to. */
export function sealedPlace({ id, namespace }: Pick<Snapshot, 'id' | 'namespace'>, name: string): string {
  return `slipway snapshot ${id} ${namespace}/${name}`;
}

/** Checksum of an entry's content. Pure. */
export function entryChecksum({ object, secret, state, why }: Pick<SnapshotEntry, 'object' | 'secret' | 'state' | 'why'>): string {
  return sha256(canonicalJson({ object, secret, state, why }));
}
