import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';

/** The HorizontalPodAutoscaler that owns the replicas of a Deployment (KEDA makes one too), or undefined. */
export async function findHpa(client: KubeClient, namespace: string, deployment: string): Promise<KubeObject | undefined> {
  const all = await client.list(resources.horizontalpodautoscalers, namespace);
  return all.find(({ spec }) => spec?.scaleTargetRef?.kind === 'Deployment' && spec.scaleTargetRef.name === deployment);
}

/** HPA_OWNS_REPLICAS when an autoscaler owns the Deployment's replicas: two writers would undo each other's work. */
export async function refuseHpaOwned(client: KubeClient, namespace: string, deployment: string): Promise<void> {
  const hpa = await findHpa(client, namespace, deployment);
  if (!hpa) return;
  const { minReplicas = 1, maxReplicas } = hpa.spec;
  throw new OperationError(
    `HorizontalPodAutoscaler ${namespace}/${hpa.metadata.name} (${minReplicas}–${maxReplicas}) owns the replicas of Deployment ${namespace}/${deployment}; Slipway does not write them.`,
    {
      reason: 'HPA_OWNS_REPLICAS',
      next: [
        'Split traffic with `traffic.router: istio` in slipway.yml, which needs no change of replicas;',
        `or take the autoscaler away for the rollout: ${takeAway(namespace, hpa)}`,
      ],
    },
  );
}

/** KEDA makes its autoscaler again; it has to be told to pause (it deletes it then, and leaves the replicas as they are). */
function takeAway(namespace: string, { metadata }: KubeObject): string {
  const keda = metadata.ownerReferences?.find(({ kind }) => kind === 'ScaledObject');
  if (keda) return `kubectl -n ${namespace} annotate scaledobject/${keda.name} autoscaling.keda.sh/paused=true`;
  return `kubectl -n ${namespace} delete hpa/${metadata.name}`;
}

/**
 * Sets `spec.replicas`. Sends nothing when `current` says that it is so already.
 *
 * `owner: 'unknown'` asks first whether an autoscaler owns them (reason HPA_OWNS_REPLICAS); `'ours'` is for the canary, which has none, and
 * for a Deployment that was asked about before.
 */
export async function setReplicas(
  client: KubeClient,
  namespace: string,
  name: string,
  replicas: number,
  options: { owner: 'unknown' | 'ours'; current?: KubeObject },
): Promise<KubeObject> {
  if (options.current && (options.current.spec?.replicas ?? 1) === replicas) return options.current;
  if (options.owner === 'unknown') await refuseHpaOwned(client, namespace, name);
  return client.patch(resources.deployments, namespace, name, { type: 'merge', body: { spec: { replicas } } });
}
