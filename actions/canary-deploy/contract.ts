import { clusterReasons } from '@slipway/cluster';
import { defineContract } from '@slipway/core';
import { clusterPermissions, onCancelInput, rolloutReasons, targetInputs } from '@slipway/rollout';

export const contract = defineContract({
  name: 'canary-deploy',
  family: 'cluster',
  description: 'Moves users to a new version step by step, and back: start, step, promote, abort, status.',
  inputs: {
    command: {
      kind: 'choice',
      values: ['start', 'step', 'promote', 'pause', 'resume', 'abort', 'status', 'plan'],
      description:
        '`start`: first step of a new rollout. `step`: the next weight. `promote`: everybody, and the canary goes; with `image` and no rollout on: a rolling release that is undone when it does not get ready. `pause`, `resume`: nothing moves forward in between. `abort`: everybody back. `status`: only look. `plan`: what a rollout would do, and whether it could; nothing is changed.',
      required: true,
      example: 'start',
    },
    image: {
      kind: 'string',
      description: 'Image to release; required for `start`. A digest is best: what was tested is what runs.',
      example: 'ghcr.io/acme/shop@sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1',
    },
    version: { kind: 'string', description: 'Version of the image, for people and for the pods’ version label.', example: 'v1.4.0' },
    weight: {
      kind: 'integer',
      min: 1,
      max: 100,
      description: 'Percent of users, in place of the step’s. 100, with `promote` alone, leaves out the steps that are still to come.',
      example: '25',
    },
    supersede: {
      kind: 'boolean',
      description: 'With `start`: a rollout of another image that is on its way is sent back first, in place of being refused.',
      default: 'false',
      example: 'true',
    },
    why: { kind: 'string', description: 'With `pause`: the reason, for those who wait.', example: 'checkout is being load-tested' },
    watch: {
      kind: 'boolean',
      description: 'With `status`: go on looking until the rollout is at rest.',
      default: 'false',
      example: 'true',
    },
    'on-cancel': onCancelInput,
    ...targetInputs,
  },
  outputs: {
    'rollout-id': { description: 'Id of the rollout; empty when there never was one.' },
    phase: { description: '`none`, `starting`, `progressing`, `promoting`, `promoted`, `aborting`, `aborted`, `undoing` or `undone`.' },
    step: { description: 'Number of the step in force, from 1; 0 when there is none.' },
    weight: { description: 'Percent of users that were to meet the new version: the step’s weight, or the one asked for.' },
    'measured-weight': {
      description:
        'Percent of users that meet it, as read back. With `router: replicas` whole pods seldom make the weight asked for: 1 of 5 pods is 20.',
    },
    image: { description: 'Image that is being released, or was last.' },
    'previous-image': { description: 'Image that served before.' },
    done: { description: '`true` when the rollout is at rest for good (promoted, aborted or undone).' },
  },
  reasons: { ...clusterReasons, ...rolloutReasons },
  permissions: clusterPermissions,
  post: true,
  cli: {
    positionals: ['command'],
    shortcuts: {
      plan: ['plan'],
      start: ['start'],
      step: ['step'],
      promote: ['promote'],
      pause: ['pause'],
      resume: ['resume'],
      abort: ['abort'],
      status: ['status'],
    },
  },
});
