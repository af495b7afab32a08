import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';
import { metricsOf } from './scaler-metrics.js';

/** What owns the replicas of a workload. */
export interface Scaler {
  /** `keda`: a ScaledObject, whose HorizontalPodAutoscaler must not be changed by others. */
  kind: 'hpa' | 'keda';
  name: string;
  namespace: string;
  /** Least replicas as they are in force. */
  min: number;
  /** The field itself (`minReplicas`, `minReplicaCount`); null when it is not set. What {@link restoreFloor} puts back. */
  floor: number | null;
  max: number;
  /** Replicas that it saw last, and wants. */
  current: number;
  desired: number;
  /** What it scales by, for people: `cpu 60 % of requests`, `s0-prometheus` … */
  metrics: string[];
  /** Those that are averages over all pods that the workload's selector finds. */
  podAveraged: string[];
  /** KEDA: replicas when no trigger is active, which may be below `min`. */
  idle: number | null;
  /** Who made the object, if it has an owner: `Canary shop`. */
  owner?: string;
  /** The object as it was read; not for the record. */
  object: KubeObject;
}

/**
 * The autoscaler whose target is this workload, or null: one list request, and one read when KEDA made it. Without KEDA nothing is asked of it.
 *
 * Reasons: SCALER_AMBIGUOUS (two of them fight each other already), FORBIDDEN (naming verb and resource).
 */
export async function readScaler(client: KubeClient, namespace: string, target: { kind: string; name: string }): Promise<Scaler | null> {
  const all = await client.list(resources.horizontalpodautoscalers, namespace);
  const [hpa, ...others] = all.filter(({ spec }) => spec?.scaleTargetRef?.kind === target.kind && spec.scaleTargetRef.name === target.name);
  if (!hpa) return null;
  if (others.length > 0) throw ambiguous(namespace, target, [hpa, ...others]);
  const owner = hpa.metadata.ownerReferences?.find(({ kind, apiVersion }) => kind === 'ScaledObject' && apiVersion.startsWith('keda.sh/'));
  const scaledObject = owner && (await client.find(resources.scaledobjects, namespace, owner.name));
  // A ScaledObject that has gone takes its autoscaler along soon; until then it is one like any other.
  return scaledObject ? kedaScaler(scaledObject, hpa) : hpaScaler(hpa);
}

function hpaScaler(hpa: KubeObject): Scaler {
  const floor = wholeNumber(hpa.spec.minReplicas);
  return { ...common(hpa, hpa), kind: 'hpa', min: floor ?? 1, floor, max: wholeNumber(hpa.spec.maxReplicas) ?? 1, idle: null };
}

/** Defaults as in KEDA's ScaledObject (keda.sh/v1alpha1): 0 to 100. */
function kedaScaler(scaledObject: KubeObject, hpa: KubeObject): Scaler {
  const { minReplicaCount, maxReplicaCount, idleReplicaCount } = scaledObject.spec ?? {};
  const floor = wholeNumber(minReplicaCount);
  return {
    ...common(scaledObject, hpa),
    kind: 'keda',
    min: floor ?? 0,
    floor,
    max: wholeNumber(maxReplicaCount) ?? 100,
    idle: wholeNumber(idleReplicaCount),
  };
}

function common(object: KubeObject, hpa: KubeObject) {
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
    current: wholeNumber(hpa.status?.currentReplicas) ?? 0,
    desired: wholeNumber(hpa.status?.desiredReplicas) ?? 0,
    ...metricsOf(hpa),
    ...(owner ? { owner: `${owner.kind} ${owner.name}` } : {}),
    object,
  };
}

function wholeNumber(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}

function ambiguous(namespace: string, target: { kind: string; name: string }, found: readonly KubeObject[]): OperationError {
  const names = found.map(({ metadata }) => metadata.name).join(', ');
  return new OperationError(
    `${found.length} HorizontalPodAutoscalers scale ${target.kind} ${namespace}/${target.name} (${names}): they undo each other’s work.`,
    {
      reason: 'SCALER_AMBIGUOUS',
      next: [`Delete all but one: kubectl -n ${namespace} delete hpa/NAME. One of KEDA goes with its ScaledObject.`],
      details: { namespace, target: target.name, scalers: found.map(({ metadata }) => metadata.name) },
    },
  );
}
