import { OperationError } from '@slipway/core';
import type { KubeClient, Patch, Resource } from '../kube.js';
import { resources } from '../resources.js';
import type { Scaler } from './scaler.js';

/**
 * Keeps the autoscaler from going below `replicas`, as long as the rollout needs stable to take all traffic back. Nothing is sent when its
 * floor is as high already; `replicas` of the workload is never written. Write `scaler.floor` down before: {@link restoreFloor} needs it.
 *
 * Reasons: FLOOR_ABOVE_MAX, CONFLICT (changed since it was read).
 */
export async function raiseFloor(client: KubeClient, scaler: Scaler, replicas: number): Promise<Scaler> {
  if (scaler.min >= replicas) return scaler;
  refuseLowMax(scaler, replicas);
  return setFloor(client, scaler, replicas);
}

/** Refuses an autoscaler that could not be kept from going below `replicas`: {@link raiseFloor} would. Pure. Reason: FLOOR_ABOVE_MAX. */
export function refuseLowMax(scaler: Scaler, replicas: number): void {
  if (scaler.min < replicas && replicas > scaler.max) throw aboveMax(scaler, replicas);
}

/**
 * Puts the floor back to what it was (`Scaler.floor` before it was raised; null: not set). Nothing is sent when it is so already, or when it
 * is not `raisedTo`, if that is given: then somebody else has set it meanwhile, and knows why.
 *
 * Reason: CONFLICT.
 */
export async function restoreFloor(client: KubeClient, scaler: Scaler, original: number | null, raisedTo?: number): Promise<Scaler> {
  if (scaler.floor === original) return scaler;
  if (raisedTo !== undefined && scaler.floor !== raisedTo) return scaler;
  return setFloor(client, scaler, original);
}

const FIELDS: Record<Scaler['kind'], { resource: Resource; field: string; otherwise: number }> = {
  hpa: { resource: resources.horizontalpodautoscalers, field: 'minReplicas', otherwise: 1 },
  keda: { resource: resources.scaledobjects, field: 'minReplicaCount', otherwise: 0 },
};

async function setFloor(client: KubeClient, scaler: Scaler, floor: number | null): Promise<Scaler> {
  const { resource, field, otherwise } = FIELDS[scaler.kind];
  const object = await client.patch(resource, scaler.namespace, scaler.name, floorPatch(scaler, `/spec/${field}`, floor));
  return { ...scaler, floor, min: floor ?? otherwise, object };
}

/** That a field is not there cannot be tested, so then nothing of the spec may have changed. */
function floorPatch({ floor, object }: Scaler, path: string, next: number | null): Patch {
  const test = floor === null ? { op: 'test' as const, path: '/spec', value: object.spec } : { op: 'test' as const, path, value: floor };
  return { type: 'json', body: [test, next === null ? { op: 'remove', path } : { op: 'add', path, value: next }] };
}

function aboveMax({ kind, name, namespace, max }: Scaler, replicas: number): OperationError {
  const what = kind === 'hpa' ? 'HorizontalPodAutoscaler' : 'ScaledObject';
  return new OperationError(
    `Stable runs ${replicas} pods, which have to stay until the release is safe, but ${what} ${namespace}/${name} allows ${max} at most. It was left as it is.`,
    {
      reason: 'FLOOR_ABOVE_MAX',
      next: [`Raise its maximum to ${replicas} or more, or let it scale stable down to ${max}, then run this again.`],
      details: { namespace, scaler: name, max, replicas },
    },
  );
}
