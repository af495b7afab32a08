import { readWorkload, type TrafficRouter, type Workload } from '@slipway/cluster';
import { guard } from './abort-now.js';
import { type Acceptance, accept, goingBack } from './accept.js';
import type { Bench } from './act.js';
import { initialState, refuseHopeless } from './begin.js';
import type { Circumstances, Command } from './command.js';
import type { RolloutDeps } from './deps.js';
import { drive } from './drive.js';
import { settledVerdict } from './settled-verdict.js';
import { isActive, isGoingBack, type RolloutState } from './state.js';
import type { RolloutTarget } from './target.js';
import type { Verdict } from './verdicts.js';
import { type Held, withLease } from './with-lease.js';
import { readWorld, routerOf, type World } from './world.js';

/** How a command ended, and where the rollout stands then. */
export interface Finished {
  verdict: Verdict;
  /** Undefined when there never was a rollout of this target. */
  state: RolloutState | undefined;
}

/**
 * Runs one command of a rollout, under the target's lease: takes up what an earlier run left, does what is asked, and comes to rest.
 * Running it again after any interruption ends in the same state.
 *
 * Reasons of errors: those of the cluster package, LEASE_HELD, LEASE_LOST, ROLLOUT_SUPERSEDED.
 */
export async function runCommand(deps: RolloutDeps, command: Command): Promise<Finished> {
  return withLease(deps, async (held) => {
    for (;;) {
      const state = held.record.state;
      const stable = await readStable(deps, state, held);
      const bench = benchOf(deps, state, held, stable.replicas);
      const world = await readWorld(bench.client, bench.deps.target, stable, routed(command, state, bench.router));
      const acceptance = accept(command, state, deps.target.steps, circumstances(deps, world));
      if (acceptance.kind === 'end') return end(acceptance, held);
      const rested = await bringAbout(acceptance, world, bench, held);
      if (acceptance.kind === 'go' || acceptance.kind === 'begin' || rested.cancelled) return finish(command, rested, held);
    }
  });
}

async function end({ verdict, state }: Extract<Acceptance, { kind: 'end' }>, { record }: Held): Promise<Finished> {
  if (state && state.stepBy !== record.state?.stepBy) await record.write(state);
  return { verdict, state: record.state };
}

interface Rested {
  state: RolloutState;
  cancelled: boolean;
}

async function bringAbout(acceptance: Exclude<Acceptance, { kind: 'end' }>, world: World, bench: Bench, held: Held): Promise<Rested> {
  if (acceptance.kind !== 'begin') return driveGuarded(acceptance.state, world, bench, held);
  await refuseHopeless(acceptance, world, bench);
  const { weight, image } = acceptance;
  const state = await held.record.write(
    await initialState(acceptance, world, bench),
    `begin ${image}${weight > 0 ? ` at ${weight} %` : ''}`,
  );
  const begun = benchOf(bench.deps, state, held, state.replicas);
  // The router that knows the snapshot has read nothing yet, and a cancellation needs its patch prepared.
  if (state.kind === 'canary') await begun.router.read();
  return driveGuarded(state, world, begun, held);
}

/** Drives to rest; on a cancellation users are sent back first, then the state says so for whoever finishes it (`post`, or a re-run). */
async function driveGuarded(state: RolloutState, world: World, bench: Bench, held: Held): Promise<Rested> {
  const { context, onCancel = 'rollback' } = bench.deps;
  const guarded = onCancel === 'rollback' && state.kind === 'canary' && state.phase !== 'undoing';
  const watch = guarded ? guard(bench.router, context.signal, context.log) : undefined;
  try {
    const rested = await drive(state, world, held.record, bench);
    if (watch?.sent() === undefined) return { state: rested, cancelled: false };
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    watch?.disarm();
  }
  await watch?.sent();
  return { state: await recordCancelled(held, onCancel), cancelled: true };
}

async function recordCancelled({ record }: Held, onCancel: 'rollback' | 'hold'): Promise<RolloutState> {
  const state = record.state as RolloutState;
  if (onCancel === 'hold' || !isActive(state) || isGoingBack(state)) return state;
  return record.write(goingBack(state, 'aborting', { reason: 'CANCELLED', summary: 'The run was cancelled.' }), 'back: CANCELLED');
}

function finish(command: Command, { state, cancelled }: Rested, { record }: Held): Finished {
  return { verdict: cancelled ? cancelledVerdict(state) : settledVerdict(command, state), state: record.state };
}

function cancelledVerdict(state: RolloutState): Verdict {
  const back = isGoingBack(state);
  return {
    outcome: 'fail',
    reason: 'CANCELLED',
    summary: back
      ? `The run was cancelled; users were sent back to ${state.image.from}.`
      : `The run was cancelled; the rollout is left as it is (${state.phase}, ${state.weight} %).`,
    next: [
      back
        ? 'What is left of the canary is removed by this action’s post step, or by `abort`.'
        : 'Run the same command again to go on, or `abort` to send users back.',
    ],
  };
}

/** A rollout goes by the target that it began with, whatever slipway.yml says by now. */
function targetOf(deps: RolloutDeps, state: RolloutState | undefined): RolloutTarget {
  return isActive(state) ? state.target : deps.target;
}

function readStable(deps: RolloutDeps, state: RolloutState | undefined, { signal }: Held): Promise<Workload> {
  const { namespace, workload, container } = targetOf(deps, state);
  return readWorkload(deps.client.withSignal(signal), namespace, workload, container);
}

function benchOf(deps: RolloutDeps, state: RolloutState | undefined, { signal }: Held, replicas: number): Bench {
  const target = targetOf(deps, state);
  const { clock } = deps.context;
  const client = deps.client.withSignal(signal);
  const rollout = isActive(state) ? state : undefined;
  const router = routerOf(client, target, { clock, signal, replicas: rollout?.replicas ?? replicas, state: rollout });
  return { deps: { ...deps, target }, client, router, signal };
}

/** The router is asked only where a canary is, or is about to be. */
function routed(command: Command, state: RolloutState | undefined, router: TrafficRouter): TrafficRouter | null {
  if (isActive(state)) return state.kind === 'canary' && state.phase !== 'undoing' ? router : null;
  return command.kind === 'start' ? router : null;
}

function circumstances({ configHash, context }: RolloutDeps, { stable }: World): Circumstances {
  return { stableImage: stable.image, configHash, holder: context.holder, now: new Date(context.clock.now()).toISOString() };
}
