import { type KubeClient, readReplicaSets, resources, revisionsOf, undoPatch, type Workload } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { isActive, type RolloutState } from '../state.js';
import { type Check, check } from './plan-checks.js';

/** Whether users could be sent back now: each part of the way is looked at, and its writes tried by dry run. */
export async function checkRollback(client: KubeClient, stable: Workload, state: RolloutState | undefined): Promise<Check[]> {
  if (isActive(state)) return [await wayOut(client, state), await snapshotThere(client, state)];
  return [await previousRevision(client, stable), ...(state?.phase === 'promoted' ? [await snapshotThere(client, state)] : [])];
}

function wayOut(client: KubeClient, { wayOut: patches }: RolloutState): Promise<Check> {
  return check('the patch that sends everybody back is accepted (dry run)', async () => {
    if (!patches || patches.length === 0) return ['no user meets the canary by a route of ours now'];
    for (const { resource, namespace, name, patch } of patches) await client.patch(resource, namespace, name, patch, { dryRun: true });
    return [];
  });
}

/** What `auto-rollback now` would put back after a promotion. */
function previousRevision(client: KubeClient, { deployment, container, image }: Workload): Promise<Check> {
  return check('the former version can be put back (dry run)', async () => {
    const revisions = revisionsOf(await readReplicaSets(client, deployment));
    const former = revisions.find(({ images }) => images[container] !== undefined && images[container] !== image);
    if (!former) return ['There is no former version: this one is the first. After a release there is.'];
    const { namespace = '', name } = deployment.metadata;
    await client.patch(resources.deployments, namespace, name, undoPatch(deployment, former), { dryRun: true });
    return [];
  });
}

function snapshotThere(client: KubeClient, { snapshot, target }: RolloutState): Promise<Check> {
  return check('the snapshot is there', async () => {
    if (!snapshot) return ['none was taken yet'];
    if (await client.find(resources.configmaps, target.namespace, snapshot.name)) return [];
    throw new OperationError(`ConfigMap ${target.namespace}/${snapshot.name} is gone.`, {
      reason: 'NO_LAST_GOOD',
      next: ['As long as the former ReplicaSet is there, users can be sent back all the same.'],
    });
  });
}
