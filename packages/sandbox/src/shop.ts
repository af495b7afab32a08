import type { Sandbox } from './sandbox.js';
import { routesManifest, type ShopRouter, servicesManifest } from './shop-routes.js';
import { deploymentManifest, rolloutManifest } from './shop-workload.js';

export interface ShopOptions {
  /** Default 4. */
  replicas?: number;
  /** Requests per second in production; staging gets a tenth. Default 100. */
  rps?: number;
  /**
   * What splits the traffic. `istio` (default): DestinationRule and VirtualService; `replicas`: the Service alone; `gateway-api`: an HTTPRoute on
   * the Service, and a Service of the stable pods; `nginx`: an Ingress; `service`: the Service's selector (`track: stable`), which blue/green
   * switches; `argo`: a Rollout instead of the Deployment, whose controller moves the weights of a VirtualService.
   */
  router?: ShopRouter;
  /** Default `registry.example/shop:v1.3.0`. */
  image?: string;
  /** Whether the Deployment's pods carry `track: stable`. Default: wherever something selects by it. */
  trackLabels?: boolean;
  /** Share of requests that carry `x-canary: true`. Default 0. */
  headerShare?: number;
  /** Cores that each pod asks for, as a quantity (`500m`). Default: none. */
  cpu?: string;
  /** Steps of the Rollout. Default 25 %, a pause without end, 50 %, 2 s. */
  argoSteps?: object[];
  /** Default production `shop` and staging `shop-staging`. */
  namespaces?: string[];
}

export interface ShopManifestOptions extends ShopOptions {
  namespace: string;
  rps: number;
}

/**
 * Sets up a shop as a team would have it: a Deployment (or a Rollout), a Service with users, and routes if wanted, in production and staging.
 * Resolves when all pods serve and the users begin to come.
 */
export async function shop(sandbox: Sandbox, options: ShopOptions = {}): Promise<void> {
  const { rps = 100, namespaces = ['shop', 'shop-staging'] } = options;
  for (const namespace of namespaces) sandbox.apply(shopManifest({ ...options, namespace, rps: 0 }));
  const replicas = options.replicas ?? 4;
  const kind = options.router === 'argo' ? 'Rollout' : 'Deployment';
  const isServing = (namespace: string) => {
    const { status } = sandbox.get(kind, namespace, 'shop');
    return status?.availableReplicas === replicas && (kind === 'Deployment' || status.phase === 'Healthy');
  };
  await sandbox.until(`all ${replicas} pods of the shop ready`, () => namespaces.every(isServing));
  // Users come when the shop is open: nobody shall meet what is only its setting up.
  await sandbox.settled();
  for (const [i, namespace] of namespaces.entries()) sandbox.setRps(`${namespace}/shop`, i === 0 ? rps : rps / 10);
}

/** The shop's objects as YAML. */
export function shopManifest(options: ShopManifestOptions): string {
  const namespace = `
apiVersion: v1
kind: Namespace
metadata: {name: ${options.namespace}}
`;
  const workload = options.router === 'argo' ? rolloutManifest(options) : deploymentManifest(options);
  return [namespace, servicesManifest(options), workload, routesManifest(options)].filter((part) => part !== '').join('---\n');
}
