import type { EngineView, KubeClient } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { guard, type WayOut } from '../abort-now.js';
import { goingBack } from '../accept.js';
import type { Command } from '../command.js';
import type { RolloutDeps } from '../deps.js';
import type { Finished } from '../run-command.js';
import { settledVerdict } from '../settled-verdict.js';
import { isActive, isGoingBack } from '../state.js';
import type { Verdict } from '../verdicts.js';
import { type Held, withLease } from '../with-lease.js';
import { acceptEngine, type EngineAcceptance } from './accept-engine.js';
import { driveEngine, type EngineRested } from './drive-engine.js';
import { type EngineBench, engineBench } from './engine-bench.js';
import { atStep, type EngineState, endSeen, initialEngineState, isSeen, write } from './engine-state.js';
import { engineFor, engineKindOf } from './engine-target.js';
import { beingPromoted, heldElsewhere } from './engine-verdicts.js';

/** How often a command is decided anew, when something had to be finished first. */
const DECISIONS = 5;

/**
 * Runs one command of a rollout that a controller drives, under the target's lease and on the same record as a native one. Running it again
 * after any interruption ends in the same state.
 *
 * Reasons of errors: those of the cluster package (ENGINE_NOT_INSTALLED …), LEASE_HELD, LEASE_LOST, ROLLOUT_SUPERSEDED, ENGINE_NOT_RESPONDING.
 */
export async function runEngineCommand(deps: RolloutDeps, command: Command): Promise<Finished> {
  const back = command.kind === 'abort' || command.kind === 'roll-back';
  const body = async (held: Held) => {
    for (let decisions = 1; ; decisions++) {
      const finished = await once(deps, command, held);
      if (finished) return finished;
      if (decisions >= DECISIONS) throw restless(deps);
    }
  };
  const exists = async (client: KubeClient) => {
    const kind = engineKindOf(deps.target);
    if (kind) await engineFor(client, deps.target, kind).check();
  };
  return withLease(deps, body, { evenCorrupt: back, exists });
}

/** Decides and acts once; undefined: something had to be finished first, and the command has to be put again. */
async function once(deps: RolloutDeps, command: Command, held: Held): Promise<Finished | undefined> {
  const { record } = held;
  const target = isActive(record.state) ? record.state.target : deps.target;
  const bench = engineBench({ ...deps, target }, record, held.signal);
  const view = await bench.engine.check();
  await takeUp(view, bench);
  const at = { configHash: deps.configHash, holder: deps.context.holder, now: record.now() };
  const acceptance = acceptEngine(command, record.state, view, at);
  if (acceptance.kind === 'end') return end(acceptance, bench, held);
  const rested = await bringAbout(acceptance, view, bench);
  if (rested.cancelled) return { verdict: cancelledVerdict(rested), state: record.state };
  return acceptance.kind === 'finish' ? undefined : { verdict: verdictOf(command, rested), state: record.state };
}

/** A controller goes on while no run watches it: what it did meanwhile is taken into the record before anything is decided. */
async function takeUp(view: EngineView, bench: EngineBench): Promise<void> {
  const { record } = bench;
  if (!isActive(record.state) || isGoingBack(record.state)) return;
  const state = record.state as EngineState;
  if (endSeen(state, view) !== undefined || view.standing === 'aborted') {
    if (isSeen(state, view)) await driveEngine(state, bench);
    return;
  }
  if (view.standing === 'promoting' && state.phase === 'progressing') {
    await write(record, { ...state, phase: 'promoting' }, 'the controller promotes it');
    return;
  }
  const moved = state.phase === 'progressing' && state.stepStartedAt !== null && view.standing === 'underway' && view.step > state.step;
  if (moved) await write(record, atStep(state, view, record.now()), `the controller went on to ${view.weight} %`);
}

async function end({ verdict, state, first }: Extract<EngineAcceptance, { kind: 'end' }>, { engine, record }: EngineBench, held: Held) {
  if (first) await engine[first]();
  if (state && (state.stepBy !== record.state?.stepBy || state.paused !== record.state?.paused)) await record.write(state);
  if (verdict.reason === 'NOTHING_TO_DO' && held.corrupt) throw held.corrupt;
  return { verdict, state: record.state };
}

