import {
  adopt,
  canaryOf,
  ensureCanary,
  type KubeClient,
  type KubeObject,
  meetsNobody,
  refuseForeign,
  removeCanary,
  resources,
  setImage,
  setReplicas,
  type TrafficRouter,
  type Workload,
  waitReady,
  workloadOf,
} from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { askGate } from './ask-gate.js';
import type { Change, Memory } from './decide.js';
import type { RolloutDeps } from './deps.js';
import { drain } from './drain.js';
import { raiseFloor, restoreFloor } from './floor.js';
import { measureSplit } from './measure-split.js';
import { restoreStable } from './restore-stable.js';
import { takeSnapshot } from './snapshot.js';
import type { RolloutState } from './state.js';
import type { World } from './world.js';

/** What a change is made with. */
export interface Bench {
  deps: RolloutDeps;
  /** Ends with the run's signal. */
  client: KubeClient;
  router: TrafficRouter;
  signal: AbortSignal;
}

/** What became of a change: the world, what the process remembers, and what the state learns. */
export interface Acted {
  world: World;
  memory: Memory;
  state?: Partial<RolloutState>;
}

/** Makes one change, or one wait, and says what is there now. Reasons: those of the cluster package, WORKLOAD_CHANGED. */
export async function act(
  change: Exclude<Change, { change: 'rest' }>,
  state: RolloutState,
  world: World,
  memory: Memory,
  bench: Bench,
): Promise<Acted> {
  const { client, router, deps } = bench;
  const { target } = state;
  const { namespace, workload, canary } = target;
  const stable = (deployment: KubeObject): Acted => ({
    world: { ...world, stable: workloadOf(deployment, world.stable.container) },
    memory,
  });
  switch (change.change) {
    case 'adopt-stable':
      return stable((await adopt(client, world.stable.deployment)) ?? world.stable.deployment);
    case 'take-snapshot': {
      const snapshot = await takeSnapshot(deps, client, state, world.stable);
      return { world, memory, state: { snapshot, revision: { ...state.revision, from: world.stable.revision } } };
    }
    case 'prepare-route':
      await router.prepare?.();
      return { world, memory: { ...memory, prepared: true } };
    case 'scale-canary':
      return { world: { ...world, canary: await scaleCanary(change, state, world, client) }, memory };
    case 'await-canary':
      return {
        world: { ...world, canary: await ready(canary, world.canary, change.change, { image: state.image.to }, bench, world.stable) },
        memory,
      };
    case 'scale-stable':
      return stable(
        await setReplicas(client, namespace, workload, change.replicas, { owner: 'unknown', current: world.stable.deployment }),
      );
    case 'update-stable':
      return stable(await setImage(client, world.stable, change.image, { version: state.version }));
    case 'restore-stable':
      return stable(await restoreStable(client, state, world.stable));
    case 'await-stable':
      return stable(await ready(workload, world.stable.deployment, change.change, { image: world.stable.image }, bench, world.stable));
    case 'route':
      // Nobody to the canary is the route's original form: one patch for both.
      await (meetsNobody(change.routing) ? router.cleanup() : router.route(change.routing));
      return {
        world,
        memory: { ...memory, routed: change.routing, verified: false, tidy: meetsNobody(change.routing) },
        state: { wayOut: router.wayOut() ?? [] },
      };
    case 'verify-route': {
      const split = await router.verify(change.routing);
      return {
        world: { ...world, split },
        memory: { ...memory, routed: change.routing, verified: true },
        state: { split: { weight: split.weight, words: split.words }, wayOut: router.wayOut() ?? [] },
      };
    }
    case 'measure-split': {
      const measured = await measureSplit(bench, world.stable.deployment, world.canary, change.routing);
      const { split = { weight: change.routing.weight, words: '' } } = state;
      return { world, memory: { ...memory, measured: true }, state: { split: { ...split, measured } } };
    }
    case 'ask-gate':
      await askGate(change.url, { clock: deps.context.clock, signal: bench.signal });
      return { world, memory: { ...memory, admitted: true } };
    case 'raise-floor':
      return { world: { ...world, scaler: await raiseFloor(client, world.scaler, change.replicas) }, memory };
    case 'restore-floor':
      if (state.floor) await restoreFloor(client, target, state.floor);
      return { world, memory, state: { floor: null } };
    case 'drain':
      await drain(
        bench,
        world.canary,
        target,
        Math.max(target.drain, state.phase === 'aborting' ? target.abortScaleDownDelay : target.scaleDownDelay),
      );
      return { world, memory: { ...memory, drained: true } };
    case 'remove-canary':
      if (!memory.tidy) await router.cleanup();
      await removeSeen(client, target, world.canary);
      return { world: { ...world, canary: undefined }, memory: { ...memory, tidy: true } };
    case 'put-away':
      await router.cleanup();
      return { world, memory: { ...memory, putAway: true } };
    case 'refuse-foreign-image':
      throw changedByOthers(change.image, state);
  }
}

/** A canary that is there with the right image is scaled; else it is made from stable. */
async function scaleCanary(
  { image, replicas }: { image: string; replicas: number },
  state: RolloutState,
  { stable, canary }: World,
  client: KubeClient,
): Promise<KubeObject> {
  const { target } = state;
  if (canary && workloadOf(canary, stable.container).image === image && canary.metadata.annotations?.['slipway.dev/rollout'] === state.id) {
    return setReplicas(client, target.namespace, target.canary, replicas, { owner: 'ours', current: canary });
  }
  const spec = { name: target.canary, container: stable.container, image, replicas, version: state.version, rollout: state.id };
  return ensureCanary(client, canaryOf(stable.deployment, spec));
}

/** Deletes the very canary that was seen; looks again when it is another by now. */
async function removeSeen(
  client: KubeClient,
  { namespace, canary, workload }: RolloutState['target'],
  seen: KubeObject | undefined,
): Promise<void> {
  const uid = seen?.metadata.uid;
  if (!seen || uid === undefined) return removeCanary(client, namespace, canary, { canaryOf: workload });
  refuseForeign(seen, workload);
  try {
    await client.remove(resources.deployments, namespace, canary, { uid, propagation: 'Background' });
  } catch (error) {
    if (!(error instanceof OperationError && (error.reason === 'CONFLICT' || error.reason === 'NOT_FOUND'))) throw error;
    await removeCanary(client, namespace, canary, { canaryOf: workload });
  }
}

async function ready(
  name: string,
  deployment: KubeObject | undefined,
  what: string,
  { image }: { image: string },
  { client, deps, signal }: Bench,
  { container }: Workload,
): Promise<KubeObject> {
  const { target, context } = deps;
  const { deployment: now } = await waitReady(client, target.namespace, name, {
    generation: deployment?.metadata.generation ?? 0,
    timeoutMs: target.readyTimeout,
    clock: context.clock,
    signal,
    onProgress: ({ words }) => context.progress(`${what === 'await-canary' ? 'canary' : 'stable'}: ${words}`),
    expect: { container, image },
  });
  return now;
}

function changedByOthers(image: string, { target, image: { from, to } }: RolloutState): OperationError {
  return new OperationError(
    `Deployment ${target.namespace}/${target.workload} runs ${image}, which is neither ${from} (before this rollout) nor ${to}: somebody else changed it.`,
    {
      reason: 'WORKLOAD_CHANGED',
      next: [
        `Find out who: kubectl -n ${target.namespace} get deployment/${target.workload} -o yaml --show-managed-fields`,
        'Then run `abort`, and begin anew.',
      ],
    },
  );
}
