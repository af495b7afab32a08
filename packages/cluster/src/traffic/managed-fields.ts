import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../kube.js';

/** The way to a field: names, and for an item of a list the fields by which it is told, e.g. `{ name: 'web' }`. */
export type FieldPath = readonly (string | Readonly<Record<string, unknown>>)[];

/**
 * Field managers that own the field, something inside it, or a list or map around it that is owned as a whole (the routes of a VirtualService are
 * such a list: its schema names no key). By `metadata.managedFields`, format FieldsV1 (kubernetes-sigs/structured-merge-diff): `f:` a field, `k:`
 * an item of a list by its key, `.` the thing itself. Entries that are not of this form own nothing. Pure.
 */
export function managersOf(object: KubeObject, path: FieldPath): string[] {
  const entries: unknown = object.metadata.managedFields;
  if (!Array.isArray(entries)) return [];
  const owning = entries.filter(
    (entry) => entry?.subresource !== 'status' && typeof entry?.manager === 'string' && owns(entry.fieldsV1, path),
  );
  return [...new Set<string>(owning.map(({ manager }) => manager))];
}

/** The value at a path; undefined when it is not there. Pure. */
export function valueAt(object: KubeObject, path: FieldPath): unknown {
  return path.reduce<unknown>((node, step) => {
    if (typeof step !== 'string') return Array.isArray(node) ? node.find((item) => hasKey(item, step)) : undefined;
    return isMap(node) ? node[step] : undefined;
  }, object);
}

function owns(fields: unknown, path: FieldPath): boolean {
  if (!isMap(fields)) return false;
  const [step, ...rest] = path;
  if (step === undefined) return true;
  // Owned as a whole: nothing is said of what is inside. The root is never a leaf.
  const found = child(fields, step);
  if (found === undefined) return false;
  return Object.keys(found).length === 0 || owns(found, rest);
}

function child(fields: Record<string, unknown>, step: FieldPath[number]): Record<string, unknown> | undefined {
  const name =
    typeof step === 'string'
      ? `f:${step}`
      : Object.keys(fields).find((each) => each.startsWith('k:') && isDeepStrictEqual(parse(each.slice(2)), step));
  const found = name === undefined ? undefined : fields[name];
  return isMap(found) ? found : undefined;
}

function parse(key: string): unknown {
  try {
    return JSON.parse(key);
  } catch {
    return undefined;
  }
}

function hasKey(item: unknown, key: Readonly<Record<string, unknown>>): boolean {
  return isMap(item) && Object.entries(key).every(([name, value]) => item[name] === value);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
