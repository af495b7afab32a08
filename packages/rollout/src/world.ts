import {
  adoptionPatch,
  createRouter,
  type KubeClient,
  type KubeObject,
  progressOf,
  resources,
  type Scaler,
  type Split,
  type TrafficRouter,
  type Workload,
  workloadOf,
} from '@slipway/cluster';
import type { Clock } from '@slipway/core';
import type { Observed } from './decide.js';
import { scalerOf } from './floor.js';
import type { RolloutState } from './state.js';
import type { RolloutTarget } from './target.js';

/** The objects of one target as they were last read or written; every change puts in what the API server answered, so nothing is read twice. */
export interface World {
  stable: Workload;
  canary: KubeObject | undefined;
  split: Omit<Split, 'words'> | null;
  /** The autoscaler of stable, where it was looked for and is there. */
  scaler: Scaler | null;
}

/** Reads what is there besides stable; the router is not asked for a rolling release, which needs none. */
export async function readWorld(
  client: KubeClient,
  target: RolloutTarget,
  stable: Workload,
  router: TrafficRouter | null,
  withScaler: boolean,
): Promise<World> {
  if (!router) return { stable, canary: undefined, split: null, scaler: null };
  const [scaler, canary, split] = await Promise.all([
    withScaler ? scalerOf(client, target) : null,
    client.find(resources.deployments, target.namespace, target.canary),
    router.read(),
  ]);
  return { stable, canary, split, scaler };
}

/** What the rules need to know of the world. Pure. */
export function observed({ stable, canary, split, scaler }: World, target: RolloutTarget): Observed {
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
    scaler,
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
