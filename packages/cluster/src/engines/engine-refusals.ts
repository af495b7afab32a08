import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Resource } from '../kube.js';
import { describe } from '../workloads/workload.js';

/** Reads the object that the engine is named by, or says which of these is wrong: no such controller's API in the cluster, no such object. */
export async function readEngineObject(client: KubeClient, resource: Resource, namespace: string, name: string): Promise<KubeObject> {
  const object = await client.find(resource, namespace, name);
  if (object) return object;
  const there = await listUnlessForbidden(client, resource, namespace);
  if (there === 'no such API') throw notInstalled(resource, namespace, name);
  const names = there.map(({ metadata }) => metadata.name).slice(0, 10);
  throw new OperationError(
    `There is no ${resource.kind} "${name}" in namespace "${namespace}"; ${names.length > 0 ? `there are ${names.join(', ')}` : 'there are none (or they may not be listed)'}.`,
    {
      reason: 'ENGINE_OBJECT_NOT_FOUND',
      next: [`Correct \`workload\` or \`namespace\`: with this engine \`workload\` is the name of the ${resource.kind}.`],
      details: { namespace, name, found: names },
    },
  );
}

/** All objects of the kind in the namespace; empty when they may not be listed. */
export async function listUnlessForbidden(
  client: KubeClient,
  resource: Resource,
  namespace: string,
): Promise<KubeObject[] | 'no such API'> {
  try {
    return await client.list(resource, namespace);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    // A list of nothing is an empty list; only an API that does not exist is not found.
    if (error.reason === 'NOT_FOUND') return 'no such API';
    if (error.reason === 'FORBIDDEN') return [];
    throw error;
  }
}

function notInstalled(resource: Resource, namespace: string, name: string): OperationError {
  const product = resource.kind === 'Rollout' ? 'Argo Rollouts' : 'Flagger';
  return new OperationError(
    `The API server does not know ${resource.plural}.${resource.group}, so ${product} is not installed (looking for ${resource.kind} ${namespace}/${name}).`,
    {
      reason: 'ENGINE_NOT_INSTALLED',
      next: [
        `Install ${product}, or use \`engine: native\`, which needs no controller.`,
        'Check that the kubeconfig leads to the right cluster.',
      ],
      details: { group: resource.group, resource: resource.plural },
    },
  );
}

/** Two objects that would both drive the same pods. */
export function ambiguous(object: KubeObject, others: readonly KubeObject[], what: string): OperationError {
  const names = others.map(({ metadata }) => metadata.name).join(', ');
  return new OperationError(`${describe(object)} and ${names} drive ${what}; whatever one of them does, the other undoes.`, {
    reason: 'ENGINE_OBJECTS_AMBIGUOUS',
    next: [`Delete all ${object.kind}s of it but one.`],
    details: { objects: [object.metadata.name, ...others.map(({ metadata }) => metadata.name)] },
  });
}

export function unsupportedTarget(object: KubeObject, what: string, allowed: string): OperationError {
  return new OperationError(`${describe(object)} drives ${what}, of which Slipway does not know where its image is.`, {
    reason: 'ENGINE_TARGET_UNSUPPORTED',
    next: [`Supported: ${allowed}.`],
  });
}

export function specInvalid(object: KubeObject, why: string): OperationError {
  return new OperationError(`${describe(object)} cannot be driven: ${why}.`, {
    reason: 'ENGINE_SPEC_INVALID',
    next: [`kubectl -n ${object.metadata.namespace} describe ${object.kind.toLowerCase()} ${object.metadata.name}`],
  });
}

/** An update that was aborted cannot be promoted; what Argo's own command line does then is undone by the controller without a word. */
export function abortedRefusal(object: string, message: string): OperationError {
  return new OperationError(`${object} was aborted (${message || 'no reason given'}), so it cannot be promoted.`, {
    reason: 'ROLLOUT_ABORTED',
    next: [
      'Run `start` with the image to try it again from the first step.',
      'Or run `abort`: the spec names the version that runs again.',
    ],
  });
}
