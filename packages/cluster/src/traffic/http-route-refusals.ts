import { OperationError } from '@slipway/core';
import { describe } from '../workloads/workload.js';
import { type HttpRouteRules, type HttpRouteView, matchHeaders, ruleWords, type SplitRule, weightOf } from './http-route.js';

/** Refuses weights that are not ours alone to share out. Pure. Reasons: ROUTE_HAS_OTHER_BACKENDS, WEIGHTS_NOT_100. */
export function refuseUnsound({ object, split }: HttpRouteView): void {
  for (const each of split) refuseUnsoundRule(each, `${ruleWords(each)} of ${describe(object)}`);
}

function refuseUnsoundRule({ refs, stable, canary }: SplitRule, where: string): void {
  const other = refs.find((ref, index) => index !== stable && index !== canary && weightOf(ref) > 0);
  if (other) {
    throw new OperationError(
      `${where} also sends a share of ${weightOf(other)} to ${other.kind ?? 'Service'} "${other.name}", which is neither stable nor canary.`,
      {
        reason: 'ROUTE_HAS_OTHER_BACKENDS',
        next: ['Split that off into a rule of its own, or set its weight to 0 for the rollout.'],
      },
    );
  }
  if (refs.some((ref) => weightOf(ref) > 0)) return;
  throw new OperationError(`The weights of ${where} add up to 0, so its requests are answered with an error; they cannot be shared out.`, {
    reason: 'WEIGHTS_NOT_100',
    next: [`Give the stable Service its weight back: {name: ${refs[stable]?.name}, weight: 100}.`],
  });
}

/** Refuses rules of somebody else that lead to the canary. Before a rollout, when nothing of ours is there. Pure. Reason: ROUTE_LEADS_TO_CANARY. */
export function refuseForeignRules({ object, foreign, matches }: HttpRouteView): void {
  // A rule of the shape of ours without our name is not ours: nothing of ours is there yet.
  const [first] = [...foreign, ...matches.filter(({ rule }) => rule.name === undefined)];
  if (!first) return;
  throw new OperationError(
    `${ruleWords(first)} of ${describe(object)} leads to the canary’s Service and is not Slipway’s: users would meet the canary by it, whatever the step says.`,
    {
      reason: 'ROUTE_LEADS_TO_CANARY',
      next: ['Take that rule out of the HTTPRoute; for a header or a cookie set `traffic.header` or `traffic.cookie` in slipway.yml.'],
      details: { rule: first.rule as Record<string, unknown> },
    },
  );
}

/** Refuses a rule that has a condition of its own on the canary's header: a match has one for each header. Pure. Reason: MATCH_TAKEN. */
export function refuseTakenMatch({ object, split }: HttpRouteView, rules: HttpRouteRules): void {
  for (const { name } of matchHeaders(rules)) {
    const same = (header: { name: string }) => header.name.toLowerCase() === name.toLowerCase();
    const taken = split.find(({ rule }) => rule.matches?.some(({ headers = [] }) => headers.some(same)));
    if (!taken) continue;
    throw new OperationError(
      `${ruleWords(taken)} of ${describe(object)} has a condition of its own on the header "${name}", so there is no place for the canary’s.`,
      {
        reason: 'MATCH_TAKEN',
        next: [
          name === rules.header
            ? 'Choose another header for `traffic.header` in slipway.yml.'
            : 'Use `traffic.header` instead of `traffic.cookie` in slipway.yml: cookies are all in one header.',
        ],
      },
    );
  }
}
