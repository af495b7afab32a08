import { connect, SNAPSHOT_KEY_VARIABLE, serverClock } from '@slipway/cluster';
import { type Context, formatDuration, type ServiceConfig } from '@slipway/core';
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
  const clock = serverClock(context.clock, (ms) => context.log.warning(skewWords(ms)));
  const client = connect({
    kubeconfig: inputs.kubeconfig,
    context: inputs.context ?? named,
    env: context.env,
    clock: context.clock,
    onDate: clock.observe,
  });
  const onCancel = inputs['on-cancel'];
  const snapshotKey = context.env[SNAPSHOT_KEY_VARIABLE];
  if (snapshotKey) context.mask(snapshotKey);
  const optional = { ...(onCancel === undefined ? {} : { onCancel }), ...(snapshotKey ? { snapshotKey } : {}) };
  return { deps: { client, target, configHash, context: { ...context, clock }, ...optional }, service };
}

function skewWords(ms: number): string {
  const by = formatDuration(Math.round(Math.abs(ms) / 1000) * 1000);
  return `This machine's clock is ${by} ${ms > 0 ? 'ahead of' : 'behind'} the API server's. Times are the API server's.`;
}
