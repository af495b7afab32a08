import type { KubeObject, Patch, Resource } from '../kube.js';
import { sameJson } from './canonical-json.js';
import { restoringPatch } from './restorable-fields.js';
import { hasFingerprint } from './seal-secret.js';
import { entryKey, entryWords, type Snapshot, type SnapshotEntry } from './snapshot.js';

/** In this order: users first, then what pods read, then pods, then how many of them, then what else leads to them. */
export const RESTORE_PHASES = ['route', 'config', 'workload', 'scaler', 'traffic'] as const;
export type RestorePhase = (typeof RESTORE_PHASES)[number];

/** One write of a restore. Its patch may hold Secrets: only `words` are for logs. */
export interface RestoreChange {
  phase: RestorePhase;
  action: 'patch' | 'create' | 'recreate' | 'remove';
  resource: Resource;
  name: string;
  /** What is set: `spec/template`, `data` … */
  fields: string[];
  /** `ConfigMap shop-config: data`. */
  words: string;
  /** For `patch`. */
  patch: Patch | null;
  /** For `create` and `recreate`. */
  object: KubeObject | null;
  /** For `recreate` and `remove`: only the object that was read may be deleted. */
  uid: string | null;
  entry: SnapshotEntry;
}

/** What cannot be put back. */
export interface Obstacle {
  reason: 'SECRET_NOT_RESTORABLE' | 'NOT_RESTORABLE';
  words: string;
}

export interface RestorePlan {
  /** In the order in which they are to be made. */
  changes: RestoreChange[];
  obstacles: Obstacle[];
  warnings: string[];
}

/** Live objects by {@link entryKey}; undefined: there is none. */
export type LiveObjects = ReadonlyMap<string, KubeObject | undefined>;

export interface PlanOptions {
  /** Delete and make again what is immutable and has another content by now; pods that start in between fail for a moment. */
  recreateImmutable?: boolean;
}

/** What has to change to make the live objects what they were; nothing, when they are. Pure. */
export function planRestore(snapshot: Snapshot, live: LiveObjects, options: PlanOptions = {}): RestorePlan {
  const plan: RestorePlan = { changes: [], obstacles: [], warnings: [] };
  const entries = snapshot.entries.filter(({ role }) => role !== 'canary');
  for (const entry of entries) planEntry(plan, snapshot, entry, live.get(entryKey(entry)), options);
  plan.changes.sort(inOrder);
  if (plan.changes.some(({ phase }) => phase === 'config') && !plan.changes.some(({ phase }) => phase === 'workload')) {
    const { namespace, workload } = snapshot;
    plan.warnings.push(
      `Pods of ${workload} that run already keep the environment they began with: kubectl -n ${namespace} rollout restart deployment/${workload} gives them the restored one.`,
    );
  }
  return plan;
}

function planEntry(plan: RestorePlan, snapshot: Snapshot, entry: SnapshotEntry, live: KubeObject | undefined, options: PlanOptions): void {
  switch (entry.state) {
    case 'unread':
      plan.warnings.push(`${entryWords(entry)} is not in the snapshot, and stays as it is: ${entry.why}`);
      return;
    case 'absent':
      planAbsent(plan, snapshot, entry, live);
      return;
    case 'sealed':
      plan.obstacles.push(secretObstacle(entry, 'is encrypted in the snapshot, and no key was given'));
      return;
    case 'fingerprint':
      planFingerprint(plan, entry, live);
      return;
    default:
      if (entry.object) planKept(plan, snapshot, { ...entry, object: entry.object }, live, options);
  }
}

/** What a rollout made to split traffic goes; what somebody else made meanwhile stays. */
function planAbsent(plan: RestorePlan, snapshot: Snapshot, entry: SnapshotEntry, live: KubeObject | undefined): void {
  if (!live || entry.role !== 'traffic') return;
  if (live.metadata.labels?.['app.kubernetes.io/managed-by'] === 'slipway') {
    plan.changes.push(change(snapshot, entry, 'remove', [], { uid: live.metadata.uid ?? null }));
  } else plan.warnings.push(`${entryWords(entry)} was made since the snapshot by somebody else, and stays.`);
}

