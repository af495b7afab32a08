import type { Judgement } from '@slipway/analysis';
import type { AnalysisSettings } from '@slipway/core';
import { weightWords } from './measured-split.js';
import type { RolloutState } from './state.js';
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
      if (policy.onInconclusive === 'continue') {
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

function nextAfterPass(state: RolloutState): string[] {
  return [state.step >= state.target.steps.length - 1 ? 'Run `promote`.' : 'Run `step`, then `canary-analyze` again.'];
}

function nextWhileHeld(state: RolloutState): string[] {
  return [
    'Run `canary-analyze` again: it goes on with the evidence it has.',
    `Or decide: \`${state.step >= state.target.steps.length - 1 ? 'promote' : 'step'}\` goes on, \`abort\` sends users back.`,
  ];
}

function nextWithoutData({ target }: RolloutState, { totals, windows }: Judgement): string[] {
  // Both were read; the one was asked and the other was not.
  if (windows.judged > 0 && totals.canary.n === 0 && totals.stable.n > 0) {
    const where = `The canary got no request though its pods are ready, while stable got ${totals.stable.n}`;
    return target.traffic.router === 'replicas'
      ? [
          `${where}: does a mesh or an ingress route Service ${target.kubeService}, past the number of pods? Then set \`traffic.router\` (\`istio\`) in slipway.yml, run \`abort\` and begin anew.`,
          'Else there are too few requests, or long-lived connections that stay with stable: watch longer.',
        ]
      : [
          `${where}: do requests pass the mesh, by the hosts and gateways of VirtualService ${target.traffic.virtualService}?`,
          'Then run `canary-analyze` again.',
        ];
  }
  return [
    `See whether the pods' metrics can be read: kubectl -n ${target.namespace} get --raw "/api/v1/namespaces/${target.namespace}/pods/POD:PORT/proxy/metrics"`,
    'See whether requests come in at all; then run `canary-analyze` again.',
  ];
}
