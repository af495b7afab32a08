import type { ServicePod } from './pods.js';

/** What was seen of pods at the last look: their restarts, and whether they were ready. */
export type PodMemory = ReadonlyMap<string, { restarts: number; ready: boolean; unready: number }>;

export interface PodChanges {
  memory: PodMemory;
  /** Container restarts since the last look. */
  restarts: number;
  /** Pods that were ready before and fail their readiness check now. */
  failing: string[];
  /** Pods that fail it for the second look in a row, or will not come back. */
  lost: string[];
  /** `shop-canary-1: CrashLoopBackOff: exit code 1`. */
  words: string[];
}

/** What happened to the pods since the last look. A pod that was never ready is only counted when it cannot get ready. Pure. */
export function observePods(before: PodMemory, pods: readonly ServicePod[]): PodChanges {
  const memory = new Map<string, { restarts: number; ready: boolean; unready: number }>();
  const changes: PodChanges = { memory, restarts: 0, failing: [], lost: [], words: [] };
  for (const pod of pods) {
    const last = before.get(pod.name);
    const restarted = last ? Math.max(0, pod.restarts - last.restarts) : 0;
    const failing = !pod.ready && last?.ready === true;
    const unready = failing ? (last?.unready ?? 0) + 1 : 0;
    memory.set(pod.name, { restarts: pod.restarts, ready: pod.ready || last?.ready === true, unready });
    changes.restarts += restarted;
    if (failing) changes.failing.push(pod.name);
    if (unready >= 2 || pod.fatal !== null) changes.lost.push(pod.name);
    if (restarted > 0) changes.words.push(`${pod.name}: restarted ${restarted} time${restarted === 1 ? '' : 's'}`);
    if (pod.fatal !== null) changes.words.push(`${pod.name}: ${pod.fatal}`);
    else if (failing) changes.words.push(`${pod.name}: no longer ready`);
  }
  return changes;
}