function planFingerprint(plan: RestorePlan, entry: SnapshotEntry, live: KubeObject | undefined): void {
  if (!live) plan.obstacles.push(secretObstacle(entry, 'was deleted'));
  else if (entry.secret?.kind === 'fingerprint' && !hasFingerprint(live, entry.secret))
    plan.obstacles.push(secretObstacle(entry, 'has changed since, and the snapshot keeps only its fingerprint'));
}

function planKept(
  plan: RestorePlan,
  snapshot: Snapshot,
  entry: SnapshotEntry & { object: KubeObject },
  live: KubeObject | undefined,
  options: PlanOptions,
): void {
  const refuse = (why: string) => plan.obstacles.push({ reason: 'NOT_RESTORABLE', words: `${entryWords(entry)} ${why}` });
  if (!live) {
    if (entry.role === 'workload') refuse('was deleted');
    else plan.changes.push(change(snapshot, entry, 'create', [], { object: entry.object, missing: true }));
    return;
  }
  if (entry.role === 'workload' && entry.uid !== null && live.metadata.uid !== entry.uid) {
    refuse(`was deleted and made anew since the snapshot (uid ${live.metadata.uid}, not ${entry.uid})`);
    return;
  }
  const restoring = restoringPatch(entry, live);
  if (restoring === undefined && sameJson(live.type, entry.object.type)) return;
  if (live.immutable !== true && sameJson(live.type, entry.object.type)) {
    if (restoring) plan.changes.push(change(snapshot, entry, 'patch', restoring.fields, { patch: restoring.patch, live }));
  } else if (options.recreateImmutable) {
    plan.changes.push(change(snapshot, entry, 'recreate', ['data'], { object: entry.object, uid: live.metadata.uid ?? null }));
  } else refuse('is immutable and has another content by now; it would have to be deleted and made again');
}

function change(
  snapshot: Snapshot,
  entry: SnapshotEntry,
  action: RestoreChange['action'],
  fields: string[],
  what: { patch?: Patch; object?: KubeObject; uid?: string | null; live?: KubeObject; missing?: boolean },
): RestoreChange {
  const { resource, name } = entry;
  return {
    phase: phaseOf(snapshot, entry, what),
    action,
    resource,
    name,
    fields,
    words: `${entryWords(entry)}: ${action === 'patch' ? fields.join(', ') : action}`,
    patch: what.patch ?? null,
    object: what.object ?? null,
    uid: what.uid ?? null,
    entry,
  };
}

function phaseOf({ metadata }: Snapshot, entry: SnapshotEntry, { live, missing }: { live?: KubeObject; missing?: boolean }): RestorePhase {
  switch (entry.role) {
    case 'config':
    case 'secret':
      return 'config';
    case 'workload':
    case 'scaler':
      return entry.role;
    default: {
      const { kind } = entry.resource;
      if (kind === 'DestinationRule') return missing || lacksSubset(entry.object, live) ? 'route' : 'traffic';
      // A snapshot of the middle of a rollout does not send users to stable: its routes come last.
      return ROUTES.has(kind) && metadata.weight === 0 ? 'route' : 'traffic';
    }
  }
}

/** What decides which track a request goes to. */
const ROUTES = new Set(['VirtualService', 'HTTPRoute', 'GRPCRoute', 'Ingress']);

/** A route to a subset that is not there answers 503, so the subset has to come first. */
function lacksSubset(former: KubeObject | null, live: KubeObject | undefined): boolean {
  const names = (object: KubeObject | null | undefined): string[] =>
    (object?.spec?.subsets ?? []).map((subset: { name?: string }) => subset.name ?? '');
  const there = new Set(names(live));
  return names(former).some((name) => !there.has(name));
}

function inOrder(a: RestoreChange, b: RestoreChange): number {
  const rank = ({ phase, resource }: RestoreChange) => 2 * RESTORE_PHASES.indexOf(phase) + (resource.kind === 'DestinationRule' ? 0 : 1);
  return rank(a) - rank(b);
}

function secretObstacle(entry: SnapshotEntry, why: string): Obstacle {
  return { reason: 'SECRET_NOT_RESTORABLE', words: `${entryWords(entry)} ${why}` };
}
