/**
 * Canary pods for `canaryPercent` of the traffic, from the pods that stable runs *now* (an autoscaler may have changed them since the rollout
 * began), so that a canary pod gets no more requests than a stable one does: the share of them rounded up; one at least when anybody is to
 * meet the canary. Pure.
 */
export function preScaled(canaryPercent: number, currentReplicas: number): number {
  if (!(canaryPercent > 0)) return 0;
  // 0.1 is not exact in binary: 30 % of 10 must stay 3.
  const exact = (Math.min(canaryPercent, 100) * Math.max(currentReplicas, 0)) / 100;
  return Math.max(1, Math.ceil(exact - 1e-9));
}
