import type { Fault, FaultSpec } from '@slipway/sandbox';
import type { ActionOutcome } from '../run-action.js';
import { type RecordedCommand, requestWords, told } from './recording.js';
import { nameOf } from './releases.js';
import { comesToRest } from './rest.js';
import type { How, World } from './world.js';

/** Whether an end is the one that was recorded: the same exit code, so that the job goes on, or does not, as it would have. */
export function endedAsRecorded(outcome: ActionOutcome, recorded: RecordedCommand): boolean {
  return outcome.signal === null && outcome.code === recorded.code;
}

/** Runs one command with one fault at its `n`th request. `fault.fired` tells whether it came so far. */
export async function runWithFault(
  world: World,
  recorded: RecordedCommand,
  n: number,
  spec: Omit<FaultSpec, 'at' | 'kill'>,
  how: How,
): Promise<{ outcome: ActionOutcome; fault: Fault }> {
  const { faults, requestLog } = world.sandbox;
  requestLog.reset();
  let kill: () => unknown = () => undefined;
  const fault = faults.add({ ...spec, at: n, kill: () => kill() });
  const run = world.start(recorded.command, how);
  kill = () => (spec.action.startsWith('kill-') ? run.child.kill('SIGKILL') : undefined);
  const outcome = await run.finished;
  faults.clear();
  return { outcome, fault };
}

/** Runs one command undisturbed; answers what was not as recorded. */
export async function runAsRecorded(world: World, recorded: RecordedCommand, how: How): Promise<string[]> {
  return differsFromRecorded(world, recorded, await world.start(recorded.command, how).finished);
}

/** What is not as recorded after a command has come to its end. */
export async function differsFromRecorded(world: World, recorded: RecordedCommand, outcome: ActionOutcome): Promise<string[]> {
  const ended = endedAsRecorded(outcome, recorded)
    ? []
    : [`ended with ${told(outcome)}; recorded: exit ${recorded.code}, ${recorded.reason}`];
  return [...ended, ...(await comesToRest(world.sandbox, recorded.rest))];
}

/** `start at request 7 (PATCH deployments/shop)`. */
export function pointWords(recorded: RecordedCommand, n: number, atFault?: { method: string; path: string }): string {
  const request = atFault ?? recorded.requests[n - 1];
  return `${nameOf(recorded.command)} at request ${n}${request ? ` (${requestWords(request)})` : ''}`;
}
