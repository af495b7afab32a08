import type { KubeObject } from '@slipway/cluster';
import type { Clock } from '@slipway/core';
import { type MemoryKube, memoryKube, readyAtOnce } from '../../cluster/test/memory-kube.js';
import { deployment } from '../../cluster/test/objects.js';
import type { RolloutDeps } from '../src/deps.js';
import type { RolloutTarget } from '../src/target.js';

export const v1 = 'registry.example/shop:v1';
export const v2 = 'registry.example/shop:v2';
export const namespace = 'shop';

/** A clock on which waiting takes no time. */
export function instantClock(start = Date.parse('2026-11-22T19:00:00Z')): Clock & { at: number } {
  const clock = {
    at: start,
    now: () => clock.at,
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (signal?.aborted) throw signal.reason;
      clock.at += ms;
    },
  };
  return clock;
}

export function target(router: 'istio' | 'replicas' = 'istio'): RolloutTarget {
  return {
    service: 'shop',
    environment: 'production',
    namespace,
    strategy: 'canary',
    engine: 'native',
    workload: 'shop',
    canary: 'shop-canary',
    kubeService: 'shop',
    traffic:
      router === 'replicas'
        ? { router, gitopsIgnoresWeights: false }
        : {
            router,
            virtualServices: ['shop'],
            destinationRule: 'shop',
            protocol: 'http',
            stableSubset: 'stable',
            canarySubset: 'canary',
            gitopsIgnoresWeights: false,
          },
    splitCheck: 'objects',
    steps: [
      { weight: 10, duration: 300_000, maxErrorRate: 0.01 },
      { weight: 50, duration: 600_000, maxErrorRate: 0.005 },
    ],
    readyTimeout: 60_000,
    drain: 5_000,
    scaleDownDelay: 0,
    abortScaleDownDelay: 0,
    rollbackWindow: 0,
    maxSnapshots: 5,
  };
}

/** A shop of ten pods with its Service and Istio routes, and a deployment controller that needs no time. */
export function shop(options: { tracked?: boolean; replicas?: number } = {}): MemoryKube {
  const { tracked = true, replicas = 10 } = options;
  const stable = deployment('shop', { replicas, namespace });
  if (tracked) stable.spec.template.metadata.labels.track = 'stable';
  const kube = memoryKube(stable, service, destinationRule, virtualService);
  kube.react = react;
  return kube;
}

/** Counts revisions as the deployment controller does: one more per new template. */
function react(object: KubeObject): void {
  readyAtOnce(object);
  if (object.kind !== 'Deployment') return;
  const template = JSON.stringify(object.spec.template);
  const known = templates.get(object.metadata.uid ?? '') ?? [];
  templates.set(object.metadata.uid ?? '', known);
  if (!known.includes(template)) known.push(template);
  object.metadata.annotations = { ...object.metadata.annotations, 'deployment.kubernetes.io/revision': String(known.length) };
}
const templates = new Map<string, string[]>();

const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop', namespace }, spec: { selector: { app: 'shop' } } };

const destinationRule = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'shop', namespace },
  spec: {
    host: 'shop',
    subsets: [
      { name: 'stable', labels: { track: 'stable' } },
      { name: 'canary', labels: { track: 'canary' } },
    ],
  },
};

const virtualService = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'shop', namespace },
  spec: { hosts: ['shop'], http: [{ name: 'primary', route: [{ destination: { host: 'shop', subset: 'stable' }, weight: 100 }] }] },
};

export interface TestDeps extends RolloutDeps {
  lines: string[];
  abort: (reason?: unknown) => void;
}

export function deps(client: MemoryKube, overrides: Partial<RolloutDeps> & { holder?: string } = {}): TestDeps {
  const controller = new AbortController();
  const lines: string[] = [];
  const { holder = 'acme/shop/77/1/canary', ...others } = overrides;
  const say = (text: string) => void lines.push(text);
  return {
    client,
    target: target(),
    configHash: 'frozen',
    context: {
      clock: instantClock(),
      signal: controller.signal,
      holder,
      runUrl: 'https://github.example/acme/shop/actions/runs/77',
      progress: () => undefined,
      log: { debug: say, info: say, notice: say, warning: say, error: say, group: (_title, body) => body() },
    },
    lines,
    abort: (reason = new Error('cancelled by SIGINT')) => controller.abort(reason),
    ...others,
  };
}

/** Weight of the canary subset in the VirtualService. */
export function weightOf(kube: MemoryKube): number {
  const routes = kube.at('virtualservices', namespace, 'shop').spec.http as {
    route: { destination: { subset: string }; weight?: number }[];
  }[];
  return routes[0]?.route.find(({ destination }) => destination.subset === 'canary')?.weight ?? 0;
}

export function imageOf(kube: MemoryKube, name = 'shop'): string | undefined {
  return find(kube, name)?.spec.template.spec.containers[0].image;
}

export function find(kube: MemoryKube, name: string): KubeObject | undefined {
  try {
    return kube.at('deployments', namespace, name);
  } catch {
    return undefined;
  }
}

export function stateOf(kube: MemoryKube) {
  return JSON.parse(kube.at('configmaps', namespace, 'slipway-shop').data['state.json']) as import('../src/state.js').RolloutState;
}
