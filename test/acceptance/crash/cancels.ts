import type { LoggedRequest } from '@slipway/sandbox';
import type { ActionOutcome, RunningAction } from '../run-action.js';
import { endedAsRecorded, pointWords, runAsRecorded } from './disturb.js';
import { isNamed } from './injected.js';
import type { Cell, Point } from './points.js';
import { type RecordedCommand, type Recording, told } from './recording.js';
import { comesToRest, readState, withoutRecords } from './rest.js';
import { openWorld, type World } from './world.js';

/** How long the API server takes for every answer from the cancellation on, and by when users must be safe; milliseconds. */
export interface Slowness {
  latency: number;
  safeWithin: number;
}

export const quick: Slowness = { latency: 300, safeWithin: 2_000 };
/** A route that is on its way when the signal comes is waited for, a second at most; then it is read and patched. Before GitHub's SIGTERM. */
export const slow: Slowness = { latency: 2_000, safeWithin: 6_500 };

/** What GitHub's runner gives a cancelled step: SIGTERM 7.5 s after SIGINT, SIGKILL 2.5 s later. */
const [untilTerm, untilKill] = [7_500, 10_000];

/** Numbers of the requests with which something begins: every write, and what follows it. */
export function stepsOf({ requests }: RecordedCommand): number[] {
  const isWrite = (request: LoggedRequest | undefined) => request !== undefined && request.method !== 'GET';
  return requests.filter((request, index) => isWrite(request) || isWrite(requests[index - 1])).map(({ n }) => n);
}

/** A release whose command number `index` is cancelled at its `n`th request, as GitHub does it, `post` step included. */
export function cancelCell(recording: Recording, index: number, n: number, slowness: Slowness): Cell {
  const { name } = recording.release;
  return {
    group: `cancelled, answers after ${slowness.latency} ms: ${name}`,
    name: `${name}, command ${index + 1} cancelled at request ${n}`,
    run: () => run(recording, index, n, slowness),
  };
}

async function run({ release, before, commands }: Recording, index: number, n: number, slowness: Slowness): Promise<Point[]> {
  const world = await openWorld(release.router);
  try {
    for (const recorded of commands.slice(0, index)) {
      const problems = await runAsRecorded(world, recorded, {});
      if (problems.length > 0) return [{ what: `${release.name}: ${pointWords(recorded, 0)}, undisturbed`, problems }];
    }
    const recorded = commands[index] as RecordedCommand;
    const ended = await cancelled(world, recorded, n, slowness);
    // Over before its nth request: there was nothing to cancel.
    if (ended === undefined) return [];
    const { main, post, safeAfter } = ended;
    const problems = [
      ...lateness(main, recorded, n, safeAfter, slowness),
      ...(isTold(main, recorded) ? [] : [`main: ${told(main)}`]),
      ...(post.code === 0 && !warned(post) ? [] : [`post: ${told(post)}`]),
      ...(await endsRight(world, main, recorded, before)),
      ...(await world.users.problems()),
    ];
    const what = `${release.name}: ${pointWords(recorded, n)}, cancelled, answers after ${slowness.latency} ms`;
    return [{ what, problems, milliseconds: safeAfter }];
  } finally {
    await world.end();
  }
}

/** Anything but that its clock, which goes faster here, is not the API server's. */
function warned({ stdout }: ActionOutcome): boolean {
  return stdout.split('\n').some((line) => line.startsWith('::warning') && !line.includes("This machine's clock"));
}

/** The end of `main`: it did what it was to do, it says that it was cancelled or why it failed, or the runner's patience was over. */
function isTold(main: ActionOutcome, recorded: RecordedCommand): boolean {
  return hasDone(main, recorded) || main.outputs.reason === 'CANCELLED' || isNamed(main) || main.signal !== null;
}

function hasDone(main: ActionOutcome, recorded: RecordedCommand): boolean {
  return endedAsRecorded(main, recorded) && main.outputs.reason === recorded.reason;
}

/**
 * Users must be safe in time. A run that has not read the route yet knows nothing to send; one that has done its work leaves the rest to the job:
 * there the `post` step sends users back, which takes as long as its requests.
 */
function lateness(
  main: ActionOutcome,
  recorded: RecordedCommand,
  n: number,
  safeAfter: number,
  { latency, safeWithin }: Slowness,
): string[] {
  const knowsRouteAt = recorded.requests.find(({ path }) => path.includes('/virtualservices'))?.n ?? 0;
  const byPost = n <= knowsRouteAt || hasDone(main, recorded);
  const most = byPost ? 20_000 + 10 * latency : safeWithin;
  return safeAfter <= most || (hasDone(main, recorded) && safeAfter === Number.POSITIVE_INFINITY)
    ? []
    : [`users were safe only after ${safeAfter} ms`];
}

/** All as it would have been undisturbed when the signal came too late, else all as it was before the release. */
async function endsRight(world: World, main: ActionOutcome, recorded: RecordedCommand, before: Recording['before']): Promise<string[]> {
  const state = readState(world.sandbox);
  const phase: string = state?.phase ?? 'none';
  if (phase === 'promoted') return comesToRest(world.sandbox, withoutRecords(recorded.rest));
  if (phase === 'aborted' || phase === 'undone' || phase === 'none') return comesToRest(world.sandbox, withoutRecords(before));
  return hasDone(main, recorded) ? comesToRest(world.sandbox, recorded.rest) : [`the rollout is ${phase}`];
}

/** What became of a cancelled run, its `post` step, and the users: milliseconds from SIGINT until nobody was routed to the canary for good. */
interface Cancelled {
  main: ActionOutcome;
  post: ActionOutcome;
  safeAfter: number;
}

/** Runs a command that is cancelled at its `n`th request, then its `post` step; undefined: it came to its end before. */
async function cancelled(world: World, { command }: RecordedCommand, n: number, { latency }: Slowness): Promise<Cancelled | undefined> {
  const { faults, requestLog } = world.sandbox;
  let sentAt: number | undefined;
  let safeAt = 0;
  let weight = world.users.weight();
  const stopLooking = world.sandbox.on('write', ({ at }) => {
    if (weight > 0 && world.users.weight() === 0) safeAt = at;
    weight = world.users.weight();
  });
  requestLog.reset();
  let interrupt: () => void = () => undefined;
  faults.add({ at: n, action: 'delay', ms: 0, onStrike: () => interrupt() });
  const running = world.start(command, { clock: world.realPace() });
  const timers: NodeJS.Timeout[] = [];
  interrupt = () => {
    sentAt = Date.now();
    faults.latency = { ms: latency };
    timers.push(...interruptAsGitHub(running));
  };
  const main = await running.finished;
  for (const timer of timers) clearTimeout(timer);
  // What is left to put away is not measured: only users who still meet the canary are waited for at that pace.
  if (weight === 0) faults.clear();
  const post = await world.start(command, { phase: 'post', state: main.state, clock: world.realPace() }).finished;
  faults.clear();
  stopLooking();
  if (sentAt === undefined) return undefined;
  return { main, post, safeAfter: weight > 0 ? Number.POSITIVE_INFINITY : Math.max(0, safeAt - sentAt) };
}

function interruptAsGitHub({ child }: RunningAction): NodeJS.Timeout[] {
  child.kill('SIGINT');
  return [setTimeout(() => child.kill('SIGTERM'), untilTerm), setTimeout(() => child.kill('SIGKILL'), untilKill)];
}
