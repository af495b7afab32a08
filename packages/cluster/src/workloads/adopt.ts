import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch } from '../kube.js';
import { STABLE, TRACK_LABEL } from '../names.js';
import { resources } from '../resources.js';
import { describe } from './workload.js';

/**
 * The patch that marks a Deployment's pods as the stable track; undefined when they are. Pure. The selector, which cannot be changed, is not
 * touched: it goes on selecting the pods by the labels it names. Applying it replaces the pods once, by the Deployment's own strategy.
 *
 * Reason: TRACK_LABEL_TAKEN (the pods have a `track` label that means something else).
 */
export function adoptionPatch(deployment: KubeObject): Patch | undefined {
  const labels: Record<string, string> = deployment.spec?.template?.metadata?.labels ?? {};
  const track = labels[TRACK_LABEL];
  if (track === STABLE) return undefined;
  if (track !== undefined) {
    throw new OperationError(
      `The pods of ${describe(deployment)} have the label ${TRACK_LABEL}=${track}; Slipway needs ${TRACK_LABEL}=${STABLE} there.`,
      {
        reason: 'TRACK_LABEL_TAKEN',
        next: [`Rename that label of the pod template, or make it "${STABLE}".`],
      },
    );
  }
  return {
    type: 'json',
    body: [
      { op: 'test', path: '/spec/template/metadata/labels', value: labels },
      { op: 'add', path: `/spec/template/metadata/labels/${TRACK_LABEL}`, value: STABLE },
    ],
  };
}

/** Adopts a Deployment that was not made with tracks in mind. Returns the changed object, or undefined when there was nothing to do. */
export async function adopt(client: KubeClient, deployment: KubeObject): Promise<KubeObject | undefined> {
  const patch = adoptionPatch(deployment);
  if (!patch) return undefined;
  return client.patch(resources.deployments, deployment.metadata.namespace ?? '', deployment.metadata.name, patch);
}
