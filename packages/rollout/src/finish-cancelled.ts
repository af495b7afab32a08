import type { RolloutDeps } from './deps.js';
import { rolloutStore } from './rollout-record.js';
import { runCommand } from './run-command.js';
import { isActive } from './state.js';
import type { Verdict } from './verdicts.js';

/**
 * What is left to do after a run that did not come to its end: verify that no user meets the canary, drain and remove it. With `hold` only what is
 * going back already is finished. Changes nothing when there is nothing left.
 */
export async function finishCancelled(deps: RolloutDeps): Promise<Verdict> {
  const { client, target, onCancel = 'rollback' } = deps;
  const state = (await rolloutStore(client, target.namespace, target.workload).read())?.value;
  const goesBack = state?.phase === 'aborting' || state?.phase === 'undoing';
  if (!isActive(state) || (onCancel === 'hold' && !goesBack)) {
    return { outcome: 'skipped', reason: 'NOTHING_TO_DO', summary: 'Nothing is left to clean up.' };
  }
  const { verdict } = await runCommand(deps, {
    kind: 'abort',
    reason: 'CANCELLED',
    summary: 'The run ended before the rollout came to rest.',
  });
  return verdict;
}
