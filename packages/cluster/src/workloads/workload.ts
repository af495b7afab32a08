import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { REVISION_ANNOTATION } from '../names.js';
import { resources } from '../resources.js';

/** A Deployment and what a rollout needs of it. */
export interface Workload {
  deployment: KubeObject;
  /** Name of the container whose image is released. */
  container: string;
  /** Image of that container. */
  image: string;
  /** `spec.replicas` (1 when absent, as the API server defaults it). */
  replicas: number;
  /** The deployment controller's revision number, or null before it has seen the Deployment. */
  revision: string | null;
}

/**
 * Reads a Deployment and finds the container to release.
 *
 * Reasons: WORKLOAD_NOT_FOUND, CONTAINER_AMBIGUOUS (several containers and none named), CONTAINER_NOT_FOUND.
 */
export async function readWorkload(client: KubeClient, namespace: string, name: string, container?: string): Promise<Workload> {
  const deployment = await client.find(resources.deployments, namespace, name);
  if (!deployment) throw await notFound(client, namespace, name);
  return workloadOf(deployment, container);
}

/** The same from an object that was read already. Pure. */
export function workloadOf(deployment: KubeObject, container?: string): Workload {
  const chosen = chooseContainer(deployment, container);
  return {
    deployment,
    container: chosen.name,
    image: chosen.image,
    replicas: deployment.spec?.replicas ?? 1,
    revision: deployment.metadata.annotations?.[REVISION_ANNOTATION] ?? null,
  };
}

/**
 * Refuses what cannot be rolled out: WORKLOAD_PAUSED (the controller would not act on a change), ZERO_REPLICAS (there is no baseline to
 * compare with and nobody to serve).
 */
export function refuseUnready(workload: Workload): void {
  const { deployment } = workload;
  const place = describe(deployment);
  if (deployment.spec?.paused === true) {
    throw new OperationError(`${place} is paused, so the deployment controller would not act on any change to it.`, {
      reason: 'WORKLOAD_PAUSED',
      next: [`kubectl -n ${deployment.metadata.namespace} rollout resume deployment/${deployment.metadata.name}, then run this again.`],
    });
  }
  if (workload.replicas === 0) {
    throw new OperationError(`${place} has 0 replicas: there is no stable version to compare a canary with.`, {
      reason: 'ZERO_REPLICAS',
      next: [
        `kubectl -n ${deployment.metadata.namespace} scale deployment/${deployment.metadata.name} --replicas=1 (or more), wait until it is ready, then run this again.`,
      ],
    });
  }
}

/** `Deployment shop-ns/shop`. */
export function describe(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return `${object.kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

function chooseContainer(deployment: KubeObject, wanted: string | undefined): { name: string; image: string } {
  const containers: { name: string; image: string }[] = deployment.spec?.template?.spec?.containers ?? [];
  const names = containers.map((container) => container.name).join(', ');
  if (wanted !== undefined) {
    const found = containers.find((container) => container.name === wanted);
    if (found) return found;
    throw new OperationError(`${describe(deployment)} has no container "${wanted}"; it has ${names || 'none'}.`, {
      reason: 'CONTAINER_NOT_FOUND',
      next: [`Set \`container\` (the input or flag, or this service's in slipway.yml) to one of: ${names}.`],
    });
  }
  const [only, ...others] = containers;
  if (only && others.length === 0) return only;
  throw new OperationError(`${describe(deployment)} has ${containers.length} containers (${names}); which one is released is not said.`, {
    reason: 'CONTAINER_AMBIGUOUS',
    next: [`Set \`container\` (the input or flag, or this service's in slipway.yml) to one of: ${names}.`],
  });
}

async function notFound(client: KubeClient, namespace: string, name: string): Promise<OperationError> {
  const others = await client.list(resources.deployments, namespace).catch(() => []);
  const there = others.map((deployment) => deployment.metadata.name).slice(0, 10);
  return new OperationError(
    `There is no Deployment "${name}" in namespace "${namespace}"; ${there.length ? `there are ${there.join(', ')}` : 'there are none (or they may not be listed, or there is no such namespace)'}.`,
    {
      reason: 'WORKLOAD_NOT_FOUND',
      next: [
        'Correct `workload` or `namespace` (the inputs, on the command line --workload and --namespace, or in slipway.yml), or create the Deployment first: the first version is not a canary.',
      ],
      details: { namespace, name, found: there },
    },
  );
}
