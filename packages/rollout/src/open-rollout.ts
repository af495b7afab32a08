import { connect, SNAPSHOT_KEY_VARIABLE } from '@slipway/cluster';
import type { Context, ServiceConfig } from '@slipway/core';
import type { RolloutDeps } from './deps.js';
import { resolveTarget, type TargetInputs } from './resolve-target.js';

export interface OpenInputs extends TargetInputs {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  'on-cancel'?: 'rollback' | 'hold';
}

export interface OpenedRollout {
  deps: RolloutDeps;
  service: ServiceConfig;
}

/** From inputs to what commands need: the target of slipway.yml, and a client of its cluster. Sends nothing. Throws UsageError. */
export async function openRollout(inputs: OpenInputs, context: Context): Promise<OpenedRollout> {
  const { target, service, context: named, configHash } = await resolveTarget(inputs, context.cwd);
  const client = connect({ kubeconfig: inputs.kubeconfig, context: inputs.context ?? named, env: context.env, clock: context.clock });
  const onCancel = inputs['on-cancel'];
  const snapshotKey = context.env[SNAPSHOT_KEY_VARIABLE];
  if (snapshotKey) context.mask(snapshotKey);
  const optional = { ...(onCancel === undefined ? {} : { onCancel }), ...(snapshotKey ? { snapshotKey } : {}) };
  return { deps: { client, target, configHash, context, ...optional }, service };
}
