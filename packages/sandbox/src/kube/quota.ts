import { ApiError } from './api-error.js';
import { type Kind, qualified } from './kinds.js';
import type { KubeObject } from './object.js';
import { formatQuantity, parseQuantity } from './quantity.js';
import type { Store } from './store.js';

type Amounts = Record<string, number>;

/**
 * Refuses an object that a ResourceQuota of its namespace has no room for: 403 `exceeded quota: …`, or `failed quota: … must specify …` for
 * a pod that does not say what the quota counts (k8s.io/apiserver, pkg/admission/plugin/resourcequota). Scopes are not looked at.
 */
export function checkQuota(store: Store, kind: Kind, object: KubeObject): void {
  const { namespace = '', name } = object.metadata;
  if (!kind.namespaced) return;
  const requested = amountsOf(kind, object);
  for (const quota of store.list('ResourceQuota', namespace)) {
    const limits = limitsOf(quota);
    const missing = kind.kind === 'Pod' ? unspecified(object, Object.keys(limits)) : '';
    if (missing) throw refused(kind, name, `failed quota: ${quota.metadata.name}: must specify ${missing}`);
    const used = usageOf(store, quota);
    const over = Object.keys(limits)
      .filter(
        (resource) => (requested[resource] ?? 0) > 0 && (used[resource] ?? 0) + (requested[resource] ?? 0) > (limits[resource] as number),
      )
      .sort();
    if (over.length === 0) continue;
    const show = (amounts: Amounts) => over.map((resource) => `${resource}=${formatAmount(resource, amounts[resource] ?? 0)}`).join(',');
    throw refused(
      kind,
      name,
      `exceeded quota: ${quota.metadata.name}, requested: ${show(requested)}, used: ${show(used)}, limited: ${show(limits)}`,
    );
  }
}

/** What `status.used` of a quota has to say now. */
export function quotaUsage(store: Store, quota: KubeObject): Record<string, string> {
  const used = Object.entries(usageOf(store, quota)).map(([resource, amount]) => [resource, formatAmount(resource, amount)]);
  return Object.fromEntries(used);
}

function refused(kind: Kind, name: string, why: string): ApiError {
  const details = { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.plural };
  return new ApiError(403, 'Forbidden', `${qualified(kind)} "${name}" is forbidden: ${why}`, details);
}

function limitsOf(quota: KubeObject): Amounts {
  return Object.fromEntries(Object.entries(quota.spec?.hard ?? {}).map(([resource, limit]) => [resource, parseQuantity(limit) ?? 0]));
}

function usageOf(store: Store, quota: KubeObject): Amounts {
  const used: Amounts = Object.fromEntries(Object.keys(limitsOf(quota)).map((resource) => [resource, 0]));
  for (const [kind, object] of counted(store, quota.metadata.namespace ?? '')) {
    for (const [resource, amount] of Object.entries(amountsOf(kind, object))) {
      if (used[resource] !== undefined) used[resource] += amount;
    }
  }
  return used;
}

function counted(store: Store, namespace: string): [Kind, KubeObject][] {
  return store.kinds
    .filter((kind) => kind.namespaced)
    .flatMap((kind) => store.list(kind, namespace).map((object): [Kind, KubeObject] => [kind, object]));
}

/** What one object takes of each resource that a quota can name. Pods that have ended take nothing. */
function amountsOf(kind: Kind, object: KubeObject): Amounts {
  if (kind.kind === 'Pod' && ['Succeeded', 'Failed'].includes(object.status?.phase)) return {};
  const amounts: Amounts = { [`count/${qualified(kind)}`]: 1 };
  if (kind.group === '') amounts[kind.plural] = 1;
  return kind.kind === 'Pod' ? { ...amounts, ...computeOf(object) } : amounts;
}

/** `requests.cpu`, `limits.memory` … summed over the containers; `cpu` and `memory` are the requests. */
function computeOf({ spec }: KubeObject): Amounts {
  const sums: Amounts = {};
  for (const container of spec?.containers ?? []) {
    for (const [side, amounts] of Object.entries(withRequests(container.resources))) {
      for (const [name, amount] of Object.entries(amounts)) {
        const resource = `${side}.${name}`;
        sums[resource] = (sums[resource] ?? 0) + (parseQuantity(amount) ?? 0);
        if (side === 'requests') sums[name] = sums[resource];
      }
    }
  }
  return sums;
}

/** A limit without a request is the request too. */
function withRequests(resources: { requests?: object; limits?: object } = {}): Record<'requests' | 'limits', object> {
  const { requests = {}, limits = {} } = resources;
  return { requests: { ...limits, ...requests }, limits };
}

/** `requests.cpu for: web,side`: what a quota counts and the containers do not say; empty when all is said. */
function unspecified({ spec }: KubeObject, resources: readonly string[]): string {
  const missing = new Map<string, string[]>();
  for (const container of spec?.containers ?? []) {
    const said = computeOf({ spec: { containers: [container] } } as KubeObject);
    for (const resource of resources.filter((one) => /^((requests|limits)\.)?(cpu|memory)$/.test(one)).sort()) {
      if (said[resource] === undefined) missing.set(resource, [...(missing.get(resource) ?? []), container.name]);
    }
  }
  return [...missing].map(([resource, containers]) => `${resource} for: ${containers.join(',')}`).join('; ');
}

function formatAmount(resource: string, amount: number): string {
  return formatQuantity(amount, resource.endsWith('memory') || resource.endsWith('storage'));
}
