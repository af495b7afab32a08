import type { ActiveRollout } from '../state.js';
import { nameOf, type Verdict } from '../verdicts.js';
import { accessWords } from './access.js';
import type { Plan } from './plan.js';
import { missingOf } from './review-access.js';

/** What a plan comes to. Pure. */
export function verdictOf(plan: Plan, image: string, going: ActiveRollout | undefined): Verdict {
  const { access, checks, rollback } = plan;
  const missing = missingOf(access);
  if (missing.length > 0) {
    return {
      outcome: 'fail',
      reason: 'PLAN_FORBIDDEN',
      summary: `The kubeconfig's user lacks ${missing.length} of ${access.length} permissions: ${missing.map(accessWords).join(', ')}. Nothing was changed.`,
      next: ['Apply docs/rbac/slipway.yaml with the names of this service, then run this again.'],
    };
  }
  const refused = [...checks, ...rollback].filter(({ outcome }) => outcome === 'refused');
  if (refused.length > 0) {
    const what = going ? `${nameOf(going)} is ${going.phase}, but not all is as it should be` : `A rollout of ${image} would be refused`;
    return {
      outcome: 'fail',
      reason: 'PLAN_REFUSED',
      summary: `${what}: ${refused.map(({ words }) => words).join(' ')} Nothing was changed.`,
      next: [...new Set(refused.flatMap(({ next }) => next))],
    };
  }
  return { outcome: 'pass', reason: 'PLANNED', summary: goodWords(plan, image, going), next: going ? [] : ['Run `start`.'] };
}

function goodWords({ steps, holder, checks, rollback }: Plan, image: string, going: ActiveRollout | undefined): string {
  const weights = steps.map(({ routing }) => `${routing.weight} %`).join(' → ');
  const warnings = [...checks, ...rollback].filter(({ outcome }) => outcome === 'warning').length;
  const told = warnings === 0 ? '' : ` ${warnings} warning${warnings === 1 ? '' : 's'}: see the report.`;
  const held = holder === null ? '' : ` ${holder} works on it now.`;
  if (going) return `${nameOf(going)} is ${going.phase}${weights ? ` (${weights})` : ''}, and could be sent back now.${told}${held}`;
  const way = steps.length > 0 ? `${weights} → everybody` : "by the Deployment's own rolling update";
  return `${image} would go out: ${way}. Nothing was changed.${told}${held}`;
}
