import type { ActionOutcome } from '../run-action.js';
import { endedAsRecorded, pointWords, runAsRecorded } from './disturb.js';
import { isNamed } from './injected.js';
import type { Cell, Point } from './points.js';
import { type RecordedCommand, type Recording, told } from './recording.js';
import { abort, type Command, start } from './releases.js';
import { comesToRest, readState, withoutRecords } from './rest.js';
import { type How, openWorld, type World } from './world.js';

/** What comes in between: a second run that begins when the first is at its `n`th request. */
type Second = 'the same job' | 'another release' | 'an abort';

export function concurrentCell(recording: Recording, index: number, n: number, second: Second): Cell {
  return {
    group: `two runs at once: ${second}`,
    name: `${recording.release.name}, command ${index + 1}, ${second} at request ${n}`,
    run: () => run(recording, index, n, second),
  };
}

async function run({ release, before, commands }: Recording, index: number, n: number, second: Second): Promise<Point[]> {
  const world = await openWorld(release.router);
  try {
    for (const recorded of commands.slice(0, index)) await runAsRecorded(world, recorded, {});
    const recorded = commands[index] as RecordedCommand;
    const [one, other] = await runBoth(world, recorded, n, second);
    const named = [one, other].filter((end) => end.code !== 0 && !isNamed(end)).map((end) => told(end));
    const right = await endsRight(world, second, recorded, before, one, other);
    const problems = [...named, ...right, ...(await world.users.problems())];
    return [{ what: `${release.name}: ${pointWords(recorded, n)}, then ${second} at once`, problems }];
  } finally {
    await world.end();
  }
}

async function runBoth(world: World, { command }: RecordedCommand, n: number, second: Second): Promise<[ActionOutcome, ActionOutcome]> {
  const { faults, requestLog } = world.sandbox;
  const [late, how]: [Command, How] =
    second === 'the same job' ? [command, {}] : second === 'an abort' ? [abort, { job: 'person' }] : [start('v1.5.0'), { job: 'newer' }];
  requestLog.reset();
  let other: Promise<ActionOutcome> | undefined;
  faults.add({
    at: n,
    action: 'delay',
    ms: 0,
    onStrike: () => {
      other = world.start(late, how).finished;
    },
  });
  const one = await world.start(command).finished;
  faults.clear();
  return [one, await (other ?? world.start(late, how).finished)];
}

async function endsRight(
  world: World,
  second: Second,
  recorded: RecordedCommand,
  before: Recording['before'],
  one: ActionOutcome,
  other: ActionOutcome,
): Promise<string[]> {
  // Whichever of the two did it, and also when neither did: run again it is done.
  if (second === 'the same job') return runAsRecorded(world, recorded, { attempt: 2 });
  const unharmed = endedAsRecorded(one, recorded) ? [] : [`the first: ${told(one)}`];
  if (second === 'another release') {
    if (other.code !== 0) return [...unharmed, ...(await comesToRest(world.sandbox, recorded.rest))];
    return [...unharmed, ...beganAfterwards(recorded, readState(world.sandbox))];
  }
  if (other.code !== 0) return [...unharmed, ...(await comesToRest(world.sandbox, recorded.rest))];
  const phase = readState(world.sandbox)?.phase;
  const back = phase === 'promoted' ? withoutRecords(recorded.rest) : withoutRecords(before);
  return comesToRest(world.sandbox, back);
}

/** It may have waited for the promotion to end, and have begun from there; a release that is on its way must not be replaced. */
function beganAfterwards({ rest: { rollout } }: RecordedCommand, state: { image?: { from?: string } } | null): string[] {
  if (rollout?.phase === 'promoted' && state?.image?.from === rollout.to) return [];
  return [`both releases were accepted; the second replaces ${state?.image?.from}`];
}
