import { ApiError, badRequest, type Cause } from '../kube/api-error.js';
import { apiVersionOf, type Kind } from '../kube/kinds.js';
import { isRecord, type KubeObject, sameJson, timestamp } from '../kube/object.js';
import { describePath, leavesOf, removePath } from './field-set.js';
import { keyValue, type Topology, topologyOf } from './list-keys.js';
import { isSameManager, type Manager, readManagers, writeManagers } from './managed-fields.js';

export interface ApplyOptions {
  manager: string;
  subresource: string;
  force: boolean;
  now: number;
}

/**
 * Server-side apply: merges what the manager declares, takes away what it declared before and does not any more, and refuses with 409 when
 * another manager owns a field that would change (unless forced). Subset of structured-merge-diff: no version conversion.
 */
export function applyConfiguration(stored: KubeObject, applied: object, kind: Kind, options: ApplyOptions): KubeObject {
  const topology = topologyOf(kind);
  const self = { name: options.manager, operation: 'Apply' as const, subresource: options.subresource };
  const managers = readManagers(stored);
  const previous = managers.find((manager) => isSameManager(manager, self));
  const others = managers.filter((manager) => manager !== previous);
  const wanted = leavesOf(applied, topology);
  const current = leavesOf(stored, topology);
  const set = [...wanted].filter(([path, value]) => !sameJson(current.get(path), value) || !current.has(path)).map(([path]) => path);
  const changed = [...set, ...newMaps(wanted.keys(), current.keys())];
  const causes = conflicts(changed, others, apiVersionOf(kind));
  if (causes.length > 0 && !options.force) throw applyConflict(causes);
  const merged = structuredClone(merge(stored, applied, [], topology)) as KubeObject;
  const dropped = [...(previous?.fields ?? [])].filter((path) => !wanted.has(path));
  // `.` sorts first: a list item that nobody else has a field of goes whole, while its keys still tell which one it is.
  const kept = [wanted.keys(), ...others.map(({ fields }) => fields)].flatMap((paths) => [...paths]);
  for (const path of dropped.sort()) if (!isOwned(path, others) && !isEntered(path, kept)) removePath(merged, path);
  for (const other of others) for (const path of changed) other.fields.delete(path);
  const same = previous && sameJson([...previous.fields].sort(), [...wanted.keys()].sort());
  const own: Manager = { ...self, fields: new Set(wanted.keys()), time: same ? previous.time : timestamp(options.now) };
  writeManagers(merged, kind, [own, ...others]);
  return merged;
}

/** The maps that are not there yet and that fields are put into: who owns one as an empty map is in conflict. */
function newMaps(wanted: Iterable<string>, current: Iterable<string>): string[] {
  const there = new Set([...current].flatMap((path) => [path, ...above(path)]));
  return [...new Set([...wanted].flatMap(above))].filter((path) => !there.has(path));
}

function above(path: string): string[] {
  const segments = path.split('\u0000');
  return segments.slice(1).map((_, i) => segments.slice(0, i + 1).join('\u0000'));
}

/** Whether what was an empty map (or an atomic value) has fields of its own now. */
function isEntered(path: string, paths: readonly string[]): boolean {
  return paths.some((other) => other.startsWith(`${path}\u0000`));
}

function isOwned(path: string, managers: readonly Manager[]): boolean {
  const item = path.endsWith('\u0000.') ? path.slice(0, -1) : undefined;
  return managers.some(({ fields }) => fields.has(path) || (item !== undefined && [...fields].some((field) => field.startsWith(item))));
}

function conflicts(changed: readonly string[], others: readonly Manager[], version: string): Cause[] {
  return others.flatMap((other) =>
    changed
      .filter((path) => other.fields.has(path) && !path.endsWith('\u0000.'))
      .map((path) => ({
        reason: 'FieldManagerConflict',
        message: `conflict with ${describeManager(other, version)}`,
        field: describePath(path),
      })),
  );
}

/** The version is said of managers that update, not of those that apply. */
function describeManager({ name, operation, subresource }: Manager, version: string): string {
  const who = subresource ? `"${name}" with subresource "${subresource}"` : `"${name}"`;
  return operation === 'Update' ? `${who} using ${version}` : who;
}

function applyConflict(causes: readonly Cause[]): ApiError {
  const [first] = causes;
  const list = causes.map(({ message, field }) => `${message}:\n- ${field}`).join('\n');
  const text =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${first?.message}: ${first?.field}`
      : `Apply failed with ${causes.length} conflicts: ${list}`;
  return new ApiError(409, 'Conflict', text, { causes });
}

function merge(live: unknown, applied: unknown, names: string[], topology: Topology): unknown {
  if (isRecord(applied) && isRecord(live) && !topology.isAtomicMap(names)) {
    const merged: Record<string, unknown> = { ...live };
    for (const [key, value] of Object.entries(applied))
      if (value !== null) merged[key] = merge(live[key], value, [...names, key], topology);
    return merged;
  }
  if (!Array.isArray(applied) || !Array.isArray(live)) return applied;
  if (topology.isSet(names)) return [...live, ...applied.filter((value) => !live.includes(value))];
  const keys = topology.keys(names);
  if (!keys) return applied;
  return mergeItems(live, applied, keys, names, topology);
}

function mergeItems(live: unknown[], applied: unknown[], keys: readonly string[], names: string[], topology: Topology): unknown[] {
  const merged = [...live] as Record<string, unknown>[];
  for (const item of applied) {
    if (!isRecord(item)) throw badRequest(`${names.join('.')}: an item of a list map must be an object`);
    const at = merged.findIndex((other) => keys.every((key) => keyValue(other, key) === keyValue(item, key)));
    if (at < 0) merged.push(item);
    else merged[at] = merge(merged[at], item, names, topology) as Record<string, unknown>;
  }
  return merged;
}
