import type { Kind } from '../kube/kinds.js';

/**
 * How lists merge: by which fields an item is recognised. From the `patchMergeKey` and `listMapKeys` of the Kubernetes API reference and
 * the `x-kubernetes-list-map-keys` of CustomResourceDefinitions. Lists not named here are atomic.
 */
type ListRule = readonly [path: RegExp, strategic: string, apply: readonly string[]];

/** How the fields of one kind belong to their managers. Paths have field names only; lists are entered. */
export interface Topology {
  /** The keys of a list's items, or undefined for an atomic list. */
  keys(path: readonly string[]): readonly string[] | undefined;
  /** Lists of plain values that merge as sets. */
  isSet(path: readonly string[]): boolean;
  /** Maps and structs that change hands whole. */
  isAtomicMap(path: readonly string[]): boolean;
}

const metadata: readonly ListRule[] = [[/^metadata\.ownerReferences$/, 'uid', ['uid']]];

const pods: readonly ListRule[] = [
  [/\.(containers|initContainers|env|imagePullSecrets)$/, 'name', ['name']],
  [/\.(containers|initContainers)\.ports$/, 'containerPort', ['containerPort', 'protocol']],
  [/\.volumeMounts$/, 'mountPath', ['mountPath']],
  [/\.topologySpreadConstraints$/, 'topologyKey', ['topologyKey', 'whenUnsatisfiable']],
];

const builtIn: readonly ListRule[] = [
  ...metadata,
  ...pods,
  [/\.volumes$/, 'name', ['name']],
  [/^spec\.ports$/, 'port', ['port', 'protocol']],
  [/\.conditions$/, 'type', ['type']],
];

/** Rollout has a pod's lists, but neither its volumes nor its conditions merge. */
const custom: Record<string, readonly ListRule[]> = {
  Rollout: pods,
  Gateway: [
    [/^(spec|status)\.listeners$/, 'name', ['name']],
    [/\.conditions$/, 'type', ['type']],
  ],
};

const atomicMap = /(^|\.)(selector|matchLabels|nodeSelector|resourceFieldRef|fieldRef|secretKeyRef|configMapKeyRef|labelSelector)$/;
const rolloutAtomicMap = /^spec\.selector$|\.(resourceFieldRef|fieldRef|secretKeyRef|configMapKeyRef|labelSelector|nodeSelector)$/;

export function topologyOf(kind: Kind): Topology {
  const rules = kind.custom ? [...metadata, ...(custom[kind.kind] ?? [])] : builtIn;
  const atomic = kind.custom ? rolloutAtomicMap : atomicMap;
  return {
    keys: (path) => find(rules, path)?.[2],
    isSet: (path) => path.join('.') === 'metadata.finalizers',
    isAtomicMap: (path) => (!kind.custom || kind.kind === 'Rollout') && path[0] !== 'metadata' && atomic.test(path.join('.')),
  };
}

function find(rules: readonly ListRule[], path: readonly string[]): ListRule | undefined {
  const text = path.join('.');
  return rules.find(([pattern]) => pattern.test(text));
}

/** The one key of strategic merge, which only built-in kinds have, or undefined for a list that is replaced whole. */
export function strategicKey(path: readonly string[]): string | undefined {
  return find(builtIn, path)?.[1];
}

/** Lists that strategic merge adds to. */
export function isStrategicSet(path: readonly string[]): boolean {
  return path.join('.') === 'metadata.finalizers';
}

/** Default of a key field that an item leaves out: ports are TCP. */
export function keyValue(item: Record<string, unknown>, key: string): unknown {
  return item[key] ?? (key === 'protocol' ? 'TCP' : undefined);
}
