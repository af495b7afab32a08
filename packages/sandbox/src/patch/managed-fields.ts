import { apiVersionOf, type Kind } from '../kube/kinds.js';
import { type KubeObject, sameJson, timestamp } from '../kube/object.js';
import { type FieldSet, fromFieldsV1, leavesOf, toFieldsV1 } from './field-set.js';

/** Who owns which fields of an object: one entry of `metadata.managedFields`. */
export interface Manager {
  name: string;
  operation: 'Apply' | 'Update';
  subresource: string;
  fields: FieldSet;
  time: string;
}

export function readManagers(object: KubeObject): Manager[] {
  return (object.metadata.managedFields ?? []).map((entry) => ({
    name: entry.manager,
    operation: entry.operation,
    subresource: entry.subresource ?? '',
    fields: new Set(fromFieldsV1(entry.fieldsV1)),
    time: entry.time,
  }));
}

export function writeManagers(object: KubeObject, kind: Kind, managers: readonly Manager[]): void {
  object.metadata.managedFields = managers
    .filter((manager) => manager.fields.size > 0)
    .map(({ name, operation, subresource, fields, time }) => ({
      manager: name,
      operation,
      apiVersion: apiVersionOf(kind),
      time,
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource ? { subresource } : {}),
    }));
}

export function isSameManager(a: Manager, b: Pick<Manager, 'name' | 'operation' | 'subresource'>): boolean {
  return a.name === b.name && a.operation === b.operation && a.subresource === b.subresource;
}

/** After an update: what it changed belongs to its writer alone, what it removed to nobody. */
export function trackUpdate(
  next: KubeObject,
  before: KubeObject | undefined,
  kind: Kind,
  writer: { name: string; subresource: string; now: number },
): void {
  const custom = kind.custom ?? false;
  const old = before ? leavesOf(before, custom) : new Map<string, unknown>();
  const fresh = leavesOf(next, custom);
  const changed = [...fresh].filter(([path, value]) => !old.has(path) || !sameJson(old.get(path), value)).map(([path]) => path);
  const managers = before ? readManagers(before) : [];
  const gone = [...old.keys()].filter((path) => !fresh.has(path));
  if (changed.length === 0 && gone.length === 0) return writeManagers(next, kind, managers);
  for (const manager of managers) for (const path of [...changed, ...gone]) manager.fields.delete(path);
  const self = { name: writer.name, operation: 'Update' as const, subresource: writer.subresource };
  let own = managers.find((manager) => isSameManager(manager, self));
  if (!own) {
    own = { ...self, fields: new Set(), time: '' };
    managers.push(own);
  }
  own.time = timestamp(writer.now);
  for (const path of changed) own.fields.add(path);
  writeManagers(next, kind, managers);
}
