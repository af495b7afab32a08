/** A kind that the API server knows. */
export interface Kind {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  /** Defined by a CustomResourceDefinition: no strategic merge patch, lists are atomic, updates need a resourceVersion. */
  custom?: boolean;
  /** Raises `metadata.generation` when the spec changes. */
  generation?: boolean;
  /** Has a `/status` subresource: writes to the main resource leave `status` alone. */
  status?: boolean;
  scale?: boolean;
  /** PUT without a resourceVersion is refused. */
  versionedUpdate?: boolean;
}

const istio = { group: 'networking.istio.io', version: 'v1', namespaced: true, custom: true, generation: true, status: true } as const;
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;
const core = { group: '', version: 'v1', namespaced: true } as const;

/** Every kind served, as in the API reference of Kubernetes and Istio. */
export const kinds: readonly Kind[] = [
  { ...core, plural: 'namespaces', kind: 'Namespace', namespaced: false, status: true },
  { ...core, plural: 'pods', kind: 'Pod', status: true, generation: true },
  { ...core, plural: 'services', kind: 'Service', status: true },
  { ...core, plural: 'configmaps', kind: 'ConfigMap' },
  { ...core, plural: 'secrets', kind: 'Secret' },
  { ...core, plural: 'events', kind: 'Event' },
  { ...core, plural: 'serviceaccounts', kind: 'ServiceAccount' },
  {
    group: 'apps',
    version: 'v1',
    plural: 'deployments',
    kind: 'Deployment',
    namespaced: true,
    generation: true,
    status: true,
    scale: true,
  },
  {
    group: 'apps',
    version: 'v1',
    plural: 'replicasets',
    kind: 'ReplicaSet',
    namespaced: true,
    generation: true,
    status: true,
    scale: true,
  },
  {
    group: 'autoscaling',
    version: 'v2',
    plural: 'horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    namespaced: true,
    status: true,
  },
  { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true, versionedUpdate: true },
  { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', kind: 'EndpointSlice', namespaced: true, generation: true },
  { ...istio, plural: 'virtualservices', kind: 'VirtualService', versionedUpdate: true },
  { ...istio, plural: 'destinationrules', kind: 'DestinationRule', versionedUpdate: true },
  { ...rbac, plural: 'roles', kind: 'Role', namespaced: true },
  { ...rbac, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true },
  { ...rbac, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false },
  { ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false },
];

const byPlural = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
const byKind = new Map(kinds.map((kind) => [kind.kind, kind]));

export function findKind(group: string, version: string, plural: string): Kind | undefined {
  return byPlural.get(`${group}/${version}/${plural}`);
}

/** By name, e.g. `Deployment`; every name occurs once. Throws for a kind that is not served. */
export function kindNamed(name: string): Kind {
  const kind = byKind.get(name);
  if (!kind) throw new Error(`The sandbox serves no kind ${name}; it knows ${[...byKind.keys()].join(', ')}.`);
  return kind;
}

export function apiVersionOf(kind: Kind): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version;
}

/** `deployments.apps`, or `pods`: how error messages name a resource. */
export function qualified(kind: Pick<Kind, 'plural' | 'group'>): string {
  return kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
}
