import { isCancellation } from '@slipway/core';
import type { RolloutDeps } from './deps.js';
import { isActive } from './state.js';
import { readStatus, type Status } from './status.js';

/** Time between two looks, milliseconds. */
const EVERY = 2_000;

/**
 * Looks every two seconds and tells what has changed, until the rollout is at rest or the run is interrupted, which is how one stops looking.
 * Returns what was seen last.
 */
export async function watchStatus(deps: RolloutDeps): Promise<Status> {
  const { clock, signal, log } = deps.context;
  let told = '';
  for (;;) {
    const status = await readStatus(deps);
    const lines = status.lines.join('\n');
    if (lines !== told) for (const line of status.lines) log.info(line);
    told = lines;
    if (!isActive(status.state)) return status;
    try {
      await clock.sleep(EVERY, signal);
    } catch (error) {
      if (isCancellation(error, signal)) return status;
      throw error;
    }
  }
}
