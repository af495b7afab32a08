import { isCancellation } from '@slipway/core';
import type { RolloutDeps } from './deps.js';
import { isActive } from './state.js';
import { readStatus, type Status } from './status.js';

/** Time between two looks, milliseconds. */
const EVERY = 2_000;

/**
 * Tells where the rollout stands, looks again every two seconds and tells what has changed, until it is at rest or the run is interrupted, which
 * is how one stops looking. Returns what was seen last. Throws when nothing was seen before the interruption.
 */
export async function watchStatus(deps: RolloutDeps): Promise<Status> {
  const { clock, signal, log } = deps.context;
  let seen: Status | undefined;
  try {
    for (;;) {
      const status = await readStatus(deps);
      for (const line of seen ? changedLines(seen.lines, status.lines, clock.now()) : block(status.lines)) log.info(line);
      seen = status;
      if (!isActive(status.state)) return status;
      await clock.sleep(EVERY, signal);
    }
  } catch (error) {
    if (seen && isCancellation(error, signal)) return seen;
    throw error;
  }
}

/** `Phase: promoted` as lines of a block, facts under each other. Pure. */
function block(lines: readonly string[]): string[] {
  const widest = Math.max(0, ...lines.map((line) => line.indexOf(':')));
  return lines.map((line) => {
    const end = line.indexOf(':');
    return `${line.slice(0, end).padEnd(widest)}  ${line.slice(end + 1).trim()}`;
  });
}

/** `19:05:31  Phase: promoted` for each fact that was not so before; a fact that is gone is not told. Pure. */
function changedLines(before: readonly string[], after: readonly string[], now: number): string[] {
  const time = new Date(now).toISOString().slice(11, 19);
  return after.filter((line) => !before.includes(line)).map((line) => `${time}  ${line}`);
}
