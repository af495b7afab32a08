import {
  adoptionPatch,
  createRouter,
  type KubeClient,
  type KubeObject,
  progressOf,
  resources,
  type Split,
  type TrafficRouter,
  type Workload,
  workloadOf,
} from '@slipway/cluster';
import type { Clock } from '@slipway/core';
import type { Observed } from './decide.js';
import type { RolloutState } from './state.js';
import type { RolloutTarget } from './target.js';

/** The objects of one target as they were last read or written; every change puts in what the API server answered, so nothing is read twice. */
export interface World {
  stable: Workload;
  canary: KubeObject | undefined;
  split: Pick<Split, 'weight' | 'settled'> | null;
}

/** Reads what is there besides stable; the router is not asked for a rolling release, which needs none. */
export async function readWorld(
  client: KubeClient,
  { namespace, canary }: RolloutTarget,
  stable: Workload,
  router: TrafficRouter | null,
): Promise<World> {
  if (!router) return { stable, canary: undefined, split: null };
  return { stable, canary: await client.find(resources.deployments, namespace, canary), split: await router.read() };
}

/** What the rules need to know of the world. Pure. */
export function observed({ stable, canary, split }: World, target: RolloutTarget): Observed {
  return {
    stable: {
      image: stable.image,
      replicas: stable.replicas,
      ready: progressOf(stable.deployment, 0).ready,
      // Without a router there are no tracks to tell apart.
      tracked: split === null || adoptionPatch(stable.deployment) === undefined,
    },
    canary: canary === undefined ? null : observedCanary(canary, target.container ?? stable.container),
    split,
  };
}

function observedCanary(canary: KubeObject, container: string): Observed['canary'] {
  const { image, replicas } = workloadOf(canary, container);
  return { image, replicas, ready: progressOf(canary, 0).ready };
}

/** The router of a target; `state` says how many pods the service ran and how its route looked before. */
export function routerOf(
  client: KubeClient,
  target: RolloutTarget,
  options: { clock: Clock; signal: AbortSignal; replicas: number; state: RolloutState | undefined },
): TrafficRouter {
  const { clock, signal, replicas, state } = options;
  return createRouter(client, {
    namespace: target.namespace,
    stable: target.workload,
    canary: target.canary,
    kubeService: target.kubeService,
    traffic: target.traffic,
    replicas,
    clock,
    readyTimeoutMs: target.readyTimeout,
    signal,
    ...(state?.traffic ? { snapshot: state.traffic } : {}),
  });
}
