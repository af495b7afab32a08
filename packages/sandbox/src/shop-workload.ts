import type { ShopManifestOptions } from './shop.js';

/** The Deployment. */
export function deploymentManifest(options: ShopManifestOptions): string {
  const { namespace, replicas = 4, router = 'istio' } = options;
  const labels = (options.trackLabels ?? router !== 'replicas') ? '{app: shop, track: stable}' : '{app: shop}';
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: shop}}
${templateManifest(options, labels)}`;
}

/** The Rollout, as Argo Rollouts would have it instead of the Deployment. */
export function rolloutManifest(options: ShopManifestOptions): string {
  const {
    namespace,
    replicas = 4,
    argoSteps = [{ setWeight: 25 }, { pause: {} }, { setWeight: 50 }, { pause: { duration: '2s' } }],
  } = options;
  return `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: shop}}
${templateManifest(options, '{app: shop}')}  strategy:
    canary:
      stableService: shop
      canaryService: shop-canary
      trafficRouting: {istio: {virtualService: {name: shop, routes: [primary]}}}
      steps: ${JSON.stringify(argoSteps)}
`;
}

function templateManifest({ image = 'registry.example/shop:v1.3.0', cpu }: ShopManifestOptions, labels: string): string {
  return `  template:
    metadata: {labels: ${labels}}
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{name: http, containerPort: 8080}]
${cpu ? `        resources: {requests: {cpu: ${cpu}}}\n` : ''}        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, failureThreshold: 2}
`;
}
