import { OperationError } from '@slipway/core';
import type { RolloutDeps } from './deps.js';
import { rolloutStore } from './rollout-record.js';
import { runCommand } from './run-command.js';
import { isActive, type RolloutState } from './state.js';
import type { Verdict } from './verdicts.js';

/**
 * What is left to do after a run that did not come to its end: verify that no user meets the canary, drain and remove it. With `hold` only what is
 * going back already is finished. Changes nothing when there is nothing left.
 *
 * `image`: what the run was to release. A run that ended while it waited for another one's rollout must not take that one back.
 */
export async function finishCancelled(deps: RolloutDeps, image?: string): Promise<Verdict> {
  const { client, target, onCancel = 'rollback' } = deps;
  const abort = {
    kind: 'abort',
    reason: 'CANCELLED',
    summary: 'The run ended before the rollout came to rest.',
  } as const;
  let state: RolloutState | undefined;
  try {
    state = (await rolloutStore(client, target.namespace, target.workload).read())?.value;
  } catch (error) {
    // The way back goes by the cluster then.
    if (onCancel === 'hold' || !(error instanceof OperationError && /^STATE_(CORRUPT|NEWER)$/.test(error.reason))) throw error;
    return (await runCommand(deps, abort)).verdict;
  }
  const goesBack = state?.phase === 'aborting' || state?.phase === 'undoing';
  const another = image !== undefined && state?.image.to !== image;
  if (!isActive(state) || another || (onCancel === 'hold' && !goesBack)) {
    return { outcome: 'skipped', reason: 'NOTHING_TO_DO', summary: 'Nothing is left to clean up.' };
  }
  return (await runCommand(deps, abort)).verdict;
}
