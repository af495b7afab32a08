import { readLease, readWorkload } from '@slipway/cluster';
import type { RolloutDeps } from '../deps.js';
import { scalerOf } from '../floor.js';
import { recordName, rolloutStore } from '../rollout-record.js';
import { isActive, type RolloutState } from '../state.js';
import { nameOf, type Verdict } from '../verdicts.js';
import { routerOf } from '../world.js';
import { type Check, checkPlan } from './plan-checks.js';
import { planReport } from './plan-report.js';
import { checkRollback } from './plan-rollback.js';
import { type PlannedStep, planEnd, planSteps } from './plan-steps.js';
import { accessWords, requiredAccess } from './required-access.js';
import { type ReviewedAccess, reviewAccess } from './review-access.js';

/** What a rollout would do, and whether it could; plain JSON. */
export interface Plan {
  steps: PlannedStep[];
  /** What follows the last step. */
  end: string[];
  access: ReviewedAccess[];
  checks: Check[];
  /** Whether users could be sent back now. */
  rollback: Check[];
  /** Who works on the target, if anybody does. */
  holder: string | null;
}

export interface Planned {
  verdict: Verdict;
  state: RolloutState | undefined;
  plan: Plan;
  /** Markdown. */
  report: string;
}

/**
 * What a rollout of `image` would do, step by step, what it needs, and whether the way back works now. Changes nothing: reads, access reviews
 * and dry runs alone. Reason of errors: WORKLOAD_NOT_FOUND.
 */
export async function readPlan(deps: RolloutDeps, options: { image: string | undefined; provider: 'pods' | 'prometheus' }): Promise<Planned> {
  const { context } = deps;
  const client = deps.client.withSignal(context.signal);
  const { namespace, workload } = deps.target;
  const state = (await rolloutStore(client, namespace, workload).read())?.value;
  const going = isActive(state) ? state : undefined;
  const target = going?.target ?? deps.target;
  const stable = await readWorkload(client, namespace, workload, target.container);
  const { clock, signal } = context;
  const router = routerOf(client, target, { clock, signal, replicas: going?.replicas ?? stable.replicas, state: going });
  const steps = planSteps(target, router, going?.replicas ?? stable.replicas, going);
  const image = going?.image.to ?? options.image;
  const access = await reviewAccess(client, namespace, requiredAccess(target, options.provider));
  const missing = access.filter(({ allowed, without }) => allowed === false && without === undefined);
  // Where a right is missing, what needs it would only say so again.
  const scaler = missing.length === 0 ? await scalerOf(client, target) : null;
  const checks = going || missing.length > 0 ? [] : await checkPlan({ client, target, stable, router, scaler, steps, image });
  const rollback = missing.length > 0 ? [] : await checkRollback(client, stable, state);
  const lease = await readLease(client, namespace, recordName(workload));
  const plan = { steps, end: planEnd(target), access, checks, rollback, holder: lease?.holder ?? null };
  return { verdict: verdictOf(plan, image ?? 'the next image', going), state, plan, report: planReport(plan, going) };
}

function verdictOf({ access, checks, rollback, steps, holder }: Plan, image: string, going: RolloutState | undefined): Verdict {
  const missing = access.filter(({ allowed, without }) => allowed === false && without === undefined);
  const refused = [...checks, ...rollback].filter(({ outcome }) => outcome === 'refused');
  if (missing.length > 0) {
    return {
      outcome: 'fail',
      reason: 'PLAN_FORBIDDEN',
      summary: `The kubeconfig's user lacks ${missing.length} of ${access.length} permissions: ${missing.map(accessWords).join(', ')}. Nothing was changed.`,
      next: ['Apply docs/rbac/slipway.yaml with the names of this service, then run this again.'],
    };
  }
  if (refused.length > 0) {
    return {
      outcome: 'fail',
      reason: 'PLAN_REFUSED',
      summary: `A rollout of ${image} would be refused: ${refused.map(({ words }) => words).join(' ')} Nothing was changed.`,
      next: refused.flatMap(({ next }) => next),
    };
  }
  const weights = steps.map(({ routing }) => `${routing.weight} %`).join(' → ');
  const held = holder === null ? '' : ` ${holder} works on it now.`;
  if (going) {
    const summary = `${nameOf(going)} is ${going.phase} (${weights}), and could be sent back now.${held}`;
    return { outcome: 'pass', reason: 'PLANNED', summary, next: [] };
  }
  const way = steps.length > 0 ? `${weights} → everybody` : "by the Deployment's own rolling update";
  return { outcome: 'pass', reason: 'PLANNED', summary: `${image} would go out: ${way}. Nothing was changed.${held}`, next: ['Run `start`.'] };
}
