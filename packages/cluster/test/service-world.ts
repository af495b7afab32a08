import type { KubeObject } from '../src/kube.js';
import { createRouter, type RouterConfig, type RouterOptions } from '../src/traffic/create-router.js';
import type { TrafficRouter } from '../src/traffic/router.js';
import { type MemoryKube, memoryKube } from './memory-kube.js';
import { deployment } from './objects.js';

export interface World {
  kube: MemoryKube;
  router: TrafficRouter;
  /** Another process, which knows what was snapshot. */
  again: (options?: Partial<RouterOptions>) => TrafficRouter;
}

/** A Service as an API server would answer it, with what it assigned. */
export function service(name: string, selector: Record<string, string> | undefined, spec: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: 'shop',
      labels: { team: 'shop', 'app.kubernetes.io/instance': 'shop-app' },
      annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'shop.example.com' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.0.0.7',
      ...(selector ? { selector } : {}),
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http', nodePort: 30080 }],
      ...spec,
    },
  };
}

export function pod(name: string, labels: Record<string, string>, ready = true): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

export const stableLabels = { app: 'shop', track: 'stable' };
export const canaryLabels = { app: 'shop', track: 'canary' };

/** The canary of the stable Deployment, with its pods. */
export function canaryObjects(count = 1): KubeObject[] {
  return [
    deployment('shop-canary', { labels: canaryLabels, replicas: count }),
    ...Array.from({ length: count }, (_, index) => pod(`shop-canary-${index}`, canaryLabels)),
  ];
}

export const stableObjects = (labels: Record<string, string> = stableLabels): KubeObject[] => [
  deployment('shop', { labels, replicas: 2 }),
  pod('shop-0', labels),
  pod('shop-1', labels),
];

/** Objects with the endpoints controller playing: slices are those of the Services and the pods at the moment they are asked for. */
export function world(traffic: RouterConfig, objects: object[], options: Partial<RouterOptions> = {}): World {
  const kube = memoryKube(...objects);
  kube.before = (call) => {
    if (call.plural === 'endpointslices') writeSlices(kube);
    return undefined;
  };
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const common: RouterOptions = {
    namespace: 'shop',
    stable: 'shop',
    canary: 'shop-canary',
    kubeService: 'shop',
    traffic,
    replicas: 2,
    clock,
    readyTimeoutMs: 5_000,
    ...options,
  };
  return { kube, router: createRouter(kube, common), again: (more = {}) => createRouter(kube, { ...common, ...more }) };
}

/** Everything of a kind, as it is stored. */
export function stored(kube: MemoryKube, plural: Parameters<MemoryKube['at']>[0], name: string): KubeObject | undefined {
  try {
    return kube.at(plural, 'shop', name);
  } catch {
    return undefined;
  }
}

const known = ['shop', 'shop-stable', 'shop-canary', 'shop-preview'];
const pods = [0, 1, 2, 3].flatMap((index) => [`shop-${index}`, `shop-canary-${index}`]);

function writeSlices(kube: MemoryKube): void {
  for (const name of known) {
    const found = stored(kube, 'services', name);
    const selector: Record<string, string> = found?.spec.selector ?? { none: 'none' };
    const endpoints = pods
      .map((each) => stored(kube, 'pods', each))
      .filter((each) => each !== undefined)
      .filter(({ metadata }) => Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value))
      .map(({ metadata, status }) => ({
        conditions: { ready: status.conditions[0].status === 'True' && !metadata.deletionTimestamp },
        targetRef: { kind: 'Pod', name: metadata.name },
      }));
    kube.put({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
      endpoints,
    });
  }
}
