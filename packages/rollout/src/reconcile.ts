import { type KubeClient, readWorkload, resources } from '@slipway/cluster';
import { formatDuration, OperationError } from '@slipway/core';
import type { Command } from './command.js';
import type { RolloutDeps } from './deps.js';
import { recordName, rolloutStore } from './rollout-record.js';
import { type Finished, runCommand } from './run-command.js';
import { isActive, isGoingBack, type RolloutState } from './state.js';
import { isPaused, nameOf, nothingToDo, somebodyWorks, type Verdict } from './verdicts.js';

/** Time between two looks, milliseconds. */
const LOOK_EVERY = 5_000;

/** Why nobody has to look after a rollout; `guarded`: somebody has to. */
export type Standing = 'at-rest' | 'paused' | 'guarded';

/**
 * Whether a rollout is meant to go on by itself. watchdog/watchdog.mjs goes by the same rule; it leaves alone what only a command can finish
 * (a promotion, an undo), because all that it has is the patch for the route. Pure.
 */
export function standingOf(state: RolloutState | undefined): Standing {
  if (!isActive(state)) return 'at-rest';
  // Nothing pauses a way back.
  const forward = state.phase === 'starting' || state.phase === 'progressing';
  return forward && state.paused ? 'paused' : 'guarded';
}

export interface Reconciled extends Finished {
  /** Users were sent back by this run. */
  rolledBack: boolean;
}

/**
 * Brings a rollout to its end whose run has died, for a workflow that sweeps up after others. A run is dead when neither the state nor the lease is
 * written for `quiet` milliseconds, by this process's clock; one that lives writes the state with each window of an analysis, and renews its
 * lease every 15 s.
 *
 * Then users are sent back, with two exceptions: a promotion that stable has begun to get is finished (that it may be was decided before it
 * began; taking it back would replace every pod once more, and one that does not get ready is taken back in any case), and what is on its way
 * back goes on.
 *
 * Reasons of errors: those of {@link runCommand}.
 */
export async function reconcile(deps: RolloutDeps, { quiet }: { quiet: number }): Promise<Reconciled> {
  const seen = await look(deps);
  const { state } = seen;
  if (!isActive(state)) return left(nothingToDo(state), state);
  if (standingOf(state) === 'paused' && state.paused) return left({ ...isPaused(state, state.paused), outcome: 'skipped' }, state);
  deps.context.log.info(`${state.id} is ${state.phase}: looking for ${formatDuration(quiet)} whether its run is alive.`);
  if (!(await isSilent(deps, seen, quiet))) return left(somebodyWorks(state), state);
  return finish(deps, state, quiet);
}

function left(verdict: Verdict, state: RolloutState | undefined): Reconciled {
  return { verdict, state, rolledBack: false };
}

interface Seen {
  state: RolloutState | undefined;
  /** Changes with every write of the state or the lease. */
  version: string;
}

async function look({ client: initial, target, context }: RolloutDeps): Promise<Seen> {
  const client = initial.withSignal(context.signal);
  const stored = await rolloutStore(client, target.namespace, target.workload).read();
  return { state: stored?.value, version: `${stored?.resourceVersion} ${await leaseVersion(client, target)}` };
}

async function leaseVersion(client: KubeClient, { namespace, workload }: RolloutDeps['target']): Promise<string> {
  return (await client.find(resources.leases, namespace, recordName(workload)))?.metadata.resourceVersion ?? '';
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

async function finish(deps: RolloutDeps, state: RolloutState, quiet: number): Promise<Reconciled> {
  const command = await commandFor(deps, state, quiet);
  try {
    const { verdict, state: rested } = await runCommand(deps, command);
    if (verdict.outcome === 'skipped') return { verdict, state: rested, rolledBack: false };
    const atRest = rested !== undefined && rested.id === state.id && !isActive(rested);
    const rolledBack = atRest && (rested.phase === 'aborted' || rested.phase === 'undone');
    // A promotion that did not get ready was taken back: no pass for the release, but an end.
    const ended = atRest && (verdict.outcome === 'pass' || (command.kind === 'promote' && rolledBack));
    return { verdict: ended ? reconciled(state, verdict, quiet) : verdict, state: rested, rolledBack };
  } catch (error) {
    // One that came between our last look and our first write.
    if (error instanceof OperationError && error.reason === 'LEASE_HELD') return left(somebodyWorks(state), state);
    throw error;
  }
}

async function commandFor(deps: RolloutDeps, state: RolloutState, quiet: number): Promise<Command> {
  if (state.phase === 'promoting' && (await hasNewImage(deps, state))) return { kind: 'promote', version: state.version };
  const summary = isGoingBack(state) ? '' : `the run that moved users was silent for ${formatDuration(quiet)}.`;
  return { kind: 'roll-back', reason: 'RUNNER_LOST', summary, generation: state.generation };
}

/** With a controller (Argo Rollouts, Flagger) the template is new from the first step on, and the controller promotes by itself. */
async function hasNewImage({ client, context }: RolloutDeps, { target, image }: RolloutState): Promise<boolean> {
  if (target.engine !== 'native') return true;
  const stable = await readWorkload(client.withSignal(context.signal), target.namespace, target.workload, target.container);
  return stable.image === image.to;
}

/** The release may have failed, but the sweeper did what it is for. */
function reconciled(state: RolloutState, verdict: Verdict, quiet: number): Verdict {
  return {
    outcome: 'pass',
    reason: 'RECONCILED',
    summary: `The run of ${nameOf(state)} had died (nothing was written for ${formatDuration(quiet)} while it was ${state.phase}). ${verdict.summary}`,
    ...(verdict.next ? { next: verdict.next } : {}),
  };
}
