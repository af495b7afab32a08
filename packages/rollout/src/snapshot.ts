import {
  describe,
  type KubeClient,
  type KubeObject,
  type Resource,
  readSnapshot,
  resources,
  snapshotsName,
  takeSnapshot as take,
  type Workload,
  workloadIn,
} from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { RolloutDeps } from './deps.js';
import { type RolloutState, routingIn } from './state.js';
import type { RolloutTarget } from './target.js';

/** Where a rollout's snapshot is, and the checksum by which it is known again. */
export type SnapshotOf = NonNullable<RolloutState['snapshot']>;

/** Takes the snapshot of everything that the release may change, before it does. What is not in it is said. */
export async function takeSnapshot(deps: RolloutDeps, client: KubeClient, state: RolloutState, stable: Workload): Promise<SnapshotOf> {
  const { context, snapshotKey } = deps;
  const { target, runUrl, id } = state;
  const { name, sha256, warnings } = await take(
    client,
    {
      id,
      namespace: target.namespace,
      workload: stable.deployment,
      service: target.kubeService,
      traffic: trafficObjects(target),
      metadata: { who: context.holder, runUrl, image: stable.image, weight: 0 },
      record: { routing: routingIn(state), replicas: state.replicas, traffic: state.traffic },
      maxSnapshots: target.maxSnapshots,
      ...(snapshotKey === undefined ? {} : { key: snapshotKey }),
    },
    context.clock,
  );
  for (const warning of warnings) context.log.warning(warning);
  return { name, sha256 };
}

/** The objects that split traffic, as the configuration names them. */
function trafficObjects({ traffic, strategy }: RolloutTarget): { resource: Resource; name: string }[] {
  if (strategy === 'rolling') return [];
  switch (traffic.router) {
    case 'istio':
      return [
        ...traffic.virtualServices.map((name) => ({ resource: resources.virtualservices, name })),
        { resource: resources.destinationrules, name: traffic.destinationRule },
      ];
    case 'gateway-api':
      return [{ resource: resources.httproutes, name: traffic.httpRoute }];
    case 'nginx':
      return [{ resource: resources.ingresses, name: traffic.ingress }];
    default:
      return [];
  }
}

/**
 * The pod template that stable had, from the snapshot, proven to be the one that was taken of this very Deployment.
 *
 * Reasons: NO_LAST_GOOD (it is gone), SNAPSHOT_TAMPERED, SNAPSHOT_NEWER.
 */
export async function templateInSnapshot(
  client: KubeClient,
  { namespace, workload }: RolloutTarget,
  expected: SnapshotOf | null,
  deployment: KubeObject,
  // biome-ignore lint/suspicious/noExplicitAny: a pod template is kept whole
): Promise<{ template: any; annotations: Record<string, string> }> {
  if (!expected) throw gone(`${namespace}/${snapshotsName(workload)}`);
  const snapshot = await read(client, namespace, expected);
  const { uid, object } = workloadIn(snapshot);
  if (uid !== (deployment.metadata.uid ?? null)) throw another(namespace, expected.name, deployment, uid);
  return { template: object.spec.template, annotations: object.metadata.annotations ?? {} };
}

async function read(client: KubeClient, namespace: string, expected: SnapshotOf) {
  try {
    return await readSnapshot(client, namespace, expected);
  } catch (error) {
    if (error instanceof OperationError && error.reason === 'SNAPSHOT_NOT_FOUND') throw gone(`${namespace}/${expected.name}`, error);
    throw error;
  }
}

const RELEASE_AGAIN = 'Release the last good image again: `canary-deploy` with command `promote` and that `image`.';

function gone(place: string, cause?: OperationError): OperationError {
  return new OperationError(
    `The snapshot in ConfigMap ${place} is gone, and so is the ReplicaSet of the former version: there is nothing to go back to.`,
    {
      reason: 'NO_LAST_GOOD',
      next: [RELEASE_AGAIN],
      ...(cause ? { cause } : {}),
    },
  );
}

function another(namespace: string, name: string, deployment: KubeObject, uid: string | null): OperationError {
  return new OperationError(
    `The snapshot in ConfigMap ${namespace}/${name} is of another ${describe(deployment)} (uid ${uid}). Nothing was restored.`,
    { reason: 'SNAPSHOT_TAMPERED', next: [RELEASE_AGAIN] },
  );
}
