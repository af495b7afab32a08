import type { Capacity } from './router.js';

/**
 * How many pods of each track come closest to `weight` percent, when the service runs `replicas` pods and may run one more (`surge`).
 *
 * The rule is Argo Rollouts' (utils/replicaset/canary.go, `approximateWeightedCanaryStableReplicaCounts`): for 1–99 % neither track is empty
 * when there is more than one pod to share; candidates are the canary counts just below and above the exact share, for `replicas` and, with
 * surge, for `replicas` + 1 pods; the smallest distance between the desired and the (whole) actual percentage wins, then the larger canary,
 * then the surge.
 */
export function closestCounts(replicas: number, weight: number, surge: boolean): Capacity {
  if (replicas === 0) return { canary: 0, stable: 0 };
  if (weight <= 0) return { canary: 0, stable: replicas };
  if (weight >= 100) return { canary: replicas, stable: 0 };
  // One pod cannot be shared, so where a second is allowed it is used.
  const totals = [replicas, replicas + 1].filter((total) => (total === replicas ? replicas > 1 || !surge : surge));
  const candidates = totals.flatMap((total) => candidateCounts(replicas, total, weight));
  return candidates.reduce((best, candidate) => (isCloser(candidate, best, weight) ? candidate : best));
}

/** Percent of requests that the canary gets when both tracks' pods are served in turn. */
export function shareOf({ canary, stable }: Capacity): number {
  return canary + stable === 0 ? 0 : (100 * canary) / (canary + stable);
}

function candidateCounts(replicas: number, total: number, weight: number): Capacity[] {
  const exact = (replicas * weight) / 100;
  return [Math.ceil(exact), Math.floor(exact)]
    .map((canary) => (total > 1 ? Math.min(Math.max(canary, 1), total - 1) : canary))
    .map((canary) => ({ canary, stable: total - canary }));
}

function isCloser(candidate: Capacity, best: Capacity, weight: number): boolean {
  const distance = (counts: Capacity) => Math.abs(Math.trunc(shareOf(counts)) - weight);
  const difference = distance(candidate) - distance(best);
  return difference < 0 || (difference === 0 && candidate.canary >= best.canary);
}
