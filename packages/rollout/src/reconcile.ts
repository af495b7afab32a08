import { type KubeObject, readWorkload, resources } from '@slipway/cluster';
import { formatDuration, OperationError } from '@slipway/core';
import type { Command } from './command.js';
import type { RolloutDeps } from './deps.js';
import { recordName, rolloutStore } from './rollout-record.js';
import { type Finished, runCommand } from './run-command.js';
import { isActive, isGoingBack, type RolloutState } from './state.js';
import { isPaused, nameOf, nothingToDo, somebodyWorks, type Verdict } from './verdicts.js';

/** Time between two looks, milliseconds. */
const LOOK_EVERY = 5_000;

/**
 * What a rollout waits for. `at-rest`, `paused`: for nothing, nobody has to look after it. `at-work`: for a run that writes all the time while it
 * lives. `between-jobs`: for the workflow's next job, or a person; nobody writes meanwhile.
 */
export type Standing = 'at-rest' | 'paused' | 'at-work' | 'between-jobs';

/**
 * Where a rollout stands; `holder`: whom its Lease names. watchdog/watchdog.mjs goes by the same rule; it leaves alone what only a command can
 * finish (a promotion, an undo), because all that it has is the patch for the route. Pure.
 */
export function standingOf(state: RolloutState | undefined, holder: string | undefined): Standing {
  if (!isActive(state)) return 'at-rest';
  // Nothing pauses a way back.
  const forward = state.phase === 'starting' || state.phase === 'progressing';
  if (forward && state.paused) return 'paused';
  return holder || state.stepStartedAt === null || state.evidence?.running === true ? 'at-work' : 'between-jobs';
}

/** How long nobody may write, milliseconds. */
export interface Patience {
  /** While a run is at work. */
  quiet: number;
  /** Between two jobs. */
  rest: number;
}

export interface Reconciled extends Finished {
  /** Users were sent back by this run. */
  rolledBack: boolean;
}

/**
 * Brings a rollout to its end whose run has died, for a workflow that sweeps up after others. A run at work is dead when neither the state nor
 * the lease is written for `quiet` milliseconds, by this process's clock; one that lives writes the state with each window of an analysis, and
 * renews its lease every 15 s. One that rests between two jobs is not waited for: it is forgotten when its last write, by the API server's own
 * time, is `rest` milliseconds ago; when that cannot be known, it is left alone.
 *
 * Then users are sent back, with two exceptions: a promotion that stable has begun to get is finished (that it may be was decided before it
 * began; taking it back would replace every pod once more, and one that does not get ready is taken back in any case), and what is on its way
 * back goes on.
 *
 * Reasons of errors: those of {@link runCommand}.
 */
export async function reconcile(deps: RolloutDeps, { quiet, rest }: Patience): Promise<Reconciled> {
  const seen = await look(deps);
  const { state } = seen;
  if (!isActive(state)) return left(nothingToDo(state), state);
  const standing = standingOf(state, holderOf(seen));
  if (standing === 'paused' && state.paused) return left({ ...isPaused(state, state.paused), outcome: 'skipped' }, state);
  if (standing === 'between-jobs') {
    const since = await lastWrite(deps, seen);
    const forgotten = since !== undefined && deps.context.clock.now() - since >= rest;
    return forgotten ? finish(deps, state, { standing, silent: rest }) : left(isResting(state, since, rest), state);
  }
  deps.context.log.info(`${state.id} is ${state.phase}: looking for ${formatDuration(quiet)} whether its run is alive.`);
  if (!(await isSilent(deps, seen, quiet))) return left(somebodyWorks(state), state);
  return finish(deps, state, { standing: 'at-work', silent: quiet });
}

function left(verdict: Verdict, state: RolloutState | undefined): Reconciled {
  return { verdict, state, rolledBack: false };
}

interface Seen {
  state: RolloutState | undefined;
  lease: KubeObject | undefined;
  /** Changes with every write of the state or the lease. */
  version: string;
}

async function look({ client: initial, target, context }: RolloutDeps): Promise<Seen> {
  const client = initial.withSignal(context.signal);
  const stored = await rolloutStore(client, target.namespace, target.workload).read();
  const lease = await client.find(resources.leases, target.namespace, recordName(target.workload));
  return { state: stored?.value, lease, version: `${stored?.resourceVersion} ${lease?.metadata.resourceVersion}` };
}

function holderOf({ lease }: Seen): string | undefined {
  return lease?.spec?.holderIdentity;
}

