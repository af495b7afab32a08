import { describe, expect, it } from '@jest/globals';
import { cancelCell, quick, stepsOf } from './cancels.js';
import { concurrentCell } from './concurrent.js';
import { troubleCells, troubles } from './injected.js';
import { killCell } from './kills.js';
import { type Point, runCells, sample } from './points.js';
import { type RecordedCommand, type Recording, record } from './recording.js';
import { goodCanary, judgedCanary } from './releases.js';

/** A sample of what `node scripts/run-ts.mjs test/acceptance/crash/main.ts` shows for every request. */
describe('a release that is disturbed', () => {
  it('ends as the undisturbed one, and no user meets a track without pods', async () => {
    const [good, judged] = await Promise.all([record(goodCanary), record(judgedCanary)]);
    const step = good.commands[1] as RecordedCommand;
    const cells = [
      ...[4, 13].map((n) => killCell(good, n, 'before')),
      ...[16, 25].map((n) => killCell(good, n, 'after')),
      killCell(judged, requestsOf(judged) - 10, 'after'),
      ...troubles.flatMap((trouble) => sample(troubleCells(good, trouble), 1)),
      ...sample(stepsOf(step), 2).map((n) => cancelCell(good, 1, n, quick)),
      concurrentCell(good, 0, 15, 'the same job'),
    ];
    const groups = await runCells(cells, 6);
    const points = [...groups.values()].flat();
    expect(points.filter(({ problems }) => problems.length > 0)).toEqual([]);
    expect(killed(groups)).toBeGreaterThanOrEqual(8);
  }, 180_000);
});

function requestsOf({ commands }: Recording): number {
  return commands.at(-1)?.requests.length ?? 0;
}

/** How often a command was really killed: a cut point that is not reached shows nothing. */
function killed(groups: ReadonlyMap<string, readonly Point[]>): number {
  return [...groups].filter(([group]) => group.startsWith('SIGKILL')).flatMap(([, points]) => points).length;
}
