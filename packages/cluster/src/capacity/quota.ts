import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';
import { listIfAllowed } from './optional-list.js';
import { type PodSpec, podDemand, silentContainers } from './pod-demand.js';
import { formatQuantity, type Nano, ONE, parseQuantity } from './quantity.js';
import { quotaCounts } from './quota-scopes.js';

/** What a quota lacks for the pods to come. */
export interface Shortage {
  quota: string;
  /** As the quota names it, e.g. `requests.cpu`. */
  resource: string;
  needed: string;
  left: string;
}

/**
 * Refuses pods for which no quota leaves room, before anything is changed: one list request. Returns warnings: quotas that may not be read,
 * are not counted yet, or limit what the pods do not say.
 *
 * `podSpec`: `spec.template.spec`; `extraPods`: pods that run beside those that are there now (canary, or surge).
 * Reason: QUOTA_EXCEEDED; `details.shortages` are {@link Shortage}s.
 */
export async function checkQuota(client: KubeClient, namespace: string, podSpec: PodSpec, extraPods: number): Promise<string[]> {
  const { items, warnings } = await listIfAllowed(client, resources.resourcequotas, namespace, 'whether a quota leaves room is not known');
  const found = quotaShortages(items, podSpec, extraPods);
  if (found.shortages.length > 0) throw exceeded(namespace, extraPods, found.shortages);
  return [...warnings, ...found.warnings];
}

/** The rule of {@link checkQuota} on what was read. Pure. */
export function quotaShortages(
  quotas: readonly KubeObject[],
  podSpec: PodSpec,
  extraPods: number,
): { shortages: Shortage[]; warnings: string[] } {
  const shortages: Shortage[] = [];
  const warnings: string[] = [];
  if (extraPods <= 0) return { shortages, warnings };
  const demand = new Map([...podDemand(podSpec), ['pods', ONE] as const]);
  for (const quota of quotas.filter((each) => quotaCounts(each, podSpec))) {
    const { name } = quota.metadata;
    for (const resource of Object.keys(quota.spec?.hard ?? {})) {
      const counted = countedName(resource);
      const needed = (demand.get(counted) ?? 0n) * BigInt(Math.ceil(extraPods));
      const silent = isCompute(counted) ? silentContainers(podSpec, counted) : [];
      if (silent.length > 0)
        warnings.push(
          `ResourceQuota ${name} limits ${resource}, which ${silent.join(', ')} does not state: unless a LimitRange does, the pods are refused.`,
        );
      if (needed === 0n) continue;
      const left = leftOf(quota, resource);
      if (left === undefined) warnings.push(`ResourceQuota ${name} has not counted ${resource} yet: whether it leaves room is not known.`);
      else if (needed > left)
        shortages.push({ quota: name, resource, needed: formatQuantity(needed, resource), left: formatQuantity(left, resource) });
    }
  }
  return { shortages, warnings };
}

function leftOf({ status }: KubeObject, resource: string): Nano | undefined {
  const hard = parseQuantity(status?.hard?.[resource]);
  const used = parseQuantity(status?.used?.[resource]);
  if (hard === undefined || used === undefined) return undefined;
  return hard > used ? hard - used : 0n;
}

/** `cpu` in a quota means `requests.cpu`, `count/pods` nearly `pods` (pkg/quota/v1/evaluator/core/pods.go). */
function countedName(resource: string): string {
  if (resource === 'count/pods') return 'pods';
  return isCompute(`requests.${resource}`) || resource.startsWith('hugepages-') ? `requests.${resource}` : resource;
}

/** What each container has to state when a quota limits it; the API server refuses the pod otherwise, unless a LimitRange has defaults. */
function isCompute(counted: string): boolean {
  return /^(requests|limits)\.(cpu|memory|ephemeral-storage)$/.test(counted);
}

function exceeded(namespace: string, pods: number, shortages: Shortage[]): OperationError {
  const words = shortages.map(
    ({ quota, resource, needed, left }) => `ResourceQuota ${quota} has ${left} of ${resource} left, ${needed} needed`,
  );
  return new OperationError(
    `Namespace ${namespace} has no room for ${pods} more pod${pods === 1 ? '' : 's'}: ${words.join('; ')}. Nothing was changed.`,
    {
      reason: 'QUOTA_EXCEEDED',
      next: [
        `Raise the quota, or free what is in use: kubectl -n ${namespace} describe resourcequota.`,
        'A smaller first step needs fewer canary pods; a smaller `maxSurge` fewer while stable is updated.',
      ],
      details: { namespace, pods, shortages },
    },
  );
}
