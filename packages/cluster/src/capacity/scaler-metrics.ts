import type { KubeObject } from '../kube.js';
import { CANARY, TRACK_LABEL } from '../names.js';
import { selects } from './label-selector.js';
import type { Scaler } from './scaler.js';

interface Metric {
  type?: string;
  resource?: { name?: string; target?: Target };
  containerResource?: { name?: string; container?: string; target?: Target };
  pods?: { metric?: { name?: string }; target?: Target };
  object?: { metric?: { name?: string }; target?: Target };
  external?: { metric?: { name?: string }; target?: Target };
}

interface Target {
  averageUtilization?: number;
  averageValue?: string;
  value?: string;
}

/** What a HorizontalPodAutoscaler scales by, in words, and which of it is an average over pods. Pure. */
export function metricsOf(hpa: KubeObject): { metrics: string[]; podAveraged: string[] } {
  const metrics: Metric[] = Array.isArray(hpa.spec?.metrics) ? hpa.spec.metrics : [];
  const averaged = metrics.filter(({ type = '' }) => ['Resource', 'ContainerResource', 'Pods'].includes(type));
  return { metrics: metrics.map(words), podAveraged: averaged.map(words) };
}

/**
 * A sentence when the autoscaler of stable goes by an average over pods among which are the canary's, so that a canary that works harder, or
 * not at all, scales stable. Pure.
 *
 * An autoscaler takes the pods that the workload's selector finds, whoever owns them (k8s.io/kubernetes, pkg/controller/podautoscaler).
 * `stable` is the workload that it scales.
 */
export function warnPodAveraged(scaler: Scaler, stable: KubeObject): string | undefined {
  const canaryLabels = { ...stable.spec?.template?.metadata?.labels, [TRACK_LABEL]: CANARY };
  if (scaler.podAveraged.length === 0 || !selects(stable.spec?.selector, canaryLabels)) return undefined;
  return (
    `${scaler.kind === 'hpa' ? 'HorizontalPodAutoscaler' : 'ScaledObject'} ${scaler.name} scales ${stable.metadata.name} by ` +
    `${scaler.podAveraged.join(' and ')}, averaged over all pods of its selector, the canary’s among them: their load counts as stable’s.`
  );
}

/** A sentence when KEDA may go below the floor because no trigger is active. Pure. */
export function warnIdle({ kind, name, idle, min }: Scaler): string | undefined {
  if (kind !== 'keda' || idle === null || idle >= min) return undefined;
  return `ScaledObject ${name} goes down to ${idle} (\`idleReplicaCount\`) when no trigger is active, whatever its floor.`;
}

function words(metric: Metric): string {
  const { resource, containerResource, pods, object, external } = metric;
  const name = resource?.name ?? containerResource?.name ?? (pods ?? object ?? external)?.metric?.name ?? metric.type ?? 'unknown';
  const target = (resource ?? containerResource ?? pods ?? object ?? external)?.target ?? {};
  const of = containerResource?.container ? ` of container ${containerResource.container}` : '';
  if (target.averageUtilization !== undefined) return `${name}${of} at ${target.averageUtilization} % of requests`;
  const value = target.averageValue ?? target.value;
  return `${name}${of}${value === undefined ? '' : ` at ${value}`}`;
}
