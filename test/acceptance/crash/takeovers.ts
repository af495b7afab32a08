import { setTimeout as sleep } from 'node:timers/promises';
import { pointWords, runAsRecorded } from './disturb.js';
import { isNamed } from './injected.js';
import type { Cell, Point } from './points.js';
import { type RecordedCommand, type Recording, told } from './recording.js';
import { abort } from './releases.js';
import { comesToRest, readState, withoutRecords } from './rest.js';
import { openWorld, type World } from './world.js';

/** Time goes six times as fast for both sides, so that the minute of a lease is ten seconds. */
const rate = 6;
const leaseSeconds = 60;

type Fate = 'SIGKILL' | 'SIGSTOP';

/**
 * A command dies at its `n`th request (SIGKILL), or stands still for longer than its lease and then goes on (SIGSTOP: a suspended machine).
 * Meanwhile another job aborts: it has to wait for the lease, and then sends everybody back.
 */
export function takeoverCell(recording: Recording, index: number, n: number, fate: Fate): Cell {
  const words = fate === 'SIGKILL' ? 'dead' : 'suspended';
  return {
    group: `another job aborts, the first is ${words}`,
    name: `${recording.release.name}, command ${index + 1} ${words} at request ${n}`,
    run: () => run(recording, index, n, fate),
  };
}

async function run({ release, before, commands }: Recording, index: number, n: number, fate: Fate): Promise<Point[]> {
  const world = await openWorld(release.router);
  try {
    for (const recorded of commands.slice(0, index)) {
      const problems = await runAsRecorded(world, recorded, {});
      if (problems.length > 0) return [{ what: `${release.name}: ${pointWords(recorded, 0)}, undisturbed`, problems }];
    }
    const recorded = commands[index] as RecordedCommand;
    const problems = await takeOver(world, recorded, n, fate, before);
    return [{ what: `${release.name}: ${pointWords(recorded, n)}, ${fate}, then another job aborts`, problems }];
  } finally {
    await world.end();
  }
}

async function takeOver(
  world: World,
  { command, rest }: RecordedCommand,
  n: number,
  fate: Fate,
  before: Recording['before'],
): Promise<string[]> {
  const { sandbox } = world;
  const clock = { rate };
  sandbox.requestLog.reset();
  let struck: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    struck = resolve;
  });
  let strike: () => void = () => undefined;
  sandbox.faults.add({ at: n, action: 'delay', ms: 0, onStrike: () => strike() });
  const first = world.start(command, { clock });
  strike = () => {
    first.child.kill(fate);
    struck();
  };
  await Promise.race([reached, first.finished]);
  sandbox.faults.clear();
  await sleep(50); // the request that was on its way is done
  const lease = sandbox.find('Lease', 'shop', 'slipway-shop')?.spec ?? {};
  const second = await world.start(abort, { job: 'cleanup', clock }).finished;
  if (fate === 'SIGSTOP') first.child.kill('SIGCONT');
  const end = await first.finished;

  const early = takenOverEarly(lease, sandbox.get('Lease', 'shop', 'slipway-shop').spec);
  const refused = second.code === 0 ? [] : [`the abort: ${told(second)}`];
  const unnamed = fate === 'SIGSTOP' && end.code !== 0 && !isNamed(end) ? [`the first: ${told(end)}`] : [];
  const promoted = readState(sandbox)?.phase === 'promoted';
  const expected = withoutRecords(promoted ? rest : before);
  const left = await comesToRest(sandbox, expected);
  const because = left.length > 0 && fate === 'SIGSTOP' ? [`the first went on and ended with ${told(end)}`] : [];
  return [...early, ...refused, ...unnamed, ...left, ...because, ...(await world.users.problems())];
}

interface LeaseSpec {
  holderIdentity?: string;
  renewTime?: string;
  acquireTime?: string;
}

/** By the commands' clocks, which agree: between the last renewal of a holder and the next one's taking it over. */
function takenOverEarly(held: LeaseSpec, taken: LeaseSpec): string[] {
  if (!held.holderIdentity) return [];
  const seconds = (Date.parse(taken.acquireTime ?? '') - Date.parse(held.renewTime ?? '')) / 1000;
  return seconds >= leaseSeconds ? [] : [`the lease was taken over ${seconds} s after it was renewed`];
}
