import { isDeepStrictEqual } from 'node:util';
import {
  type KubeClient,
  type KubeObject,
  type Revision,
  readReplicaSets,
  resources,
  revisionsOf,
  undoPatch,
  type Workload,
} from '@slipway/cluster';
import { templateInSnapshot } from './snapshot.js';
import type { RolloutState } from './state.js';

/**
 * Sets stable back to the pod template that it had before the rollout: from its ReplicaSet, as `kubectl rollout undo --to-revision` does, or,
 * when that was garbage-collected or renumbered, from the snapshot. Returns the changed Deployment.
 *
 * Reasons: NO_LAST_GOOD, SNAPSHOT_TAMPERED, CONFLICT.
 */
export async function restoreStable(client: KubeClient, state: RolloutState, workload: Workload): Promise<KubeObject> {
  const { deployment } = workload;
  const { namespace = '', name } = deployment.metadata;
  const revision = (await revisionBefore(client, state, workload)) ?? (await revisionInSnapshot(client, state, workload));
  if (isDeepStrictEqual(deployment.spec.template, revision.template)) return deployment;
  return client.patch(resources.deployments, namespace, name, undoPatch(deployment, revision));
}

async function revisionBefore(client: KubeClient, state: RolloutState, { deployment, container }: Workload): Promise<Revision | undefined> {
  const revisions = revisionsOf(await readReplicaSets(client, deployment));
  return revisions.find((each) => each.revision === state.revision.from && each.images[container] === state.image.from);
}

async function revisionInSnapshot(client: KubeClient, state: RolloutState, { deployment }: Workload): Promise<Revision> {
  const { template, annotations } = await templateInSnapshot(client, state.target, state.snapshot, deployment);
  return { revision: state.revision.from ?? '', replicaSet: '', template, annotations, images: {} };
}
