import { backendRef } from './references.js';
import { flag, list, number, oneOf, open, type Schema, text } from './schema.js';

const reference = (kinds: readonly string[]): Schema =>
  open({ apiVersion: text(), kind: oneOf(kinds), name: text() }, { required: ['apiVersion', 'kind', 'name'] });
const seconds = text({ pattern: '^[0-9]+(m|s)' });
const hooks = [
  '',
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-promotion',
  'post-rollout',
  'event',
  'rollback',
  'confirm-traffic-increase',
];
const phases = [
  '',
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
  'Terminating',
  'Terminated',
];

/** Canary of Flagger, as far as it is read by anyone here. */
export const canary: Schema = open({
  spec: open(
    {
      provider: text(),
      targetRef: reference(['DaemonSet', 'Deployment', 'Service']),
      autoscalerRef: reference(['HorizontalPodAutoscaler', 'ScaledObject']),
      ingressRef: reference(['Ingress']),
      progressDeadlineSeconds: number(),
      skipAnalysis: flag(),
      suspend: flag(),
      service: open(
        {
          port: number(),
          name: text(),
          portName: text(),
          hosts: list(text()),
          gateways: list(text()),
          mirror: list(open({ backendRef: backendRef() })),
        },
        { required: ['port'] },
      ),
      analysis: open({
        interval: seconds,
        iterations: number(),
        threshold: number(),
        maxWeight: number(),
        stepWeight: number(),
        stepWeights: list(number()),
        stepWeightPromotion: number(),
        mirror: flag(),
        mirrorWeight: number(),
        metrics: list(open({ name: text(), interval: seconds }, { required: ['name'] })),
        webhooks: list(open({ name: text(), url: text(), type: oneOf(hooks), timeout: seconds }, { required: ['name', 'url'] })),
      }),
    },
    { required: ['targetRef', 'analysis'] },
  ),
  status: open({
    phase: oneOf(phases),
    canaryWeight: number(),
    failedChecks: number(),
    iterations: number(),
    conditions: list(open({}, { required: ['type', 'status', 'reason'] })),
  }),
});
