import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Resource } from '../kube.js';

/** Lists what is good to know but not needed: without the right to it there is a warning, which ends with `consequence`, in its place. */
export async function listIfAllowed(
  client: KubeClient,
  resource: Resource,
  namespace: string,
  consequence: string,
): Promise<{ items: KubeObject[]; warnings: string[] }> {
  try {
    return { items: await client.list(resource, namespace), warnings: [] };
  } catch (error) {
    if (!(error instanceof OperationError && error.reason === 'FORBIDDEN')) throw error;
    return { items: [], warnings: [`${resource.plural} in namespace ${namespace} may not be listed: ${consequence}.`] };
  }
}
