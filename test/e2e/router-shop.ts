import type { Router } from './router-scenarios.js';

/** Service, users and route of the shop, as a team has them with each router. */
export function routerManifest({ namespace, router, rps }: { namespace: string; router: Router; rps: number }): string {
  const annotations = [
    `testcluster/rps: "${rps}"`,
    // A fifth of the users has the header; a step asks for it, or does not.
    'testcluster/header: "x-canary: true"',
    'testcluster/header-share: "0.2"',
    ...(router === 'nginx' ? ['testcluster/host: shop.example.com'] : []),
  ];
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
  annotations: {${annotations.join(', ')}}
spec:
  selector: ${router === 'service' ? '{app: shop}' : '{app: shop, track: stable}'}
  ports: [{name: http, port: 80, targetPort: http}]
---
${routes[router](namespace)}`;
}

const routes: Record<Router, (namespace: string) => string> = {
  'gateway-api': (namespace) => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: ${namespace}, annotations: {team: shop}}
spec:
  parentRefs: [{group: "", kind: Service, name: shop, port: 80}]
  rules:
  - backendRefs: [{name: shop, port: 80}]
---
`,
  nginx: (namespace) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: ${namespace}, annotations: {team: shop}}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
---
`,
  service: () => '',
};

/** The stable Deployment. */
export function deploymentManifest({ namespace, replicas, image }: { namespace: string; replicas: number; image: string }): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      labels: {app: shop, track: stable}
      # As a server should: on SIGTERM it ends what it has begun.
      annotations: {testcluster/stop-delay: 2s}
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, failureThreshold: 2}
`;
}

/** slipway.yml of that shop. */
export function routerConfig({ namespace, router, steps }: { namespace: string; router: Router; steps: string[] }): string {
  const traffic = router === 'service' ? '' : `    traffic: { router: ${router}, header: x-canary }\n`;
  return `version: 1
environments:
  production: { namespace: ${namespace} }
services:
  shop:
    strategy: ${router === 'service' ? 'blue-green' : 'canary'}
${traffic}    steps:
${steps.map((step) => `      - ${step}`).join('\n')}
    ready-timeout: 60s
    drain: 3s
    analysis:
      window: 2s
      warm-up: 4s
      on-inconclusive: continue
`;
}
