import { differsFromRecorded, pointWords, runAsRecorded, runWithFault } from './disturb.js';
import type { Cell, Point } from './points.js';
import { numbersOfRequests, type RecordedCommand, type Recording, told } from './recording.js';
import { openWorld, type World } from './world.js';

export type When = 'before' | 'after';

/**
 * One release in which every command is killed with SIGKILL at its `n`th request, before it was done or after it (and before its answer), and
 * run again as GitHub's "Re-run failed jobs" does: the same job, the next attempt. After every command all must be as it was undisturbed.
 */
export function killCell(recording: Recording, n: number, when: When): Cell {
  const { release } = recording;
  return {
    group: `SIGKILL ${when}: ${release.name}`,
    name: `${release.name}, killed ${when} request ${n}`,
    run: () => run(recording, n, when),
  };
}

/** A cell for every number of a request that some command of the release has. */
export function killCells(recording: Recording, when: When): Cell[] {
  return numbersOfRequests(recording).map((n) => killCell(recording, n, when));
}

async function run({ release, commands }: Recording, n: number, when: When): Promise<Point[]> {
  const world = await openWorld(release.router);
  const points: Point[] = [];
  try {
    let attempt = 1;
    for (const recorded of commands) {
      const what = `${release.name}: ${pointWords(recorded, n)}, killed ${when} it`;
      const { died, problems } = await runKilled(world, recorded, n, when, attempt);
      if (died) attempt += 1;
      if (died || problems.length > 0) points.push({ what, problems });
      // What follows a wrong end tells nothing.
      if (problems.length > 0) return points;
    }
    const met = await world.users.problems();
    return met.length === 0 ? points : [...points, { what: `${release.name}, killed ${when} request ${n}: users`, problems: met }];
  } finally {
    await world.end();
  }
}

/** Kills a command and runs it again. Polls come in numbers that differ, so it may be over before its `n`th request: then it did not die. */
async function runKilled(world: World, recorded: RecordedCommand, n: number, when: When, attempt: number) {
  if (recorded.command.prelude || n > recorded.requests.length)
    return { died: false, problems: await runAsRecorded(world, recorded, { attempt }) };
  const { outcome, fault } = await runWithFault(world, recorded, n, { action: `kill-${when}` }, { attempt });
  if (fault.fired === 0) return { died: false, problems: await differsFromRecorded(world, recorded, outcome) };
  if (outcome.signal !== 'SIGKILL') return { died: true, problems: [`was not killed: ${told(outcome)}`] };
  return { died: true, problems: await runAsRecorded(world, recorded, { attempt: attempt + 1 }) };
}
