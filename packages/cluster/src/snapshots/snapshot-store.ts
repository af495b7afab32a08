import { OperationError } from '@slipway/core';
import { configMapStore, type DocumentStore } from '../configmap-store.js';
import type { KubeClient } from '../kube.js';
import { apiVersionOf, resources } from '../resources.js';
import { sha256 } from './canonical-json.js';
import { packSnapshot, parseSnapshot, unpackText } from './pack-snapshot.js';
import type { Snapshot, SnapshotMetadata } from './snapshot.js';

/** Which snapshot is meant, and that it is the one that was taken. */
export interface SnapshotReference {
  /** Name of the ConfigMap that holds it. */
  name: string;
  /** Of its canonical JSON, hexadecimal. */
  sha256: string;
}

/** A snapshot in the list of a workload's. */
export interface ListedSnapshot extends SnapshotReference {
  id: string;
  /** RFC 3339. */
  at: string;
  metadata: SnapshotMetadata;
  /** How many objects are in it. */
  objects: number;
}

interface Index {
  schema: 1;
  /** Newest first. */
  snapshots: ListedSnapshot[];
}

const LABELS = { 'app.kubernetes.io/managed-by': 'slipway' };

/** Name of the ConfigMap that lists a workload's snapshots; the snapshots are in `<this>-1`, `<this>-2` … as many as are kept. */
export function snapshotsName(workload: string): string {
  return `slipway-${workload}-snapshot`;
}

/** All snapshots of a workload that are kept, newest first: one read. Reasons: STATE_NEWER, STATE_CORRUPT. */
export async function listSnapshots(client: KubeClient, namespace: string, workload: string): Promise<ListedSnapshot[]> {
  return (await indexOf(client, namespace, workload).read())?.value.snapshots ?? [];
}

/**
 * Stores a snapshot in the place of the oldest, then lists it: three requests. A crash between the two leaves the former list, of which one
 * entry's place is taken; done again, the same place is chosen. One of the same id is replaced.
 *
 * The places have fixed names, so that a Role can name them. `inUse`: ids that are kept besides the newest `max`.
 * Reasons: SNAPSHOT_TOO_LARGE, CONFLICT.
 */
export async function storeSnapshot(
  client: KubeClient,
  snapshot: Snapshot,
  { max, inUse }: { max: number; inUse: readonly string[] },
): Promise<SnapshotReference & { warnings: string[] }> {
  const { namespace, workload, id, at, metadata, entries } = snapshot;
  const packed = packSnapshot(snapshot);
  const store = indexOf(client, namespace, workload);
  const previous = await store.read();
  const there = previous?.value.snapshots ?? [];
  const kept = keptBeside(there, id, max, inUse);
  const name = freePlace(workload, kept);
  await write(
    client,
    namespace,
    name,
    packed,
    there.some((each) => each.name === name),
  );
  const listed: ListedSnapshot = { id, at, name, sha256: packed.sha256, metadata, objects: entries.length };
  await store.write({ schema: 1, snapshots: [listed, ...kept] }, previous);
  const left = there.filter((each) => each.name !== name && !kept.includes(each));
  const warnings = (await Promise.all(left.map((each) => remove(client, namespace, each.name)))).flat();
  return { name, sha256: packed.sha256, warnings };
}

/**
 * Reads a snapshot and proves that it is the one that was taken. With `id`, a place that holds another by now is told from a changed one.
 *
 * Reasons: SNAPSHOT_NOT_FOUND, SNAPSHOT_TAMPERED, SNAPSHOT_NEWER.
 */
export async function readSnapshot(
  client: KubeClient,
  namespace: string,
  expected: SnapshotReference & { id?: string },
): Promise<Snapshot> {
  const text = unpackText(await client.find(resources.configmaps, namespace, expected.name));
  if (text === undefined) throw notFound(namespace, expected, 'is gone');
  const snapshot = parseSnapshot(text);
  if ('wrong' in snapshot) throw tampered(namespace, expected.name, snapshot.wrong);
  if (!('entries' in snapshot)) throw newer(namespace, expected.name, snapshot.schema);
  if (expected.id !== undefined && snapshot.id !== expected.id) throw notFound(namespace, expected, `holds ${snapshot.id} by now`);
  if (sha256(text) !== expected.sha256)
    throw tampered(namespace, expected.name, 'its checksum is not the one that was noted when it was taken');
  return snapshot;
}

