import type { ShopManifestOptions } from './shop.js';

export const shopRouters = ['istio', 'replicas', 'gateway-api', 'nginx', 'service', 'argo'] as const;
export type ShopRouter = (typeof shopRouters)[number];

/** The Service that users come through, and those that only tell tracks apart. */
export function servicesManifest(options: ShopManifestOptions): string {
  const { namespace, router = 'istio' } = options;
  const all = '{app: shop}';
  const stable = '{app: shop, track: stable}';
  const service = (name: string, selector: string, annotations = '') => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
${annotations}spec:
  selector: ${selector}
  ports: [{name: http, port: 80, targetPort: http}]
`;
  const users = (selector: string) => service('shop', selector, usersOf(options));
  switch (router) {
    case 'istio':
    case 'replicas':
      return users(all);
    case 'gateway-api':
      return [users(all), service('shop-stable', stable)].join('---\n');
    case 'nginx':
    case 'service':
      return users(stable);
    case 'argo':
      return [users(all), service('shop-canary', all)].join('---\n');
  }
}

/** Annotations of the Service that users come through. Behind an Ingress they ask for its host. */
function usersOf({ rps, headerShare = 0, router }: ShopManifestOptions): string {
  const host = router === 'nginx' ? ', sandbox.slipway.dev/host: shop.example.com' : '';
  const header =
    headerShare > 0 ? `, sandbox.slipway.dev/header: "x-canary: true", sandbox.slipway.dev/header-share: "${headerShare}"` : '';
  return `  annotations: {sandbox.slipway.dev/rps: "${rps}"${host}${header}}\n`;
}

/** What leads requests to the Services; empty where nothing but the Service does. */
export function routesManifest({ namespace, router = 'istio' }: ShopManifestOptions): string {
  switch (router) {
    case 'istio':
      return istioManifest(namespace);
    case 'gateway-api':
      return httpRouteManifest(namespace);
    case 'nginx':
      return ingressManifest(namespace);
    case 'argo':
      return argoRouteManifest(namespace);
    case 'replicas':
    case 'service':
      return '';
  }
}

function istioManifest(namespace: string): string {
  return `apiVersion: networking.istio.io/v1
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

function argoRouteManifest(namespace: string): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: ${namespace}}
spec:
  hosts: [shop]
  http:
  - name: primary
    route:
    - {destination: {host: shop}, weight: 100}
    - {destination: {host: shop-canary}, weight: 0}
`;
}

function httpRouteManifest(namespace: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: ${namespace}}
spec:
  parentRefs: [{group: "", kind: Service, name: shop, port: 80}]
  rules:
  - backendRefs: [{name: shop-stable, port: 80, weight: 100}]
`;
}

function ingressManifest(namespace: string): string {
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: ${namespace}}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
`;
}
