import type { Capacity } from './router.js';
import type { Routing } from './routing.js';

/** Guards against `100 * 0.07 = 7.000000000000001`, which is 7 pods of 100 and not 8. */
const ROUNDING = 1e-9;

/**
 * Pods that a routing needs where a proxy shares out requests: stable keeps all, so that it can take everybody back at any moment; the canary has
 * as many as its share of the requests and of their copies, and at least one.
 */
export function meshCapacity({ weight, mirror, match }: Routing, replicas: number): Capacity {
  const share = Math.min(100, Math.max(0, weight) + mirror);
  const nobody = share === 0 && !match;
  return { stable: replicas, canary: nobody ? 0 : Math.max(1, Math.ceil((replicas * share) / 100 - ROUNDING)) };
}
