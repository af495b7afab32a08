import { cancelCell, quick, slow, stepsOf } from './cancels.js';
import { concurrentCell } from './concurrent.js';
import { troubleCells, troubles } from './injected.js';
import { killCells } from './kills.js';
import { type Cell, sample } from './points.js';
import { type RecordedCommand, type Recording, record } from './recording.js';
import { abortedByPods, abortedCanary, goodByPods, goodCanary, judgedCanary, releases, undone } from './releases.js';
import { takeoverCell } from './takeovers.js';
import { unusualCells } from './unusual.js';

/** Every release as it goes undisturbed, by name. */
export type Recordings = ReadonlyMap<string, Recording>;

export async function recordAll(): Promise<Recordings> {
  const recordings = await Promise.all(releases.map(record));
  return new Map(recordings.map((recording) => [recording.release.name, recording]));
}

/** Everything that is to be proved, the longest first. */
export function planOf(recordings: Recordings): Cell[] {
  const of = ({ name }: { name: string }) => recordings.get(name) as Recording;
  return [
    ...takeovers(of(goodCanary)),
    ...unusualCells,
    ...cancels(of(goodCanary)),
    ...cancels(of(judgedCanary)),
    ...cancels(of(abortedCanary)),
    ...releases.flatMap((release) => [...killCells(of(release), 'before'), ...killCells(of(release), 'after')]),
    ...[goodCanary, abortedCanary].flatMap((release) => troubles.flatMap((trouble) => troubleCells(of(release), trouble))),
    // Where pods are the route, and in an analysis, other requests are sent; the same client repeats them.
    ...[judgedCanary, goodByPods, abortedByPods, undone].flatMap((release) =>
      troubles.flatMap((trouble) => sample(troubleCells(of(release), trouble), 6)),
    ),
    ...concurrent(of(goodCanary)),
  ];
}

function disturbed({ commands }: Recording): [RecordedCommand, number][] {
  return commands.map((recorded, index): [RecordedCommand, number] => [recorded, index]).filter(([recorded]) => !recorded.command.prelude);
}

function cancels(recording: Recording): Cell[] {
  return disturbed(recording).flatMap(([recorded, index]) => {
    const steps = stepsOf(recorded);
    return [
      ...steps.map((n) => cancelCell(recording, index, n, quick)),
      ...sample(steps, 5).map((n) => cancelCell(recording, index, n, slow)),
    ];
  });
}

/** Each waits for a lease's minute; they are spread over the requests of each command. */
function takeovers(recording: Recording): Cell[] {
  return disturbed(recording).flatMap(([recorded, index]) => {
    const numbers = recorded.requests.map(({ n }) => n);
    return [
      ...sample(numbers, 4).map((n) => takeoverCell(recording, index, n, 'SIGKILL')),
      ...sample(stepsOf(recorded), 5).map((n) => takeoverCell(recording, index, n, 'SIGSTOP')),
    ];
  });
}

function concurrent(recording: Recording): Cell[] {
  return disturbed(recording).flatMap(([recorded, index]) => {
    const numbers = recorded.requests.map(({ n }) => n);
    return [
      ...sample(numbers, 8).map((n) => concurrentCell(recording, index, n, 'the same job')),
      ...sample(numbers, 3).map((n) => concurrentCell(recording, index, n, 'another release')),
      ...sample(numbers, 3).map((n) => concurrentCell(recording, index, n, 'an abort')),
    ];
  });
}
