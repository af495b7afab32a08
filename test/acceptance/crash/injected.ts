import type { FaultSpec } from '@slipway/sandbox';
import type { ActionOutcome } from '../run-action.js';
import { differsFromRecorded, endedAsRecorded, pointWords, runAsRecorded, runWithFault } from './disturb.js';
import type { Cell, Point } from './points.js';
import { numbersOfRequests, type RecordedCommand, type Recording, told } from './recording.js';
import { openWorld, type World } from './world.js';

/** What the API server does to one request. */
export interface Trouble {
  name: string;
  fault: Omit<FaultSpec, 'at' | 'kill'>;
}

/** Longest wait of a command for an answer, milliseconds of its own time: what hangs need not hang for ten seconds to be proved. */
const answerTimeout = 2_000;

export const troubles: readonly Trouble[] = [
  { name: '409', fault: { action: 'status', code: 409 } },
  { name: '429, Retry-After 1', fault: { action: 'status', code: 429, retryAfter: 1 } },
  { name: '500', fault: { action: 'status', code: 500 } },
  { name: 'no answer in time', fault: { action: 'hang' } },
  { name: 'lost answer', fault: { action: 'drop-after' } },
];

/**
 * One release in which the `n`th request of every command meets trouble. The command succeeds all the same, or fails with a reason that is not
 * a defect; then it is run again, and all must be as it was undisturbed.
 */
export function troubleCells(recording: Recording, trouble: Trouble): Cell[] {
  const { name } = recording.release;
  return numbersOfRequests(recording).map((n) => ({
    group: `${trouble.name}: ${name}`,
    name: `${name}, ${trouble.name} at request ${n}`,
    run: () => run(recording, n, trouble),
  }));
}

async function run({ release, commands }: Recording, n: number, trouble: Trouble): Promise<Point[]> {
  const world = await openWorld(release.router);
  const points: Point[] = [];
  try {
    let attempt = 1;
    for (const recorded of commands) {
      const what = `${release.name}: ${pointWords(recorded, n)}, ${trouble.name}`;
      const { met, ended, failed, problems } = await runTroubled(world, recorded, n, trouble, attempt);
      if (failed) attempt += 1;
      if (met || problems.length > 0) points.push({ what, problems, ended });
      if (problems.length > 0) return points;
    }
    const users = await world.users.problems();
    return users.length === 0 ? points : [...points, { what: `${release.name}, ${trouble.name} at request ${n}: users`, problems: users }];
  } finally {
    await world.end();
  }
}

async function runTroubled(world: World, recorded: RecordedCommand, n: number, { fault: spec }: Trouble, attempt: number) {
  const clock = { answerTimeout };
  if (recorded.command.prelude || n > recorded.requests.length) {
    return { met: false, ended: '', failed: false, problems: await runAsRecorded(world, recorded, { attempt }) };
  }
  const { outcome, fault } = await runWithFault(world, recorded, n, spec, { attempt, clock });
  const ended = endedAsRecorded(outcome, recorded) ? 'went on' : `failed: ${outcome.result?.reason}`;
  const met = fault.fired > 0;
  if (endedAsRecorded(outcome, recorded))
    return { met, ended, failed: false, problems: await differsFromRecorded(world, recorded, outcome) };
  if (!isNamed(outcome)) return { met, ended, failed: true, problems: [`neither succeeded nor failed with a reason: ${told(outcome)}`] };
  const again = await runAsRecorded(world, recorded, { attempt: attempt + 1 });
  return { met, ended, failed: true, problems: again.map((problem) => `after ${told(outcome)}; then, run again, ${problem}`) };
}

/** A failure that says what went wrong, and is no defect of the program. */
export function isNamed({ signal, result }: ActionOutcome): boolean {
  return signal === null && result?.outcome === 'fail' && result.reason !== 'DEFECT' && result.summary.length > 20;
}
