import type { Clock } from '@slipway/core';
import type { KubeClient } from '../kube.js';
import { istioRouter } from './istio-router.js';
import { replicasRouter } from './replicas-router.js';
import type { TrafficRouter, TrafficSnapshot } from './router.js';

/** How traffic is split; the resolved `traffic` part of slipway.yml. */
export type RouterConfig =
  | { router: 'replicas' }
  | {
      router: 'istio';
      virtualService: string;
      /** Name of the http route whose weights are ours; absent: the only one that leads to the stable subset. */
      route?: string;
      destinationRule: string;
      stableSubset: string;
      canarySubset: string;
      /** Requests with this header (value `true`) always meet the canary; absent: no header route. */
      header?: string;
    };

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
  return traffic.router === 'istio' ? istioRouter(client, { ...options, traffic }) : replicasRouter(client, options);
}
