import type { KubeClient, KubeObject } from '../kube.js';
import { CANARY, TRACK_LABEL } from '../names.js';
import { resources } from '../resources.js';
import { selects } from './label-selector.js';
import { listIfAllowed } from './optional-list.js';

/** A PodDisruptionBudget that protects the pods in question. */
export interface Budget {
  name: string;
  /** `2`, `50%`; null: not given. */
  minAvailable: string | null;
  maxUnavailable: string | null;
  /** Evictions that it allows now. */
  disruptionsAllowed: number;
  /** Whether it counts the canary's pods, too. */
  countsCanary: boolean;
}

/**
 * The budgets that protect pods with `labels` (those of stable's pods), and what a rollout should know of them: one list request, a warning
 * when it is not allowed. Budgets do not hold back a rollout (controllers delete pods, they do not evict them); they hold back node drains.
 */
export async function readBudgets(
  client: KubeClient,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<{ budgets: Budget[]; warnings: string[] }> {
  const { items, warnings } = await listIfAllowed(
    client,
    resources.poddisruptionbudgets,
    namespace,
    'whether a node drain can interrupt the rollout is not known',
  );
  const protecting = items.filter(({ spec }) => selects(spec?.selector, labels));
  const budgets = protecting.map((each) => budgetOf(each, labels));
  return { budgets, warnings: [...warnings, ...protecting.flatMap((each, index) => warningsOf(each, budgets[index] as Budget))] };
}

function budgetOf({ metadata, spec, status }: KubeObject, labels: Readonly<Record<string, string>>): Budget {
  return {
    name: metadata.name,
    minAvailable: words(spec?.minAvailable),
    maxUnavailable: words(spec?.maxUnavailable),
    disruptionsAllowed: Number(status?.disruptionsAllowed ?? 0),
    countsCanary: selects(spec?.selector, { ...labels, [TRACK_LABEL]: CANARY }),
  };
}

function warningsOf({ status }: KubeObject, budget: Budget): string[] {
  const place = `PodDisruptionBudget ${budget.name}`;
  const found: string[] = [];
  if (blocksDrains(budget, Number(status?.expectedPods ?? 0)))
    found.push(`${place} allows no disruption (${setting(budget)}): a node with one of these pods cannot be drained.`);
  if (budget.countsCanary)
    found.push(
      `${place} (${setting(budget)}) counts the canary’s pods, too: while it runs, an eviction may take a stable pod for each healthy canary pod.`,
    );
  return found;
}

function blocksDrains({ minAvailable, maxUnavailable }: Budget, expectedPods: number): boolean {
  if (maxUnavailable !== null) return /^0%?$/.test(maxUnavailable);
  if (minAvailable === null) return false;
  if (minAvailable.endsWith('%')) return minAvailable === '100%';
  return expectedPods > 0 && Number(minAvailable) >= expectedPods;
}

function setting({ minAvailable, maxUnavailable }: Budget): string {
  return maxUnavailable !== null ? `maxUnavailable: ${maxUnavailable}` : `minAvailable: ${minAvailable ?? 1}`;
}

function words(value: unknown): string | null {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : null;
}