/** When state or lease were last written, as the API server noted it, in milliseconds; undefined: it did not note it. */
async function lastWrite({ client, target, context }: RolloutDeps, { lease }: Seen): Promise<number | undefined> {
  const stored = await client.withSignal(context.signal).find(resources.configmaps, target.namespace, recordName(target.workload));
  const written = timesOf(stored);
  return written.length === 0 ? undefined : Math.max(...written, ...timesOf(lease));
}

function timesOf(object: KubeObject | undefined): number[] {
  const entries: { time?: unknown }[] = object?.metadata.managedFields ?? [];
  return entries.map(({ time }) => Date.parse(String(time))).filter((time) => !Number.isNaN(time));
}

/** False as soon as something is written. Only time that was looked at counts, not that in which this process stood still. */
async function isSilent(deps: RolloutDeps, first: Seen, quiet: number): Promise<boolean> {
  const { clock, signal } = deps.context;
  let before = clock.now();
  for (let silent = 0; silent < quiet; ) {
    await clock.sleep(Math.min(LOOK_EVERY, quiet - silent), signal);
    const { version } = await look(deps);
    if (version !== first.version) return false;
    const now = clock.now();
    silent += Math.min(now - before, 2 * LOOK_EVERY);
    before = now;
  }
  return true;
}

/** Why a rollout is ended: nobody wrote for `silent` milliseconds. */
interface Silence {
  standing: 'at-work' | 'between-jobs';
  silent: number;
}

async function finish(deps: RolloutDeps, state: RolloutState, silence: Silence): Promise<Reconciled> {
  const command = await commandFor(deps, state, silence);
  try {
    const { verdict, state: rested } = await runCommand(deps, command);
    if (verdict.outcome === 'skipped') return { verdict, state: rested, rolledBack: false };
    const atRest = rested !== undefined && rested.id === state.id && !isActive(rested);
    const rolledBack = atRest && (rested.phase === 'aborted' || rested.phase === 'undone');
    // A promotion that did not get ready was taken back: no pass for the release, but an end.
    const ended = atRest && (verdict.outcome === 'pass' || (command.kind === 'promote' && rolledBack));
    return { verdict: ended ? reconciled(state, verdict, silence) : verdict, state: rested, rolledBack };
  } catch (error) {
    // One that came between our last look and our first write.
    if (error instanceof OperationError && error.reason === 'LEASE_HELD') return left(somebodyWorks(state), state);
    throw error;
  }
}

async function commandFor(deps: RolloutDeps, state: RolloutState, { standing, silent }: Silence): Promise<Command> {
  if (state.phase === 'promoting' && (await hasNewImage(deps, state))) return { kind: 'promote', version: state.version };
  const what = standing === 'at-work' ? 'the run that moved users was silent for' : 'nobody went on with the release for';
  const summary = isGoingBack(state) ? '' : `${what} ${formatDuration(silent)}.`;
  return { kind: 'roll-back', reason: 'RUNNER_LOST', summary, generation: state.generation };
}

/** With a controller (Argo Rollouts, Flagger) the template is new from the first step on, and the controller promotes by itself. */
async function hasNewImage({ client, context }: RolloutDeps, { target, image }: RolloutState): Promise<boolean> {
  if (target.engine !== 'native') return true;
  const stable = await readWorkload(client.withSignal(context.signal), target.namespace, target.workload, target.container);
  return stable.image === image.to;
}

/** The release may have failed, but the sweeper did what it is for. */
function reconciled(state: RolloutState, verdict: Verdict, { standing, silent }: Silence): Verdict {
  const had = standing === 'at-work' ? 'The run' : 'The workflow';
  return {
    outcome: 'pass',
    reason: 'RECONCILED',
    summary: `${had} of ${nameOf(state)} had died (nothing was written for ${formatDuration(silent)} while it was ${state.phase}). ${verdict.summary}`,
    ...(verdict.next ? { next: verdict.next } : {}),
  };
}

function isResting(state: RolloutState, since: number | undefined, rest: number): Verdict {
  const known =
    since === undefined
      ? `since when cannot be known (the API server keeps no managedFields of ConfigMap ${recordName(state.target.workload)})`
      : `since ${new Date(since).toISOString()}, which is less than ${formatDuration(rest)}`;
  return {
    outcome: 'skipped',
    reason: 'RESTING',
    summary: `${nameOf(state)} is ${state.phase} and rests between two jobs, ${known}. Nothing was changed.`,
    next: ['Its workflow goes on with `step` or `promote`. When there is none any more, run `abort`.'],
  };
}
