import { badRequest } from '../kube/api-error.js';
import { isRecord, sameJson } from '../kube/object.js';
import { isStrategicSet, strategicKey } from './list-keys.js';

type Item = Record<string, unknown>;

/**
 * Strategic merge patch as the API server applies it to built-in kinds: lists with a merge key merge item by item, `$patch: delete` and
 * `$patch: replace` are obeyed, `$deleteFromPrimitiveList` removes from sets. Order directives (`$setElementOrder/…`) change no content and are ignored.
 */
export function applyStrategicMerge(target: unknown, patch: unknown, path: readonly string[] = []): unknown {
  if (Array.isArray(patch)) return mergeList(Array.isArray(target) ? target : [], patch, path);
  if (!isRecord(patch)) return patch;
  if (patch.$patch === 'replace') return withoutDirectives(patch);
  const merged: Item = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) deleteFromSet(merged, key.slice('$deleteFromPrimitiveList/'.length), value);
    else if (key.startsWith('$')) continue;
    else if (value === null || (isRecord(value) && value.$patch === 'delete')) delete merged[key];
    else merged[key] = applyStrategicMerge(merged[key], value, [...path, key]);
  }
  return merged;
}

function mergeList(target: unknown[], patch: unknown[], path: readonly string[]): unknown[] {
  if (isStrategicSet(path)) return [...target, ...patch.filter((value) => !target.includes(value))];
  const key = strategicKey(path);
  const replaces = patch.some((item) => isRecord(item) && item.$patch === 'replace');
  if (!key || replaces) return patch.filter((item) => !isRecord(item) || item.$patch !== 'replace').map(withoutDirectives);
  let merged = [...target];
  for (const item of patch) {
    if (!isRecord(item) || item[key] === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const isSame = (other: unknown) => isRecord(other) && sameJson(other[key], item[key]);
    const at = merged.findIndex(isSame);
    if (item.$patch === 'delete') merged = merged.filter((other) => !isSame(other));
    else if (at < 0) merged.push(applyStrategicMerge({}, item, path));
    else merged[at] = applyStrategicMerge(merged[at], item, path);
  }
  return merged;
}

function deleteFromSet(merged: Item, key: string, values: unknown): void {
  const list = merged[key];
  if (Array.isArray(list) && Array.isArray(values)) merged[key] = list.filter((value) => !values.includes(value));
}

function withoutDirectives(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key, one]) => !key.startsWith('$') && one !== null));
}
