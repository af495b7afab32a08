import { clusterReasons } from '@slipway/cluster';
import { defineContract } from '@slipway/core';
import { analysisReasons, clusterPermissions, onCancelInput, rolloutReasons, targetInputs } from '@slipway/rollout';

export const contract = defineContract({
  name: 'canary-analyze',
  family: 'cluster',
  description: 'Judges the canary against stable while users meet it, and sends them back at once when it is worse.',
  inputs: {
    duration: { kind: 'duration', min: 1000, description: 'How long the step is watched. Default: the step’s `duration`.', example: '5m' },
    judge: {
      kind: 'choice',
      values: ['anytime-valid', 'threshold'],
      description: 'Judge, in place of the service’s.',
      example: 'threshold',
    },
    provider: {
      kind: 'choice',
      values: ['pods', 'prometheus'],
      description: 'Where counts come from, in place of the service’s.',
      example: 'pods',
    },
    mode: {
      kind: 'choice',
      values: ['enforce', 'observe'],
      description: '`enforce`: a fail verdict sends users back at once. `observe`: judge and report, move nothing.',
      default: 'enforce',
      example: 'observe',
    },
    replay: {
      kind: 'list',
      description: 'Files of recorded windows to judge instead of a rollout; no cluster is needed. Prints one JSON line per trace.',
      example: 'traces/release-1.jsonl',
    },
    'on-cancel': onCancelInput,
    ...targetInputs,
  },
  outputs: {
    verdict: { description: '`pass`, `fail`, `inconclusive` or `nodata`: what the judge says, before any policy.' },
    metric: { description: 'Metric that decided; empty while undecided.' },
    scope: { description: '`release`, or `pod:NAME` when one pod alone carries the evidence.' },
    evidence: { description: 'JSON: evidence and limit per metric.' },
    windows: { description: 'How many windows were judged.' },
    'canary-error-rate': { description: 'Share of the canary’s requests that failed, e.g. `0.012`; empty without requests.' },
    'stable-error-rate': { description: 'The same of stable.' },
    'canary-requests': { description: 'Requests of the canary that were seen.' },
  },
  reasons: { ...clusterReasons, ...rolloutReasons, ...analysisReasons },
  permissions: clusterPermissions,
  post: true,
  cli: { aliases: ['analyze'], positionals: [] },
});
