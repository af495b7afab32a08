import { unprocessablePatch } from '../kube/api-error.js';
import { isRecord, sameJson } from '../kube/object.js';

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

/** Applies an RFC 6902 patch to a copy. Throws 422 when an operation cannot be applied or a `test` fails, as the API server does. */
export function applyJsonPatch(document: object, operations: readonly Operation[]): object {
  const box = { root: structuredClone(document) as unknown };
  for (const operation of operations) applyOperation(box, operation);
  return box.root as object;
}

function applyOperation(box: { root: unknown }, { op, path, from, value }: Operation): void {
  switch (op) {
    case 'add':
      return add(box, path, structuredClone(value));
    case 'remove':
      return void remove(box, path);
    case 'replace':
      remove(box, path);
      return add(box, path, structuredClone(value));
    case 'test':
      if (!sameJson(find(box, path) ?? null, value ?? null)) throw unprocessablePatch();
      return;
    case 'move':
      return add(box, path, remove(box, from ?? ''));
    case 'copy':
      return add(box, path, structuredClone(find(box, from ?? '')));
    default:
      throw unprocessablePatch();
  }
}

/** RFC 6901: `~1` is `/`, `~0` is `~`. */
function segments(pointer: string): string[] {
  if (pointer === '') return ['root'];
  if (!pointer.startsWith('/')) throw unprocessablePatch();
  const rest = pointer.slice(1).split('/');
  return ['root', ...rest.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

/** The container of the addressed value, and the key within it. */
function locate(box: object, pointer: string): { parent: Record<string, unknown> | unknown[]; key: string } {
  const path = segments(pointer);
  const key = path.pop() as string;
  let parent: unknown = box;
  for (const segment of path) parent = child(parent, segment);
  if (!Array.isArray(parent) && !isRecord(parent)) throw unprocessablePatch();
  return { parent, key };
}

function child(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) return parent[index(key, parent.length - 1)];
  return isRecord(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function index(key: string, last: number): number {
  const at = Number(key);
  if (!/^(0|[1-9]\d*)$/.test(key) || at > last) throw unprocessablePatch();
  return at;
}

function find(box: object, pointer: string): unknown {
  const { parent, key } = locate(box, pointer);
  return child(parent, key);
}

function add(box: object, pointer: string, value: unknown): void {
  const { parent, key } = locate(box, pointer);
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : index(key, parent.length), 0, value);
  else parent[key] = value;
}

function remove(box: object, pointer: string): unknown {
  const { parent, key } = locate(box, pointer);
  if (Array.isArray(parent)) return parent.splice(index(key, parent.length - 1), 1)[0];
  if (!Object.hasOwn(parent, key)) throw unprocessablePatch();
  const value = parent[key];
  delete parent[key];
  return value;
}
