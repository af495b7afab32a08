import { describe, type KubeClient, type KubeObject, resources } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { canonicalJson, sha256 } from './checksum.js';
import type { RolloutTarget } from './target.js';

/** What a rollback restores: stable as it was before the release, and its route, for the record. */
export interface Snapshot {
  schema: 1;
  /** Id of the rollout before which it was taken. */
  rollout: string;
  at: string;
  deployment: {
    name: string;
    uid: string | null;
    replicas: number | null;
    annotations: Record<string, string>;
    // biome-ignore lint/suspicious/noExplicitAny: a pod template is kept whole
    template: any;
  };
  virtualService: { name: string; spec: unknown } | null;
}

const key = 'snapshot.json';

export function snapshotName(workload: string): string {
  return `slipway-${workload}-snapshot`;
}

/** Reads what belongs to the snapshot besides the Deployment, and stores it. Returns its name and checksum for the state. */
export async function takeSnapshot(
  client: KubeClient,
  target: RolloutTarget,
  deployment: KubeObject,
  rollout: { id: string; at: string },
): Promise<{ name: string; sha256: string }> {
  const text = canonicalJson(await snapshotOf(client, target, deployment, rollout));
  const name = snapshotName(target.workload);
  await store(client, target.namespace, name, text);
  return { name, sha256: sha256(text) };
}

async function snapshotOf(
  client: KubeClient,
  target: RolloutTarget,
  deployment: KubeObject,
  rollout: { id: string; at: string },
): Promise<Snapshot> {
  return {
    schema: 1,
    rollout: rollout.id,
    at: rollout.at,
    deployment: {
      name: deployment.metadata.name,
      uid: deployment.metadata.uid ?? null,
      replicas: deployment.spec?.replicas ?? null,
      annotations: { ...deployment.metadata.annotations },
      template: deployment.spec.template,
    },
    virtualService: await readVirtualService(client, target),
  };
}

async function readVirtualService(client: KubeClient, { namespace, traffic }: RolloutTarget): Promise<Snapshot['virtualService']> {
  if (traffic.router !== 'istio') return null;
  const found = await client.find(resources.virtualservices, namespace, traffic.virtualService);
  return found ? { name: traffic.virtualService, spec: found.spec } : null;
}

async function store(client: KubeClient, namespace: string, name: string, text: string): Promise<void> {
  const data = { [key]: text };
  const metadata = { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'slipway' } };
  try {
    await client.create(resources.configmaps, namespace, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  } catch (error) {
    if (!(error instanceof OperationError && error.reason === 'ALREADY_EXISTS')) throw error;
    await client.patch(resources.configmaps, namespace, name, { type: 'merge', body: { data } });
  }
}

/**
 * Reads a snapshot and proves that it is the one that was taken.
 *
 * Reasons: NO_LAST_GOOD (it is gone), SNAPSHOT_TAMPERED (its text or its Deployment is another).
 */
export async function readSnapshot(
  client: KubeClient,
  namespace: string,
  expected: { name: string; sha256: string },
  deployment: KubeObject,
): Promise<Snapshot> {
  const found = await client.find(resources.configmaps, namespace, expected.name);
  const text: string | undefined = found?.data?.[key];
  if (text === undefined) throw gone(namespace, expected.name);
  if (sha256(text) !== expected.sha256) throw tampered(namespace, expected.name, 'its checksum is not the one in the rollout state');
  const snapshot = JSON.parse(text) as Snapshot;
  const uid = deployment.metadata.uid ?? null;
  if (snapshot.deployment.uid !== uid)
    throw tampered(namespace, expected.name, `it is of another ${describe(deployment)} (uid ${snapshot.deployment.uid})`);
  return snapshot;
}

function gone(namespace: string, name: string): OperationError {
  return new OperationError(
    `The snapshot ConfigMap ${namespace}/${name} is gone, and so is the ReplicaSet of the former version: there is nothing to go back to.`,
    {
      reason: 'NO_LAST_GOOD',
      next: ['Release the last good image again: `canary-deploy` with command `promote` and that `image`.'],
    },
  );
}

function tampered(namespace: string, name: string, why: string): OperationError {
  return new OperationError(`The snapshot ConfigMap ${namespace}/${name} cannot be trusted: ${why}. Nothing was restored.`, {
    reason: 'SNAPSHOT_TAMPERED',
    next: ['Release the last good image again: `canary-deploy` with command `promote` and that `image`.'],
  });
}
