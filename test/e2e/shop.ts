/** A shop as a team would have it: one Deployment, a Service with users, and Istio routes where the router is Istio. */
export function shopManifest(options: {
  namespace: string;
  router: 'istio' | 'replicas';
  replicas: number;
  rps: number;
  image: string;
}): string {
  const { namespace, router, replicas, rps, image } = options;
  return `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: Service
metadata:
  name: shop
  namespace: ${namespace}
  annotations: {testcluster/rps: "${rps}"}
spec:
  selector: {app: shop}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      labels: ${router === 'istio' ? '{app: shop, track: stable}' : '{app: shop} # adopted by the first rollout'}
      # As a server should: on SIGTERM it ends what it has begun.
      annotations: {testcluster/stop-delay: 2s}
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, failureThreshold: 2}
${router === 'istio' ? istioManifest(namespace) : ''}`;
}

function istioManifest(namespace: string): string {
  return `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: ${namespace}}
spec:
  host: shop
  subsets:
  - {name: stable, labels: {track: stable}}
  - {name: canary, labels: {track: canary}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: ${namespace}}
spec:
  hosts: [shop]
  http:
  - name: primary
    route:
    - {destination: {host: shop, subset: stable}, weight: 100}
`;
}

/** slipway.yml of that shop: two short steps, so that a release takes a minute. */
export function shopConfig(options: { namespace: string; router: 'istio' | 'replicas' }): string {
  const traffic = options.router === 'istio' ? '{ router: istio, route: primary }' : '{ router: replicas }';
  return `version: 1
environments:
  production: { namespace: ${options.namespace} }
services:
  shop:
    traffic: ${traffic}
    steps:
      - { weight: 10, duration: 20s, max-error-rate: 1% }
      - { weight: 50, duration: 20s, max-error-rate: 1% }
    ready-timeout: 60s
    drain: 3s
    analysis:
      window: 2s
      warm-up: 4s
      on-inconclusive: continue
`;
}
