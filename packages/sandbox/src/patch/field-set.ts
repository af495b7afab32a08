import { isRecord } from '../kube/object.js';
import { keyValue, type Topology } from './list-keys.js';

/**
 * Paths of fields in the form of `fieldsV1` (structured-merge-diff): `f:name` for a field, `k:{…}` for a list item by its keys, `v:…` for a
 * member of a set, `.` for the item itself. A path is kept as its segments joined by a character that cannot occur in them.
 */
export type FieldSet = Set<string>;

const separator = '\u0000';

/** Fields that no manager owns. */
const unowned = new Set([
  'apiVersion',
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.creationTimestamp',
  'metadata.managedFields',
  'metadata.generateName',
]);

/** Every leaf of an object with its value, and every item of a list that merges by keys. */
export function leavesOf(object: object, topology: Topology): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  walk(object, [], [], { topology, leaves, nodes: false });
  return leaves;
}

/** The same with every map and every list on the way, as an update owns them when it is the first to write them. */
export function fieldsOf(object: object, topology: Topology): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  walk(object, [], [], { topology, leaves, nodes: true });
  return leaves;
}

interface Walk {
  topology: Topology;
  leaves: Map<string, unknown>;
  nodes: boolean;
}

function walk(value: unknown, path: string[], names: string[], into: Walk): void {
  const { topology, leaves, nodes } = into;
  if (unowned.has(names.join('.'))) return;
  const isOpenMap = isRecord(value) && !topology.isAtomicMap(names);
  if (isOpenMap && (names.length === 0 || Object.keys(value).length > 0)) {
    if (nodes && names.length > 0) markNode(path, leaves);
    for (const [key, one] of Object.entries(value)) walk(one, [...path, `f:${key}`], [...names, key], into);
    return;
  }
  if (Array.isArray(value) && topology.isSet(names)) {
    if (nodes) markNode(path, leaves);
    for (const one of value) leaves.set([...path, `v:${JSON.stringify(one)}`].join(separator), one);
    return;
  }
  const keys = Array.isArray(value) ? topology.keys(names) : undefined;
  if (!keys || !Array.isArray(value)) {
    leaves.set(path.join(separator), value);
    return;
  }
  if (nodes) markNode(path, leaves);
  for (const item of value as Record<string, unknown>[]) {
    const itemPath = [...path, `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, keyValue(item, key)])))}`];
    markNode(itemPath, leaves);
    for (const [key, one] of Object.entries(item)) walk(one, [...itemPath, `f:${key}`], [...names, key], into);
  }
}

function markNode(path: readonly string[], leaves: Map<string, unknown>): void {
  leaves.set([...path, '.'].join(separator), undefined);
}

/** Structs that Go writes even when empty, so that nobody is the first to write them. */
const structs =
  /^(metadata|spec|status|spec\.strategy|spec\.(template|jobTemplate\.spec\.template|jobTemplate)(\.(metadata|spec|spec\.containers))?)$/;

/** Of the nodes found, those that are there in every object of its kind. */
export function alwaysThere(fields: ReadonlyMap<string, unknown>, custom: boolean): string[] {
  const there = custom ? /^metadata$/ : structs;
  return [...fields.keys()].filter((path) => path.endsWith(`${separator}.`) && there.test(plainNames(path)));
}

function plainNames(path: string): string {
  const segments = path.split(separator).slice(0, -1);
  return segments.map((segment) => (segment.startsWith('f:') ? segment.slice(2) : segment)).join('.');
}

/** A path as error messages show it: `.spec.template.spec.containers[name="web"].image`. */
export function describePath(path: string): string {
  const parts = path.split(separator).map((segment) => {
    if (segment.startsWith('f:')) return `.${segment.slice(2)}`;
    if (segment.startsWith('v:')) return `[=${segment.slice(2)}]`;
    if (!segment.startsWith('k:')) return '';
    const keys = Object.entries(JSON.parse(segment.slice(2)) as Record<string, unknown>);
    return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
  });
  return parts.join('');
}

/** Takes away the value at a path; a list that is empty then goes too. */
export function removePath(object: object, path: string): void {
  const segments = path.split(separator).filter((segment) => segment !== '.');
  removeAt(object, segments);
}

function removeAt(object: object, segments: readonly string[]): void {
  const last = segments.at(-1) as string;
  let parent: unknown = object;
  for (const segment of segments.slice(0, -1)) parent = step(parent, segment);
  if (isRecord(parent)) delete parent[last.slice(2)];
  if (!Array.isArray(parent)) return;
  const at = parent.indexOf(step(parent, last));
  if (at >= 0) parent.splice(at, 1);
  if (parent.length === 0) removeAt(object, segments.slice(0, -1));
}

function step(parent: unknown, segment: string): unknown {
  if (segment.startsWith('f:')) return isRecord(parent) ? parent[segment.slice(2)] : undefined;
  if (!Array.isArray(parent)) return undefined;
  if (segment.startsWith('v:')) return parent.find((one) => JSON.stringify(one) === segment.slice(2));
  const keys = Object.entries(JSON.parse(segment.slice(2)) as Record<string, unknown>);
  return parent.find((item) => keys.every(([key, value]) => keyValue(item, key) === value));
}

/** To the tree of `fieldsV1`. */
export function toFieldsV1(paths: Iterable<string>): object {
  const tree: Record<string, unknown> = {};
  for (const path of paths) {
    let node = tree;
    for (const segment of path.split(separator)) {
      node[segment] ??= {};
      node = node[segment] as Record<string, unknown>;
    }
  }
  return tree;
}

/** From the tree of `fieldsV1`: its leaves, and `.` of list items. */
export function fromFieldsV1(tree: unknown, path: readonly string[] = []): string[] {
  if (!isRecord(tree)) return [];
  return Object.entries(tree).flatMap(([segment, below]) => {
    const here = [...path, segment];
    const children = fromFieldsV1(below, here);
    return children.length > 0 ? children : [here.join(separator)];
  });
}
