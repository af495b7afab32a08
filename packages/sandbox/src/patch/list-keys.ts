/**
 * How lists of the built-in kinds merge: by which fields an item is recognised. From the `patchMergeKey` and `listMapKeys` of the
 * Kubernetes API reference. Lists not named here, and all lists of custom kinds, are atomic.
 */
const mergeKeys: readonly [path: RegExp, strategic: string, apply: readonly string[]][] = [
  [/\.(containers|initContainers|volumes|env|imagePullSecrets)$/, 'name', ['name']],
  [/\.containers\.ports$/, 'containerPort', ['containerPort', 'protocol']],
  [/^spec\.ports$/, 'port', ['port', 'protocol']],
  [/\.volumeMounts$/, 'mountPath', ['mountPath']],
  [/\.conditions$/, 'type', ['type']],
  [/\.ownerReferences$/, 'uid', ['uid']],
  [/\.topologySpreadConstraints$/, 'topologyKey', ['topologyKey', 'whenUnsatisfiable']],
];

function rule(path: readonly string[]) {
  const text = path.join('.');
  return mergeKeys.find(([pattern]) => pattern.test(text));
}

/** The one key of strategic merge, or undefined for a list that is replaced whole. `path` has field names only. */
export function strategicKey(path: readonly string[]): string | undefined {
  return rule(path)?.[1];
}

/** The keys of server-side apply, or undefined for an atomic list. */
export function applyKeys(path: readonly string[]): readonly string[] | undefined {
  return rule(path)?.[2];
}

/** Lists of plain values that merge as sets. */
export function isSet(path: readonly string[]): boolean {
  return path.join('.') === 'metadata.finalizers';
}

/** Maps and structs that change hands whole under server-side apply. */
export function isAtomicMap(path: readonly string[]): boolean {
  return /(^|\.)(selector|matchLabels|nodeSelector|resourceFieldRef|fieldRef|secretKeyRef|configMapKeyRef)$/.test(path.join('.'));
}

/** Default of a key field that an item leaves out: ports are TCP. */
export function keyValue(item: Record<string, unknown>, key: string): unknown {
  return item[key] ?? (key === 'protocol' ? 'TCP' : undefined);
}
