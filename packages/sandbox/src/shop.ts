import type { Sandbox } from './sandbox.js';

export interface ShopOptions {
  /** Default 4. */
  replicas?: number;
  /** Requests per second in production; staging gets a tenth. Default 100. */
  rps?: number;
  /** `istio` (default): with DestinationRule and VirtualService; `replicas`: the Service alone. */
  router?: 'istio' | 'replicas';
  /** Default `registry.example/shop:v1.3.0`. */
  image?: string;
  /** Whether the Deployment's pods carry `track: stable`. Default: only with Istio, whose subsets select by it. */
  trackLabels?: boolean;
  /** Share of requests that carry `x-canary: true`. Default 0. */
  headerShare?: number;
  /** Default production `shop` and staging `shop-staging`. */
  namespaces?: string[];
}

/**
 * Sets up a shop as a team would have it: a Deployment, a Service with users, and Istio's routes if wanted, in production and staging.
 * Resolves when all pods serve and the users begin to come.
 */
export async function shop(sandbox: Sandbox, options: ShopOptions = {}): Promise<void> {
  const { rps = 100, namespaces = ['shop', 'shop-staging'] } = options;
  for (const namespace of namespaces) sandbox.apply(shopManifest({ ...options, namespace, rps: 0 }));
  const replicas = options.replicas ?? 4;
  const isServing = (namespace: string) => sandbox.get('Deployment', namespace, 'shop').status?.availableReplicas === replicas;
  await sandbox.until(`all ${replicas} pods of the shop ready`, () => namespaces.every(isServing));
  // Users come when the shop is open: nobody shall meet what is only its setting up.
  await sandbox.settled();
  for (const [i, namespace] of namespaces.entries()) sandbox.setRps(`${namespace}/shop`, i === 0 ? rps : rps / 10);
}

/** The shop's objects as YAML. */
export function shopManifest(options: ShopOptions & { namespace: string; rps: number }): string {
  const { namespace, rps, replicas = 4, router = 'istio', image = 'registry.example/shop:v1.3.0', headerShare = 0 } = options;
  const labels = (options.trackLabels ?? router === 'istio') ? '{app: shop, track: stable}' : '{app: shop}';
  const header =
    headerShare > 0 ? `, sandbox.slipway.dev/header: "x-canary: true", sandbox.slipway.dev/header-share: "${headerShare}"` : '';
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
  annotations: {sandbox.slipway.dev/rps: "${rps}"${header}}
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
    metadata: {labels: ${labels}}
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