function indexOf(client: KubeClient, namespace: string, workload: string): DocumentStore<Index> {
  const parse = (value: unknown): Index => {
    const index = value as Partial<Index>;
    if (!Array.isArray(index.snapshots) || !index.snapshots.every(isListed)) throw new Error('it is no list of snapshots');
    return index as Index;
  };
  return configMapStore<Index>(client, { namespace, name: snapshotsName(workload), key: 'index.json', schema: 1, labels: LABELS, parse });
}

function isListed(value: unknown): value is ListedSnapshot {
  const { id, at, name, sha256: sum } = (value ?? {}) as Record<string, unknown>;
  return [id, at, name, sum].every((field) => typeof field === 'string');
}

/** The newest that fit beside the new one, and those in use. */
function keptBeside(there: readonly ListedSnapshot[], id: string, max: number, inUse: readonly string[]): ListedSnapshot[] {
  const others = there.filter((each) => each.id !== id);
  const newest = new Set(others.slice(0, Math.max(0, max - 1)));
  return others.filter((each) => newest.has(each) || inUse.includes(each.id));
}

function freePlace(workload: string, kept: readonly ListedSnapshot[]): string {
  const taken = new Set(kept.map(({ name }) => name));
  for (let place = 1; ; place++) {
    const name = `${snapshotsName(workload)}-${place}`;
    if (!taken.has(name)) return name;
  }
}

/** Into a place that was used before, or is new; either may be otherwise by now. */
async function write(
  client: KubeClient,
  namespace: string,
  name: string,
  { data, binaryData }: ReturnType<typeof packSnapshot>,
  used: boolean,
): Promise<void> {
  const update = () => client.patch(resources.configmaps, namespace, name, { type: 'merge', body: { data, binaryData } });
  const metadata = { name, namespace, labels: LABELS };
  const body = { apiVersion: apiVersionOf(resources.configmaps), kind: resources.configmaps.kind, metadata };
  const create = () => client.create(resources.configmaps, namespace, { ...body, data: given(data), binaryData: given(binaryData) });
  const [first, second] = used ? [update, create] : [create, update];
  try {
    await first();
  } catch (error) {
    const otherwise = used ? 'NOT_FOUND' : 'ALREADY_EXISTS';
    if (!(error instanceof OperationError && error.reason === otherwise)) throw error;
    await second();
  }
}

function given(values: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Only when fewer are to be kept than before; that it stays harms nobody. */
async function remove(client: KubeClient, namespace: string, name: string): Promise<string[]> {
  try {
    await client.remove(resources.configmaps, namespace, name);
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.reason === 'NOT_FOUND'
      ? []
      : [`ConfigMap ${namespace}/${name}, a snapshot that is no longer kept, stays: ${error.message}`];
  }
}

const RELEASE_AGAIN = 'Release the last good image again, or restore another snapshot.';

function notFound(namespace: string, { name, id }: { name: string; id?: string }, what: string): OperationError {
  return new OperationError(`Snapshot ${id ?? name} is not there any more: ConfigMap ${namespace}/${name} ${what}. Nothing was restored.`, {
    reason: 'SNAPSHOT_NOT_FOUND',
    next: [RELEASE_AGAIN],
    details: { namespace, name },
  });
}

function tampered(namespace: string, name: string, why: string): OperationError {
  return new OperationError(`The snapshot in ConfigMap ${namespace}/${name} cannot be trusted: ${why}. Nothing was restored.`, {
    reason: 'SNAPSHOT_TAMPERED',
    next: [RELEASE_AGAIN],
    details: { namespace, name },
  });
}

function newer(namespace: string, name: string, schema: number): OperationError {
  return new OperationError(
    `The snapshot in ConfigMap ${namespace}/${name} was written by a newer Slipway (schema ${schema}). Nothing was restored.`,
    {
      reason: 'SNAPSHOT_NEWER',
      next: ['Use the newer version of the action for this step, too.'],
      details: { namespace, name, schema },
    },
  );
}
