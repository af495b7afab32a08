/** A shop as a team with Argo Rollouts or Flagger would have it: pods, their controller's object, and users. */
export function engineShopManifest(options: {
  engine: 'argo-rollouts' | 'flagger';
  namespace: string;
  replicas: number;
  rps: number;
  image: string;
}): string {
  const { engine, namespace } = options;
  return `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
${engine === 'argo-rollouts' ? argoManifest(options) : flaggerManifest(options)}`;
}

interface Options {
  namespace: string;
  replicas: number;
  rps: number;
  image: string;
}

function pods({ replicas, image }: Options): string {
  return `  replicas: ${replicas}
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      labels: {app: shop}
      # As a server should: on SIGTERM it ends what it has begun.
      annotations: {testcluster/stop-delay: 2s}
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, failureThreshold: 2}`;
}

function argoManifest(options: Options): string {
  const { namespace, rps } = options;
  const service = (name: string, annotations = '') => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}${annotations}}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: http}]}
---
`;
  return `${service('shop', `, annotations: {testcluster/rps: "${rps}"}`)}${service('shop-canary')}apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: ${namespace}}
spec:
  hosts: [shop]
  http:
  - name: primary
    route:
    - {destination: {host: shop}, weight: 100}
    - {destination: {host: shop-canary}, weight: 0}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop, namespace: ${namespace}}
spec:
${pods(options)}
  strategy:
    canary:
      stableService: shop
      canaryService: shop-canary
      trafficRouting: {istio: {virtualService: {name: shop, routes: [primary]}}}
      steps:
      - setWeight: 10
      - pause: {}
      - setWeight: 50
      - pause: {}
`;
}

function flaggerManifest(options: Options): string {
  const { namespace, rps } = options;
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: ${namespace}}
spec:
${pods(options)}
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop, namespace: ${namespace}}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  progressDeadlineSeconds: 60
  service:
    port: 80
    targetPort: 8080
    apex: {annotations: {testcluster/rps: "${rps}"}}
  analysis:
    interval: 10s
    threshold: 5
    maxWeight: 50
    stepWeight: 25
    metrics:
    - {name: request-success-rate, thresholdRange: {min: 99}, interval: 1m}
`;
}

/** slipway.yml of that shop. How long a step is watched is slipway.yml's to say where the controller waits to be promoted. */
export function engineShopConfig(engine: 'argo-rollouts' | 'flagger', namespace: string): string {
  return `version: 1
environments:
  production: { namespace: ${namespace} }
services:
  shop:
    engine: ${engine}
    steps:
      - { weight: 10, duration: 20s, max-error-rate: 1% }
      - { weight: 50, duration: 20s, max-error-rate: 1% }
    ready-timeout: 60s
    analysis:
      window: 2s
      warm-up: 4s
      on-inconclusive: continue
`;
}
