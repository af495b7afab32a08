import { isDeepStrictEqual } from 'node:util';
import type { Patch } from '../src/kube.js';

type Operation = Extract<Patch, { type: 'json' }>['body'][number];

/** Applies RFC 6902 operations (add, replace, remove, test) to a copy; throws when a test fails or a path does not exist. */
export function applyJsonPatch<T>(document: T, operations: readonly Operation[]): T {
  const copy = jsonCopy(document);
  for (const operation of operations) applyOne(copy, operation);
  return copy;
}

function applyOne(document: unknown, { op, path, value }: Operation): void {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop();
  if (last === undefined) throw new Error('the whole document cannot be patched');
  // biome-ignore lint/suspicious/noExplicitAny: a JSON pointer may lead anywhere
  const parent = keys.reduce<any>((node, key) => (node === null || typeof node !== 'object' ? undefined : node[key]), document);
  if (parent === null || typeof parent !== 'object') throw new Error(`${op} operation does not apply: doc is missing path: ${path}`);
  const missing = !(last in parent) && last !== '-';
  if (op === 'test') {
    if (!isDeepStrictEqual(parent[last], value)) throw new Error(`testing value ${path} failed: test failed`);
  } else if (op === 'add') {
    if (!Array.isArray(parent)) parent[last] = jsonCopy(value);
    else parent.splice(last === '-' ? parent.length : Number(last), 0, jsonCopy(value));
  } else if (missing) {
    throw new Error(`${op} operation does not apply: doc is missing key: ${path}`);
  } else if (op === 'replace') {
    parent[last] = jsonCopy(value);
  } else if (Array.isArray(parent)) {
    parent.splice(Number(last), 1);
  } else {
    delete parent[last];
  }
}

/** Applies an RFC 7386 merge patch to a copy. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
export function applyMergePatch(target: any, patch: any): any {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return jsonCopy(patch);
  const result = target === null || typeof target !== 'object' || Array.isArray(target) ? {} : jsonCopy(target);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

/** A copy as the wire would make it: without `undefined`, and of this realm (deep equality minds prototypes). */
export function jsonCopy<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}
