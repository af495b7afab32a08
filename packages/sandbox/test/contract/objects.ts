/** Paths and objects that the cases of the contract share. */
export const namespace = 'contract';
const of = (group: string, resource: string) => `/${group ? `apis/${group}` : 'api/v1'}/namespaces/${namespace}/${resource}`;

export const deployments = of('apps/v1', 'deployments');
export const replicaSets = of('apps/v1', 'replicasets');
export const configMaps = of('', 'configmaps');
export const services = of('', 'services');
export const pods = of('', 'pods');
export const events = of('', 'events');
export const quotas = of('', 'resourcequotas');
export const serviceAccounts = of('', 'serviceaccounts');
export const leases = of('coordination.k8s.io/v1', 'leases');
export const autoscalers = of('autoscaling/v2', 'horizontalpodautoscalers');
export const budgets = of('policy/v1', 'poddisruptionbudgets');
export const ingresses = of('networking.k8s.io/v1', 'ingresses');
export const jobs = of('batch/v1', 'jobs');
export const cronJobs = of('batch/v1', 'cronjobs');
export const roles = of('rbac.authorization.k8s.io/v1', 'roles');
export const roleBindings = of('rbac.authorization.k8s.io/v1', 'rolebindings');
export const virtualServices = of('networking.istio.io/v1', 'virtualservices');
export const destinationRules = of('networking.istio.io/v1', 'destinationrules');
export const httpRoutes = of('gateway.networking.k8s.io/v1', 'httproutes');
export const gateways = of('gateway.networking.k8s.io/v1', 'gateways');
export const rollouts = of('argoproj.io/v1alpha1', 'rollouts');
export const analysisRuns = of('argoproj.io/v1alpha1', 'analysisruns');
export const analysisTemplates = of('argoproj.io/v1alpha1', 'analysistemplates');
export const canaries = of('flagger.app/v1beta1', 'canaries');

export const merge = 'application/merge-patch+json';
export const strategic = 'application/strategic-merge-patch+json';
export const json = 'application/json-patch+json';
export const applyType = 'application/apply-patch+yaml';

export const labels = { app: 'shop', track: 'stable' };
export const container = { name: 'web', image: 'registry.example/shop:v1', ports: [{ name: 'http', containerPort: 8080 }] };
export const podTemplate = (own: object = labels) => ({ metadata: { labels: own }, spec: { containers: [container] } });

export const deployment = (name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { replicas: 0, selector: { matchLabels: labels }, template: podTemplate(), ...spec },
});

export const configMap = (name: string, data: object = { a: '1' }) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

export const lease = (name: string, spec: object = {}) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name },
  spec: { holderIdentity: 'one', leaseDurationSeconds: 60, ...spec },
});
export const microTime = (fraction: string) => `2026-01-02T03:04:05${fraction}Z`;

export const route = (weight: unknown) => [{ name: 'primary', route: [{ destination: { host: 'shop', subset: 'stable' }, weight }] }];
export const virtualService = (name: string, http: object[]) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name },
  spec: { hosts: ['shop'], http },
});
export const destinationRule = (name: string, spec: object) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name },
  spec,
});

export const httpRoute = (name: string, spec?: object) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  ...(spec ? { spec } : {}),
});
export const backends = (stable: number, canary: number) => [
  { name: 'shop', port: 80, weight: stable },
  { name: 'shop-canary', port: 80, weight: canary },
];
export const gateway = (name: string, listeners: object[]) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name },
  spec: { gatewayClassName: 'any', listeners },
});

/** The label leaves it to a controller that is not there: what is compared is the API server's doing. */
export const argo = (kind: string, name: string, spec: object) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind,
  metadata: { name, labels: { 'argo-rollouts.argoproj.io/controller-instance-id': 'nobody' } },
  spec,
});
/** Suspended, so that Flagger leaves it alone. */
export const flagger = (name: string, spec: object) => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: { name },
  spec: { suspend: true, ...spec },
});
