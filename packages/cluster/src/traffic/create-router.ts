import type { Clock, TrafficSettings } from '@slipway/core';
import type { KubeClient } from '../kube.js';
import { gatewayApiRouter } from './gateway-api-router.js';
import { istioRouter } from './istio-router.js';
import { nginxRouter } from './nginx-router.js';
import { replicasRouter } from './replicas-router.js';
import type { TrafficRouter, TrafficSnapshot } from './router.js';
import { serviceRouter } from './service-router.js';

/** How traffic is split; the `traffic` part of slipway.yml, or the Service's own selector, which blue/green without a mesh switches. */
export type RouterConfig = TrafficSettings | { router: 'service'; previewService: string; gitopsIgnoresWeights: boolean };

export interface RouterOptions {
  namespace: string;
  /** Names of the two Deployments. */
  stable: string;
  canary: string;
  /** Kubernetes Service that users' requests come through; the host of a DestinationRule that has to be written. */
  kubeService: string;
  traffic: RouterConfig;
  /** Pods that the service runs when no rollout is on: `spec.replicas` of stable at the start. */
  replicas: number;
  clock: Clock;
  /** Longest wait for pods, milliseconds. */
  readyTimeoutMs: number;
  /** From an earlier process: what {@link TrafficRouter.snapshot} returned before the first weight was set. */
  snapshot?: TrafficSnapshot;
  signal?: AbortSignal;
}

/** The router that the configuration asks for. Sends nothing. */
export function createRouter(client: KubeClient, options: RouterOptions): TrafficRouter {
  const { traffic } = options;
  switch (traffic.router) {
    case 'istio':
      return istioRouter(client, { ...options, traffic });
    case 'replicas':
      return replicasRouter(client, options);
    case 'gateway-api':
      return gatewayApiRouter(client, { ...options, traffic });
    case 'nginx':
      return nginxRouter(client, { ...options, traffic });
    case 'service':
      return serviceRouter(client, { ...options, traffic });
  }
}
