import type { KubeObject } from '../src/kube.js';
import { createRouter, type RouterConfig, type RouterOptions } from '../src/traffic/create-router.js';
import type { Routing } from '../src/traffic/routing.js';
import { type MemoryKube, memoryKube } from './memory-kube.js';

export type Istio = Extract<RouterConfig, { router: 'istio' }>;

export const at = (weight: number, rest: Partial<Routing> = {}): Routing => ({ weight, mirror: 0, match: weight > 0, ...rest });

export const istio: Istio = {
  router: 'istio',
  virtualServices: ['shop'],
  destinationRule: 'shop',
  protocol: 'http',
  stableSubset: 'stable',
  canarySubset: 'canary',
  gitopsIgnoresWeights: false,
};

export const to = (subset: string, weight?: number) => ({
  destination: { host: 'shop', subset, port: { number: 80 } },
  ...(weight === undefined ? {} : { weight }),
});
export const other = { name: 'admin', match: [{ uri: { prefix: '/admin' } }], route: [{ destination: { host: 'admin' } }], timeout: '3s' };
export const primary = (...route: object[]) => ({ name: 'primary', retries: { attempts: 2 }, mirror: { host: 'log' }, route });

export function virtualService(...http: object[]): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: { hosts: ['shop'], gateways: ['mesh'], http },
  };
}

export const rule = (...subsets: object[]): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'shop', namespace: 'shop' },
  spec: { host: 'shop', subsets },
});
export const stableSubset = { name: 'stable', labels: { track: 'stable' } };
export const canarySubset = { name: 'canary', labels: { track: 'canary' } };

export function optionsOf(traffic: Istio): RouterOptions {
  return {
    namespace: 'shop',
    stable: 'shop',
    canary: 'shop-canary',
    kubeService: 'shop',
    traffic,
    replicas: 10,
    clock: { now: () => 0, sleep: () => new Promise<void>(() => undefined) },
    readyTimeoutMs: 60_000,
  };
}

export function world(
  http: object[],
  config: Partial<Istio> = {},
  options: Partial<RouterOptions> = {},
  destinationRule = rule(stableSubset, canarySubset),
) {
  const kube = memoryKube(virtualService(...http), destinationRule);
  const router = createRouter(kube, { ...optionsOf({ ...istio, ...config }), ...options });
  return { kube, router };
}

export const routes = (kube: MemoryKube, service = 'shop') => kube.at('virtualservices', 'shop', service).spec.http;
export const weights = (kube: MemoryKube, name = 'primary', service = 'shop') =>
  routes(kube, service)
    .find((route: { name: string }) => route.name === name)
    .route.map(({ weight }: { weight?: number }) => weight);
