import type { KubeClient, KubeObject } from '../kube.js';
import { REVISION_ANNOTATION, TEMPLATE_HASH_LABEL } from '../names.js';
import { resources } from '../resources.js';

/** The revision number that the deployment controller wrote; 0 when it has written none. */
export function revisionOf(object: KubeObject): number {
  const revision = Number(object.metadata.annotations?.[REVISION_ANNOTATION] ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
}

/** The ReplicaSets that the Deployment owns, newest revision first. */
export async function readReplicaSets(client: KubeClient, deployment: KubeObject): Promise<KubeObject[]> {
  const { namespace = '' } = deployment.metadata;
  const all = await client.list(resources.replicasets, namespace, { labelSelector: selectorOf(deployment) });
  return all.filter((each) => isOwnedBy(each, deployment)).sort((a, b) => revisionOf(b) - revisionOf(a));
}

/** The ReplicaSet of the Deployment's current template: the one with its revision. Pure. */
export function currentReplicaSet(deployment: KubeObject, replicaSets: readonly KubeObject[]): KubeObject | undefined {
  const revision = revisionOf(deployment);
  return revision === 0 ? undefined : replicaSets.find((each) => revisionOf(each) === revision);
}

/**
 * Pods of one ReplicaSet of a Deployment (its newest by default), by the template hash and the owner: the Deployment's selector alone would
 * also find the canary's pods.
 */
export async function readPods(client: KubeClient, deployment: KubeObject, replicaSet?: KubeObject): Promise<KubeObject[]> {
  const owner = replicaSet ?? currentReplicaSet(deployment, await readReplicaSets(client, deployment));
  if (!owner) return [];
  const hash = owner.metadata.labels?.[TEMPLATE_HASH_LABEL];
  const labelSelector = hash === undefined ? selectorOf(deployment) : `${selectorOf(deployment)},${TEMPLATE_HASH_LABEL}=${hash}`;
  const pods = await client.list(resources.pods, deployment.metadata.namespace ?? '', { labelSelector });
  return pods.filter((pod) => isOwnedBy(pod, owner));
}

export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some((reference) => reference.uid === owner.metadata.uid);
}

/** A Deployment's selector in the form of the API's `labelSelector` parameter. Pure. */
export function selectorOf(deployment: KubeObject): string {
  const { matchLabels = {}, matchExpressions = [] } = deployment.spec?.selector ?? {};
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  return [...equal, ...matchExpressions.map(expression)].join(',');
}

function expression({ key, operator, values = [] }: { key: string; operator: string; values?: string[] }): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}
