/** A kind that the API server knows. */
export interface Kind {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  /** Defined by a CustomResourceDefinition: no strategic merge patch, lists as its schema says, updates need a resourceVersion. */
  custom?: boolean;
  /** Raises `metadata.generation` when the spec changes. */
  generation?: boolean;
  /** Has a `/status` subresource: writes to the main resource leave `status` alone. */
  status?: boolean;
  scale?: boolean;
  /** PUT without a resourceVersion is refused. */
  versionedUpdate?: boolean;
}

const core = { group: '', version: 'v1', namespaced: true } as const;
const apps = { group: 'apps', version: 'v1', namespaced: true, generation: true, status: true, scale: true } as const;
const batch = { group: 'batch', version: 'v1', namespaced: true, generation: true, status: true } as const;
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;
const custom = { namespaced: true, custom: true, generation: true, versionedUpdate: true } as const;
const istio = { ...custom, group: 'networking.istio.io', version: 'v1', status: true } as const;
const gateway = { ...custom, group: 'gateway.networking.k8s.io', version: 'v1', status: true } as const;
const argo = { ...custom, group: 'argoproj.io', version: 'v1alpha1' } as const;

/** Every kind served, as in the API reference of Kubernetes and the CustomResourceDefinitions of the others. */
export const kinds: readonly Kind[] = [
  { ...core, plural: 'namespaces', kind: 'Namespace', namespaced: false, status: true },
  { ...core, plural: 'pods', kind: 'Pod', status: true, generation: true },
  { ...core, plural: 'services', kind: 'Service', status: true },
  { ...core, plural: 'configmaps', kind: 'ConfigMap' },
  { ...core, plural: 'secrets', kind: 'Secret' },
  { ...core, plural: 'events', kind: 'Event' },
  { ...core, plural: 'serviceaccounts', kind: 'ServiceAccount' },
  { ...core, plural: 'resourcequotas', kind: 'ResourceQuota', status: true },
  { ...apps, plural: 'deployments', kind: 'Deployment' },
  { ...apps, plural: 'replicasets', kind: 'ReplicaSet' },
  { ...batch, plural: 'jobs', kind: 'Job' },
  { ...batch, plural: 'cronjobs', kind: 'CronJob' },
  {
    group: 'autoscaling',
    version: 'v2',
    plural: 'horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    namespaced: true,
    status: true,
  },
  {
    group: 'policy',
    version: 'v1',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    namespaced: true,
    generation: true,
    status: true,
  },
  { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true, versionedUpdate: true },
  { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', kind: 'EndpointSlice', namespaced: true, generation: true },
  { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', kind: 'Ingress', namespaced: true, generation: true, status: true },
  { ...gateway, plural: 'httproutes', kind: 'HTTPRoute' },
  { ...gateway, plural: 'gateways', kind: 'Gateway' },
  { ...istio, plural: 'virtualservices', kind: 'VirtualService' },
  { ...istio, plural: 'destinationrules', kind: 'DestinationRule' },
  { ...argo, plural: 'rollouts', kind: 'Rollout', status: true, scale: true },
  { ...argo, plural: 'analysisruns', kind: 'AnalysisRun' },
  { ...argo, plural: 'analysistemplates', kind: 'AnalysisTemplate' },
  { ...custom, group: 'flagger.app', version: 'v1beta1', plural: 'canaries', kind: 'Canary', status: true },
  { ...custom, group: 'keda.sh', version: 'v1alpha1', plural: 'scaledobjects', kind: 'ScaledObject', status: true },
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
