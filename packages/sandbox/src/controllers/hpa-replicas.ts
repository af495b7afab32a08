/** One pod as the autoscaler sees it. Cores; undefined: not known. */
export interface PodUse {
  ready: boolean;
  use: number | undefined;
  request: number;
}

export interface CpuTarget {
  type: 'Utilization' | 'AverageValue';
  /** Percent of the request, or cores. */
  value: number;
}

export interface Proposal {
  replicas: number;
  /** Percent of what the measured pods request; absent for a target in cores. */
  utilization?: number;
  /** Cores, over the measured pods. */
  average: number;
}

/** Within this share of the target nothing is changed. */
const tolerance = 0.1;

/**
 * How many replicas bring the mean use of CPU to its target (pkg/controller/podautoscaler/replica_calculator.go). It counts every pod given,
 * whichever workload it belongs to. Undefined when no pod has told its use.
 */
export function proposeReplicas(current: number, target: CpuTarget, pods: readonly PodUse[]): Proposal | undefined {
  const ready = pods.filter((pod) => pod.ready);
  const measured = ready.filter((pod) => pod.use !== undefined);
  const missing = ready.filter((pod) => pod.use === undefined);
  const unready = pods.filter((pod) => !pod.ready);
  if (measured.length === 0) return undefined;
  const { average, utilization, ratio } = usage(measured, target);
  const shown = { average, ...(target.type === 'Utilization' ? { utilization } : {}) };
  const keep = { replicas: current, ...shown };
  const isGrowing = ratio > 1 && unready.length > 0;
  if (!isGrowing && missing.length === 0) return isClose(ratio) ? keep : { replicas: ceil(ratio * measured.length), ...shown };
  // What is not known is taken so that it dampens the change.
  const assumed = missing.map((pod) => ({ ...pod, use: ratio < 1 ? full(pod, target) : 0 }));
  const starting = isGrowing ? unready.map((pod) => ({ ...pod, use: 0 })) : [];
  const counted = [...measured, ...assumed, ...starting];
  const cautious = usage(counted, target).ratio;
  if (isClose(cautious) || (ratio < 1 && cautious > 1) || (ratio > 1 && cautious < 1)) return keep;
  const replicas = ceil(cautious * counted.length);
  const isOpposite = cautious < 1 ? replicas > current : replicas < current;
  return isOpposite ? keep : { replicas, ...shown };
}

function usage(pods: readonly PodUse[], { type, value }: CpuTarget): { average: number; utilization: number; ratio: number } {
  const used = pods.reduce((sum, { use = 0 }) => sum + use, 0);
  const requested = pods.reduce((sum, { request }) => sum + request, 0);
  const average = used / pods.length;
  const utilization = Math.floor((100 * used) / requested);
  return { average, utilization, ratio: (type === 'Utilization' ? utilization : average) / value };
}

/** The use of a pod exactly at, or for a share above, its target. */
function full({ request }: PodUse, { type, value }: CpuTarget): number {
  return type === 'Utilization' ? (request * Math.max(100, value)) / 100 : value;
}

function isClose(ratio: number): boolean {
  return Math.abs(ratio - 1) <= tolerance;
}

/** Rounding errors of a millionth are not a pod. */
function ceil(value: number): number {
  return Math.ceil(value - 1e-6);
}
