import { defineContract } from '@slipway/core';

/** The action at the root of the repository: every command behind one input. Its other inputs and its outputs are those of the command. */
export const rootContract = defineContract({
  name: 'slipway',
  family: 'gates',
  description: 'Safe releases for GitHub Actions and Kubernetes: gates, canary, analysis and rollback behind one `command` input.',
  inputs: {
    command: {
      kind: 'string',
      required: true,
      description: 'The command, with what it takes by position.',
      example: 'canary-deploy start',
    },
  },
  outputs: {},
  reasons: {},
  permissions: [],
});
