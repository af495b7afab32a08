import { OperationError } from '@slipway/core';
import type { KubeObject } from '../kube.js';
import { describe } from '../workloads/workload.js';

/**
 * Which of the Services that a route leads to (`names`) has the stable pods: the configured one, the one that users come through, or the only one
 * besides the canary's. Pure. Reasons: ROUTE_WITHOUT_STABLE, ROUTE_AMBIGUOUS.
 */
export function chooseStableService(
  route: KubeObject,
  names: readonly string[],
  config: { stableService?: string; canaryService: string; kubeService: string },
): string {
  const { stableService, canaryService, kubeService } = config;
  const others = [...new Set(names)].filter((name) => name !== canaryService);
  const wanted = stableService ?? (others.includes(kubeService) ? kubeService : undefined);
  if (wanted !== undefined && others.includes(wanted)) return wanted;
  const [only] = others;
  if (wanted === undefined && only !== undefined && others.length === 1) return only;
  if (wanted === undefined && only !== undefined) {
    throw new OperationError(`${describe(route)} leads to several Services: ${others.join(', ')}; which has the stable pods is not said.`, {
      reason: 'ROUTE_AMBIGUOUS',
      next: ['Set `traffic.stable-service` in slipway.yml to the one of the stable pods.'],
    });
  }
  throw new OperationError(
    `${describe(route)} does not lead to the Service "${wanted ?? kubeService}"; it leads to ${others.join(', ') || 'no Service of its namespace'}.`,
    {
      reason: 'ROUTE_WITHOUT_STABLE',
      next: ['Let it lead to the Service of the stable pods, or correct `traffic.stable-service` in slipway.yml.'],
    },
  );
}
