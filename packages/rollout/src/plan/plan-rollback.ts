import {
  type KubeClient,
  readReplicaSets,
  readSnapshot,
  resources,
  revisionsOf,
  stableAlone,
  type TrafficRouter,
  undoPatch,
  type Workload,
} from '@slipway/cluster';
import { isActive, type RolloutState } from '../state.js';
import type { RolloutTarget } from '../target.js';
import { type Check, check, warning } from './check.js';
import { tryRoute } from './plan-checks.js';
import { checkWatchdog } from './watchdog.js';

interface RollbackWorld {
  /** All of its writes are dry runs. */
  client: KubeClient;
  target: RolloutTarget;
  stable: Workload;
  router: TrafficRouter;
  state: RolloutState | undefined;
}

/** Whether users could be sent back now: each part of the way is looked at, and its writes tried by dry run. */
export async function checkRollback(world: RollbackWorld): Promise<Check[]> {
  const { client, target, state } = world;
  const watchdog = await checkWatchdog(client, target.namespace, target.workload);
  if (isActive(state) && state.kind === 'canary') return [...(await wayOut(world, state)), await snapshotThere(client, state), watchdog];
  return [await previousRevision(world), ...(state?.snapshot ? [await snapshotThere(client, state)] : []), watchdog];
}

/** `abort` computes its patches from what is there; a watchdog sends those that were written down when the step came into force. */
async function wayOut(world: RollbackWorld, { wayOut: prepared = [] }: RolloutState): Promise<Check[]> {
  const now = await check('everybody can be sent back by `abort` (dry run)', () => tryRoute(world, stableAlone));
  if (prepared.length === 0) return [now];
  const kept = await check('the patches kept for a watchdog are accepted (dry run)', async () => {
    for (const { resource, namespace, name, patch } of prepared) await world.client.patch(resource, namespace, name, patch);
  });
  if (kept.outcome !== 'refused') return [now, kept];
  const words = `Somebody has changed the route since the step came into force, so they fit no longer: ${kept.words}`;
  return [
    now,
    now.outcome === 'refused'
      ? kept
      : warning(kept.what, words, ['Run `step`, or `start` with the same image again: it writes them anew.']),
  ];
}

/** What `auto-rollback now` would put back after a promotion. */
function previousRevision({ client, stable: { deployment, container, image } }: RollbackWorld): Promise<Check> {
  return check('the former version can be put back (dry run)', async () => {
    const revisions = revisionsOf(await readReplicaSets(client, deployment));
    const former = revisions.find(({ images }) => images[container] !== undefined && images[container] !== image);
    if (!former) return ['There is no former version: this one is the first. After a release there is.'];
    const { namespace = '', name } = deployment.metadata;
    await client.patch(resources.deployments, namespace, name, undoPatch(deployment, former));
    return [];
  });
}

/** There, and what was written down when it was taken. */
function snapshotThere(client: KubeClient, { snapshot, target }: RolloutState): Promise<Check> {
  return check('the snapshot is there and whole', async () => {
    if (!snapshot) return ['none was taken yet'];
    await readSnapshot(client, target.namespace, snapshot);
    return [];
  });
}
