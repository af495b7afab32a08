import { apiVersionOf, type Kind } from '../kube/kinds.js';
import { type KubeObject, sameJson, timestamp } from '../kube/object.js';
import { alwaysThere, type FieldSet, fieldsOf, fromFieldsV1, toFieldsV1 } from './field-set.js';
import { topologyOf } from './list-keys.js';

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
  const owners = managers.filter((manager) => manager.fields.size > 0);
  if (owners.length === 0) {
    delete object.metadata.managedFields;
    return;
  }
  object.metadata.managedFields = owners.toSorted(byOperationAndTime).map(({ name, operation, subresource, fields, time }) => ({
    manager: name,
    operation,
    apiVersion: apiVersionOf(kind),
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(subresource ? { subresource } : {}),
  }));
}

/** Those that apply first, then by time and name. */
function byOperationAndTime(a: Manager, b: Manager): number {
  const key = ({ operation, time, name, subresource }: Manager) => [operation, time, name, subresource].join('\u0000');
  return key(a) < key(b) ? -1 : 1;
}

export function isSameManager(a: Manager, b: Pick<Manager, 'name' | 'operation' | 'subresource'>): boolean {
  return a.name === b.name && a.operation === b.operation && a.subresource === b.subresource;
}

/** What a write can own: with a status subresource, `status` belongs to those alone who write through it. */
function ownable(object: KubeObject, kind: Kind, subresource: string): Map<string, unknown> {
  const { status, ...main } = object;
  const fields = fieldsOf(kind.status && subresource !== 'status' ? main : object, topologyOf(kind));
  for (const path of alwaysThere(fields, kind.custom ?? false)) fields.delete(path);
  return fields;
}

/** After an update: what it changed belongs to its writer alone, what it removed to nobody. */
export function trackUpdate(
  next: KubeObject,
  before: KubeObject | undefined,
  kind: Kind,
  writer: { name: string; subresource: string; now: number },
): void {
  const old = before ? ownable(before, kind, writer.subresource) : new Map<string, unknown>();
  const fresh = ownable(next, kind, writer.subresource);
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
