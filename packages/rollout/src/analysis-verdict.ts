import type { Judgement } from '@slipway/analysis';
import { meetsNobody } from '@slipway/cluster';
import type { AnalysisSettings } from '@slipway/core';
import { weightWords } from './measured-split.js';
import { type RolloutState, routingIn } from './state.js';
import { nameOf, type Verdict } from './verdicts.js';

/** Reason code of a failed judgement, by the metric that decided. */
export function failureReason(metric: string | null): string {
  switch (metric) {
    case 'errors':
      return 'ERROR_RATE_WORSE';
    case 'error-limit':
      return 'ERROR_LIMIT';
    case 'health':
      return 'CANARY_UNHEALTHY';
    default:
      return metric?.startsWith('latency') ? 'LATENCY_WORSE' : 'CANARY_WORSE';
  }
}

/** Fewer requests than this say nothing about everybody. */
const FEWEST_BAKED = 100;

/**
 * What the end of a step's time means, by policy. Only a judgement of `pass` passes by itself; having seen nothing never does. `goBack`: users
 * must be sent back. Pure.
 */
export function verdictAtEnd(
  judgement: Judgement,
  state: RolloutState,
  policy: Pick<AnalysisSettings, 'onNodata' | 'onInconclusive'>,
): { verdict: Verdict; goBack: boolean } {
  const { explanation } = judgement;
  const name = nameOf(state);
  if (isPreview(state) && judgement.verdict !== 'fail') return { verdict: previewed(state), goBack: false };
  switch (judgement.verdict) {
    case 'pass':
      return {
        verdict: {
          outcome: 'pass',
          reason: 'ANALYSIS_PASSED',
          summary: `${name} at ${weightWords(state)}: ${explanation}.`,
          next: nextAfterPass(state),
        },
        goBack: false,
      };
    case 'fail':
      return {
        verdict: { outcome: 'fail', reason: failureReason(judgement.metric), summary: `${name} at ${weightWords(state)}: ${explanation}.` },
        goBack: true,
      };
    case 'inconclusive':
      // Nobody is left to compare with: everybody met it, and there is no evidence against it.
      if (state.weight === 100 && judgement.totals.canary.n >= FEWEST_BAKED && !speaksAgainst(judgement)) {
        return {
          verdict: {
            outcome: 'pass',
            reason: 'BAKED',
            summary: `${name} at 100 %: nothing speaks against it: ${explanation}.`,
            next: nextAfterPass(state),
          },
          goBack: false,
        };
      }
      // Too little for a verdict is not nothing: what is beyond a limit already must not be waved through.
      if (policy.onInconclusive === 'continue' && !speaksAgainst(judgement)) {
        return {
          verdict: {
            outcome: 'pass',
            reason: 'INCONCLUSIVE_CONTINUED',
            summary: `${name} at ${weightWords(state)}: nothing speaks against it, though it is not proven: ${explanation}.`,
            next: nextAfterPass(state),
          },
          goBack: false,
        };
      }
      return policy.onInconclusive === 'fail'
        ? {
            verdict: {
              outcome: 'fail',
              reason: 'INCONCLUSIVE',
              summary: `${name} at ${weightWords(state)} is undecided, which \`on-inconclusive: fail\` refuses: ${explanation}.`,
            },
            goBack: true,
          }
        : {
            verdict: {
              outcome: 'hold',
              reason: 'INCONCLUSIVE',
              summary: `${name} at ${weightWords(state)} is undecided: ${explanation}.`,
              next: nextWhileHeld(state),
            },
            goBack: false,
          };
    case 'nodata':
      return policy.onNodata === 'fail'
        ? {
            verdict: {
              outcome: 'fail',
              reason: 'NO_DATA',
              summary: `Nothing could be seen of ${name} at ${weightWords(state)}, which \`on-nodata: fail\` refuses: ${explanation}.`,
              next: nextWithoutData(state, judgement),
            },
            goBack: true,
          }
        : {
            verdict: {
              outcome: 'hold',
              reason: 'NO_DATA',
              summary: `Nothing could be seen of ${name} at ${weightWords(state)}: ${explanation}.`,
              next: nextWithoutData(state, judgement),
            },
            goBack: false,
          };
  }
}

/** Whether some metric is beyond its limit, though too little was seen for a verdict. */
function speaksAgainst({ evidence }: Judgement): boolean {
  return Object.values(evidence).some(({ evidence: reached, limit }) => reached > limit);
}

/** A step in which nobody is sent to the canary: there is nothing to judge but that its pods stay up. */
function isPreview(state: RolloutState): boolean {
  return meetsNobody(routingIn(state));
}

function previewed(state: RolloutState): Verdict {
  return {
    outcome: 'skipped',
    reason: 'PREVIEWED',
    summary: `${nameOf(state)} is ready and no user meets it in this step: its pods stayed up, and nothing was to be judged.`,
    next: ['Check it by its preview Service or route, then run `step`.'],
  };
}

/** What users' requests have to pass for the split to concern them. */
function routeOf({ traffic, kubeService }: RolloutState['target']): string {
  switch (traffic.router) {
    case 'istio':
      return `the mesh, by the hosts and gateways of VirtualService ${traffic.virtualServices.join(', ')}`;
    case 'gateway-api':
      return `the parents of HTTPRoute ${traffic.httpRoute}`;
    case 'nginx':
      return `the controller of Ingress ${traffic.ingress}`;
    default:
      return `Service ${kubeService}`;
  }
}

function nextAfterPass(state: RolloutState): string[] {
  return [state.step >= state.target.steps.length - 1 ? 'Run `promote`.' : 'Run `step`, then `canary-analyze` again.'];
}

function nextWhileHeld(state: RolloutState): string[] {
  return [
    'Run `canary-analyze` again: it goes on with the evidence it has.',
    `Or decide: \`${state.step >= state.target.steps.length - 1 ? 'promote' : 'step'}\` goes on, \`abort\` sends users back.`,
  ];
}

function nextWithoutData({ target, step, weight }: RolloutState, { totals, windows }: Judgement): string[] {
  // Both were read; the one was asked and the other was not.
  if (windows.judged > 0 && totals.canary.n === 0 && totals.stable.n > 0) {
    if (target.steps[step]?.match && weight === 0) {
      return [
        'In this step only requests with the header or cookie of `traffic` meet the canary, and none came: send some, then run `canary-analyze` again.',
      ];
    }
    const where = `The canary got no request though its pods are ready, while stable got ${totals.stable.n}`;
    return target.traffic.router === 'replicas'
      ? [
          `${where}: does a mesh or an ingress route Service ${target.kubeService}, past the number of pods? Then set \`traffic.router\` (\`istio\`) in slipway.yml, run \`abort\` and begin anew.`,
          'Else there are too few requests, or long-lived connections that stay with stable: watch longer.',
        ]
      : [`${where}: do requests pass ${routeOf(target)}?`, 'Then run `canary-analyze` again.'];
  }
  return [
    `See whether the pods' metrics can be read: kubectl -n ${target.namespace} get --raw "/api/v1/namespaces/${target.namespace}/pods/POD:PORT/proxy/metrics"`,
    'See whether requests come in at all; then run `canary-analyze` again.',
  ];
}
