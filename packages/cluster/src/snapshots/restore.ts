import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { inParallel } from './in-parallel.js';
import { type LiveObjects, type Obstacle, type PlanOptions, planRestore, type RestoreChange, type RestorePlan } from './plan-restore.js';
import { entryKey, entryWords, openSnapshot, type Snapshot, type SnapshotEntry, workloadIn } from './snapshot.js';
import { AT_ONCE } from './take-snapshot.js';

export interface RestoreOptions extends PlanOptions {
  /** Opens sealed Secrets. */
  key?: string;
  /** Sends all traffic to stable, by the router; before anything is read or refused, and again in a re-run. */
  toStable?: () => Promise<void>;
  /** Told before each change, in the order in which they are made: for the record. */
  beforeChange?: (change: RestoreChange) => Promise<void>;
  /** Resolves when the restored workload serves; awaited before autoscaler and remaining traffic objects are restored, also in a re-run. */
  workloadReady?: (workload: KubeObject) => Promise<void>;
  /** Restore the rest although something cannot be put back; it is among the warnings then. */
  despiteObstacles?: boolean;
}

export interface Restored {
  /** What was changed, in words; empty: all was so already. */
  changes: string[];
  warnings: string[];
}

/** Reads the live objects of a snapshot, 8 at once. What may not be read now fails: the restore would be blind. */
export async function readLive(client: KubeClient, snapshot: Snapshot): Promise<LiveObjects> {
  const wanted = snapshot.entries.filter(({ role, state }) => role !== 'canary' && state !== 'unread');
  const read = await inParallel(AT_ONCE, wanted, async (entry) => {
    const object = await client.find(entry.resource, snapshot.namespace, entry.name);
    return [entryKey(entry), object] as const;
  });
  return new Map(read);
}

/**
 * Makes everything what it was: users to stable, then ConfigMaps and Secrets, then the workload, its autoscaler, the rest of the traffic
 * objects. Every patch and creation is tried by server-side dry run before the first is made, so that what is refused leaves nothing
 * half-written. Only what differs is changed: after a crash, run again, it goes on and ends the same. When somebody else writes meanwhile it
 * reads again and decides again, three times at most.
 *
 * Reasons: SECRET_NOT_RESTORABLE, NOT_RESTORABLE, SNAPSHOT_KEY_WRONG, CONFLICT (somebody else keeps writing), and the
 * refusals of the API server.
 */
export async function restore(client: KubeClient, stored: Snapshot, options: RestoreOptions = {}): Promise<Restored> {
  const snapshot = openSnapshot(stored, options.key);
  await options.toStable?.();
  const made: string[] = [];
  for (let attempt = 1; ; attempt++) {
    try {
      return { changes: made, warnings: await attemptRestore(client, snapshot, options, made) };
    } catch (error) {
      if (!(error instanceof OperationError && error.reason === 'CONFLICT') || attempt >= ATTEMPTS) throw error;
    }
  }
}

const ATTEMPTS = 3;

/** Adds what it has changed to `made`; returns warnings. */
async function attemptRestore(client: KubeClient, snapshot: Snapshot, options: RestoreOptions, made: string[]): Promise<string[]> {
  const live = await readLive(client, snapshot);
  const plan = planRestore(snapshot, live, options);
  if (plan.obstacles.length > 0 && !options.despiteObstacles) throw notRestorable(snapshot, plan.obstacles);
  await inParallel(AT_ONCE, plan.changes, (change) => tryChange(client, snapshot.namespace, change));
  await makeChanges(client, snapshot, live, plan, options, made);
  return [...plan.obstacles.map(({ words }) => words), ...plan.warnings];
}

async function makeChanges(
  client: KubeClient,
  snapshot: Snapshot,
  live: LiveObjects,
  { changes }: RestorePlan,
  options: RestoreOptions,
  words: string[],
): Promise<void> {
  const workload = workloadIn(snapshot);
  const later = changes.findIndex(({ phase }) => phase === 'scaler' || phase === 'traffic');
  const first = later === -1 ? changes : changes.slice(0, later);
  let current = live.get(entryKey(workload));
  const make = async (change: RestoreChange) => {
    await options.beforeChange?.(change);
    const made = await makeChange(client, snapshot, change, options);
    words.push(change.words);
    if (change.phase === 'workload') current = made;
  };
  for (const change of first) await make(change);
  if (current) await options.workloadReady?.(current);
  for (const change of changes.slice(first.length)) await make(change);
}

/** Deletions cannot be half done, and a name that is still taken cannot be tried. */
async function tryChange(client: KubeClient, namespace: string, { action, resource, name, patch, object }: RestoreChange): Promise<void> {
  if (action === 'patch' && patch) await client.patch(resource, namespace, name, patch, { dryRun: true });
  if (action === 'create' && object) await client.create(resource, namespace, object, { dryRun: true });
}

/** A write whose answer was lost is refused when it is sent again; what is as it should be is no failure. */
async function makeChange(
  client: KubeClient,
  snapshot: Snapshot,
  change: RestoreChange,
  options: PlanOptions,
): Promise<KubeObject | undefined> {
  try {
    return await write(client, snapshot.namespace, change);
  } catch (error) {
    if (!(error instanceof OperationError && ['CONFLICT', 'ALREADY_EXISTS', 'NOT_FOUND'].includes(error.reason))) throw error;
    const now = await client.find(change.resource, snapshot.namespace, change.name);
    if (!isRestored(snapshot, change.entry, now, options)) throw error;
    return now;
  }
}

async function write(client: KubeClient, namespace: string, change: RestoreChange): Promise<KubeObject | undefined> {
  const { action, resource, name, patch, object, uid } = change;
  if (action === 'patch' && patch) return client.patch(resource, namespace, name, patch);
  if (action !== 'create') await client.remove(resource, namespace, name, uid === null ? {} : { uid });
  return action === 'remove' || !object ? undefined : client.create(resource, namespace, object);
}

function isRestored(snapshot: Snapshot, entry: SnapshotEntry, now: KubeObject | undefined, options: PlanOptions): boolean {
  const plan = planRestore({ ...snapshot, entries: [entry] }, new Map([[entryKey(entry), now]]), options);
  return plan.changes.length === 0 && plan.obstacles.length === 0;
}

function notRestorable({ id, entries }: Snapshot, obstacles: readonly Obstacle[]): OperationError {
  const secrets = obstacles.filter(({ reason }) => reason === 'SECRET_NOT_RESTORABLE');
  const key = entries.some(({ state }) => state === 'sealed') ? ' Give the key with which the snapshot was taken.' : '';
  return new OperationError(
    `Snapshot ${id} cannot be restored whole: ${obstacles.map(({ words }) => words).join('; ')}. Nothing of it was written.`,
    {
      reason: secrets.length === obstacles.length ? 'SECRET_NOT_RESTORABLE' : 'NOT_RESTORABLE',
      next: [
        `Put ${obstacles.length === 1 ? 'it' : 'them'} right by hand, or restore the rest alone.${key}`,
        ...(secrets.length > 0 ? ['A Secret that was rotated on purpose is right as it is: restore the rest alone.'] : []),
      ],
      details: { snapshot: id, obstacles: obstacles.map((each) => ({ ...each })), objects: entries.map(entryWords) },
    },
  );
}
