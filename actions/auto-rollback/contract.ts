import { clusterReasons } from '@slipway/cluster';
import { defineContract } from '@slipway/core';
import { analysisReasons, clusterPermissions, rolloutReasons, targetInputs, triggerReasons } from '@slipway/rollout';

export const contract = defineContract({
  name: 'auto-rollback',
  family: 'cluster',
  description: 'Sends all users back to the last good version and sees that it serves; at once, or when a trigger fires.',
  inputs: {
    command: {
      kind: 'choice',
      values: ['now', 'watch', 'reconcile'],
      description:
        '`now`: abort the rollout that is on, or take back what was promoted last. `watch`: look at the triggers for `duration`, then do the same if one fires. `reconcile`: end a rollout whose run has died; nothing else is touched.',
      default: 'now',
      example: 'watch',
    },
    image: {
      kind: 'string',
      description:
        'Go back only if this is the image being released, or released last: a job that failed before it deployed must not undo the release before.',
      example: 'ghcr.io/acme/shop:v1.4.0',
    },
    duration: { kind: 'duration', min: 1000, description: 'How long `watch` looks.', default: '5m', example: '30m' },
    interval: { kind: 'duration', min: 1000, description: 'How often `watch` looks.', default: '10s', example: '5s' },
    quiet: {
      kind: 'duration',
      min: 1000,
      description:
        'How long `reconcile` looks before it takes a run at work for dead that writes neither the state nor the lease. Longer than two windows of the analysis.',
      default: '90s',
      example: '5m',
    },
    rest: {
      kind: 'duration',
      min: 1000,
      description:
        'How long a release may rest between two jobs before `reconcile` sends users back. Longer than any wait for a runner or a reviewer that is not announced by `pause`.',
      default: '30m',
      example: '2h',
    },
    'only-unfinished': {
      kind: 'boolean',
      description: 'With `now`: a rollout that is at rest stays as it is; a release that went through is not taken back.',
      default: 'false',
      example: 'true',
    },
    why: { kind: 'string', description: 'Why, for the record.', example: 'payments fail since 14:02' },
    ...targetInputs,
  },
  outputs: {
    'rolled-back': { description: '`true` when users were sent back by this run.' },
    'from-image': { description: 'Image that was taken back.' },
    'to-image': { description: 'Image that serves now.' },
    trigger: { description: 'Trigger that fired: `error-rate`, `latency-p99`, `health-failures`, `restarts`; empty otherwise.' },
    'rollback-seconds': { description: 'Seconds from the decision until the last good version was seen to serve.' },
  },
  reasons: { ...clusterReasons, ...rolloutReasons, ...triggerReasons, NO_DATA: analysisReasons.NO_DATA },
  permissions: clusterPermissions,
  cli: { aliases: ['rollback'], positionals: ['command'] },
});
