import type { KubeObject } from '../../kube/object.js';
import type { GroundTruth } from '../../traffic/ground-truth.js';
import { pauseLength } from '../argo/canary-steps.js';
import { serviceName } from './flagger-objects.js';

interface Metric {
  name: string;
  interval?: string;
  thresholdRange?: { min?: number; max?: number };
}

/** Milliseconds between two looks. A real Flagger takes at least 10 s; here what is asked for holds. */
export function intervalOf({ spec }: KubeObject): number {
  return pauseLength({ duration: spec.analysis?.interval ?? '60s' }) || 60_000;
}

/**
 * Whether the canary passes every metric of its analysis: `request-success-rate` (percent of answers that are no 5xx) and `request-duration` (p99,
 * milliseconds), of its pods' answers over the metric's interval. Answers why not. No data is a failure.
 */
export function failedCheck(canary: KubeObject, truth: GroundTruth, now: number): string | undefined {
  for (const metric of (canary.spec.analysis?.metrics ?? []) as Metric[]) {
    const value = measure(metric, canary, truth, now);
    if (value === undefined)
      return `Halt advancement no values found for istio metric ${metric.name} probably ${canary.spec.targetRef.name} is not receiving traffic`;
    const { min, max } = metric.thresholdRange ?? {};
    if (min !== undefined && value < min) return `Halt ${canary.metadata.name} advancement ${label(metric, value)} < ${min}`;
    if (max !== undefined && value > max) return `Halt ${canary.metadata.name} advancement ${label(metric, value)} > ${max}`;
  }
  return undefined;
}

function measure({ name, interval }: Metric, canary: KubeObject, truth: GroundTruth, now: number): number | undefined {
  const from = now - (pauseLength({ duration: interval ?? '60s' }) ?? 60_000);
  const stats = truth.query(`${canary.metadata.namespace}/${serviceName(canary)}`, Math.floor(from / 1000), Math.floor(now / 1000), false);
  const tally = stats.byWorkload[canary.spec.targetRef.name];
  const answered = tally ? tally['2xx'] + tally['3xx'] + tally['4xx'] + tally['5xx'] + tally.timeouts : 0;
  if (!tally || answered === 0) return undefined;
  if (name === 'request-success-rate') return 100 * (1 - (tally['5xx'] + tally.timeouts) / answered);
  return name === 'request-duration' ? tally.latencyMs?.p99 : undefined;
}

function label({ name }: Metric, value: number): string {
  return name === 'request-success-rate' ? `success rate ${value.toFixed(2)}%` : `${name} ${Math.round(value)}ms`;
}