interface Ended extends EngineRested {
  cancelled: false | 'safe' | 'unsent' | 'held';
}

async function bringAbout(acceptance: Exclude<EngineAcceptance, { kind: 'end' }>, view: EngineView, bench: EngineBench): Promise<Ended> {
  const { record, deps } = bench;
  const state = await initial(acceptance, view, bench);
  const { context, onCancel = 'rollback' } = deps;
  const watch = guard(wayOut(state, bench, onCancel), context.signal, context.log);
  try {
    const rested = await driveEngine(state, bench);
    if (watch.sent() === undefined) return { ...rested, cancelled: false };
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    watch.disarm();
  }
  const sent = (await watch.sent()) ?? 'unsent';
  const last = (record.state ?? state) as EngineState;
  const holds = onCancel === 'hold' && !isGoingBack(last);
  if (holds || !isActive(last) || isGoingBack(last)) return { state: last, view, held: false, cancelled: holds ? 'held' : sent };
  const why = { reason: 'CANCELLED', summary: 'The run was cancelled.' };
  return {
    state: await write(record, goingBack(last, 'aborting', why) as EngineState, 'back: CANCELLED'),
    view,
    held: false,
    cancelled: sent,
  };
}

async function initial(acceptance: Exclude<EngineAcceptance, { kind: 'end' }>, view: EngineView, { record, deps }: EngineBench) {
  switch (acceptance.kind) {
    case 'begin': {
      const { image } = acceptance.beginning;
      return write(record, initialEngineState(acceptance.beginning, view, deps), `begin ${image}`);
    }
    case 'take-back': {
      const beginning = { kind: 'canary' as const, image: view.image.desired, version: null };
      const state = initialEngineState(beginning, view, deps);
      return write(record, goingBack(state, 'aborting', acceptance.why) as EngineState, `back: ${acceptance.why.reason}`);
    }
    default:
      return write(record, acceptance.state);
  }
}

/** One patch, prepared from what was last read. What was just set and not seen yet would overtake an abort, so it is taken back from the spec. */
function wayOut(state: EngineState, { engine, deps, seen, started, record }: EngineBench, onCancel: 'rollback' | 'hold'): WayOut {
  const free = deps.client.withSignal(undefined);
  const latest = () => (record.state ?? state) as EngineState;
  const holds = () => onCancel === 'hold' && !isGoingBack(latest());
  return {
    words: () => (holds() ? `hold ${engine.objectKind} ${deps.target.namespace}/${deps.target.workload}` : engine.abortWords()),
    take: async () => {
      await started();
      if (!isActive(latest()) || latest().phase === 'undoing') return;
      if (holds()) return engineFor(free, deps.target, engine.kind).hold();
      const view = seen();
      // Nothing was begun, and a controller at rest is not to be told to abort.
      if (started() === undefined && view?.image.desired !== latest().image.to) return;
      await engine.abort(free);
      if (!view || !isSeen(latest(), view)) await engine.restoreSpec(free);
    },
  };
}

function verdictOf(command: Command, { state, view, held }: EngineRested): Verdict {
  if (held) return heldElsewhere(state, view);
  if (state.phase === 'promoting') return beingPromoted(state);
  return settledVerdict(command, state);
}

function cancelledVerdict({ state, cancelled }: Ended): Verdict {
  const { from } = state.image;
  const what = {
    safe: `the controller was told to send users back to ${from}`,
    unsent: 'the controller could NOT be told to send users back (see the error above)',
    held: `the rollout is held at ${state.weight} %`,
  }[cancelled || 'held'];
  const next =
    cancelled === 'held'
      ? 'Run the same command again to go on, or `abort` to send users back.'
      : 'This action’s post step waits until it has; so does `abort`.';
  return { outcome: 'fail', reason: 'CANCELLED', summary: `The run was cancelled; ${what}.`, next: [next] };
}

function restless({ target }: RolloutDeps): OperationError {
  return new OperationError(`What an earlier run began for ${target.namespace}/${target.workload} does not come to an end.`, {
    reason: 'ROLLOUT_RESTLESS',
    next: ['See where it stands: `canary-deploy` with command `status`.'],
  });
}
