/**
 * The shop of every cell without an engine of its own: what the peers' `base-script.yaml` has, so that nothing but the tool differs. 10
 * replicas, 100 requests a second, a progress deadline of 120 s.
 */
export function bedManifest(namespace: string): string {
  return `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: ${namespace}, annotations: {testcluster/rps: "100"}}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: ${namespace}}
spec:
  replicas: 10
  progressDeadlineSeconds: 120
  selector: {matchLabels: {app: shop, track: stable}}
  template:
    metadata: {labels: {app: shop, track: stable}}
    spec:
      containers:
      - name: web
        image: registry.example/shop:v1
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, failureThreshold: 2}
---
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
    - {destination: {host: shop, subset: canary}, weight: 0}
`;
}
