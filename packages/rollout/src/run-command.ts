import { isDeepStrictEqual } from 'node:util';
import {
  type KubeClient,
  readReplicaSets,
  readWorkload,
  revisionsOf,
  sameRouting,
  type TrafficRouter,
  type Workload,
  waitReady,
} from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { bothWaysOut, type Guard, guard, type WayOut, wayOutByRecord, wayOutByRoute, wayOutByTemplate } from './abort-now.js';
import { abortOrphan } from './abort-orphan.js';
import { abortUnrecorded, type BackCommand, findCanary } from './abort-unrecorded.js';
import { type Acceptance, accept, goingBack } from './accept.js';
import type { Bench } from './act.js';
import { initialState, refuseHopeless, refuseRecreate, warnings } from './begin.js';
import type { Circumstances, Command } from './command.js';
import type { RolloutDeps } from './deps.js';
import { drive } from './drive.js';
import { engineKindOf, runEngineCommand } from './engines/index.js';
import { weightWords } from './measured-split.js';
import { routeFirst } from './route-first.js';
import { settledVerdict } from './settled-verdict.js';
import { isActive, isGoingBack, type RolloutState, routingIn } from './state.js';
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
  if (engineKindOf(deps.target)) return runEngineCommand(deps, command);
  const attempt = async (first: Held) => {
    let held = first;
    for (let tries = 1; ; tries++) {
      try {
        const finished = await once(deps, held.asked ?? command, held);
        if (finished) return inPlaceOf(command, finished, held);
      } catch (error) {
        const asked = await held.afterRequest?.(error);
        if (asked) {
          deps.context.log.warning(`Another run sent users back: ${asked.asked?.summary} This one goes back, too.`);
          held = asked;
          continue;
        }
        // A closed gate is an answer, not a failure: users stay where they are.
        if (isGateClosed(error)) return { verdict: gateClosed(error), state: held.record.state };
        if (tries >= DECISIONS || !isOvertaken(error, held)) throw withWayOn(error, held);
      }
    }
  };
  return withLease(deps, attempt, isBack(command) ? { evenCorrupt: true, routeFirst: routeFirst(deps, command) } : {});
}

/** A way back that another run asked of this one, or that was done by another before this one had the lease, is told as what it is to this command. */
function inPlaceOf(command: Command, finished: Finished, { asked, routedFirst }: Held): Finished {
  const { state, verdict } = finished;
  const isOurs = asked !== undefined || (routedFirst === state?.id && verdict.outcome === 'skipped');
  return isOurs && state?.phase === 'aborted' ? { state, verdict: settledVerdict(command, state) } : finished;
}

/** Decides and acts once; undefined: a way back that was begun is finished, and the command has to be put again. */
async function once(deps: RolloutDeps, command: Command, held: Held): Promise<Finished | undefined> {
  const early = guardEarly(deps, held);
  try {
    return await decided(deps, command, held, early);
  } catch (error) {
    const sent = await early?.sent();
    if (!sent) throw error;
    const state = await recordCancelled(held, 'rollback', false);
    return { verdict: cancelledVerdict(state, sent), state };
  } finally {
    early?.disarm();
  }
}

/** Until the route has been read, the patches that the record keeps are what a cancellation sends. */
function guardEarly(deps: RolloutDeps, held: Held): Guard | undefined {
  const { state } = held.record;
  const { context, onCancel = 'rollback' } = deps;
  const forward = isActive(state) && (state.phase === 'starting' || state.phase === 'progressing');
  if (!forward || onCancel === 'hold' || !state.wayOut?.length) return undefined;
  const bench = benchOf(deps, state, held, state.replicas);
  return guard(wayOutByRecord(state.wayOut, bench), context.signal, context.log);
}

async function decided(deps: RolloutDeps, command: Command, held: Held, early: Guard | undefined): Promise<Finished | undefined> {
  const state = held.record.state;
  const stable = await readStable(deps, state, held);
  if (stable instanceof OperationError) return withoutStable(deps, command, stable, held);
  const bench = benchOf(deps, state, held, stable.replicas);
  const world = await readWorld(bench.client, bench.deps.target, stable, routed(command, state, bench), scalesAtFirst(command, state));
  const acceptance = accept(command, state, deps.target, await circumstances(deps, state, world, bench));
  if (acceptance.kind === 'end') return end(acceptance, command, world, bench, held);
  if (acceptance.kind === 'go' && promotesCanary(acceptance.state, world)) refuseRecreate(world.stable);
  const rested = await bringAbout(acceptance, world, bench, held, early);
  const again = acceptance.kind === 'finish' && !rested.cancelled;
  return again ? undefined : finish(command, rested, held);
}

/** A failure in the middle says what is left behind, and how to go on. */
function withWayOn(error: unknown, { record: { state } }: Held): unknown {
  if (!(error instanceof OperationError) || !isActive(state) || isGoingBack(state)) return error;
  const { message, reason, next, details } = error;
  const where = `The rollout of ${state.image.to} is left ${state.phase} at ${state.stepStartedAt === null ? 'a step that is not in force' : weightWords(state)}`;
  const on = `${where}: when this is mended, run the same command again; or \`abort\`, which puts everything away.`;
  return new OperationError(message, { reason, next: [...next, on], details, cause: error });
}

function isGateClosed(error: unknown): error is OperationError {
  return error instanceof OperationError && error.reason === 'GATE_CLOSED';
}

function gateClosed({ reason, message, next }: OperationError): Verdict {
  return { outcome: 'hold', reason, summary: message, next: [...next] };
}

/** Whether stable is about to be replaced while it carries users. */
function promotesCanary({ kind, phase, image }: RolloutState, { stable }: World): boolean {
  return kind === 'canary' && phase === 'promoting' && stable.image !== image.to;
}

/** How often a command is decided anew. */
const DECISIONS = 5;

/**
 * Whether the state was written, before our first write, by one that does not hold the lease: the analysis with its evidence, or a run that
 * lost it. We hold it, nothing was changed yet, and what was written is known now; so the command is decided again.
 */
function isOvertaken(error: unknown, { record }: Held): boolean {
  return error instanceof OperationError && error.reason === 'ROLLOUT_SUPERSEDED' && record.mayDecideAgain;
}

function isBack(command: Command): command is BackCommand {
  return command.kind === 'abort' || command.kind === 'roll-back';
}

async function end(
  { verdict, state }: Extract<Acceptance, { kind: 'end' }>,
  command: Command,
  { stable }: World,
  bench: Bench,
  held: Held,
): Promise<Finished> {
  const { record, corrupt } = held;
  if (state && !isDeepStrictEqual(state, record.state)) await record.write(state, whatIsNew(command));
  if (isBack(command) && !isActive(record.state)) {
    const canary = await findCanary(bench);
    const pods = canary && canary !== 'foreign' ? (canary.spec?.replicas ?? 0) : 0;
    const unrecorded = benchOf(bench.deps, undefined, held, stable.replicas + pods);
    const back = await abortUnrecorded({ command, stable, canary, corrupt }, unrecorded);
    if (back) return { verdict: back, state: record.state };
    if (corrupt) throw corrupt;
  }
  if (verdict.reason === 'ALREADY_RELEASED' && 'image' in command && command.image === stable.image) await seenToServe(stable, bench);
  return { verdict, state: record.state };
}

/** A pause is part of a rollout's history; who brought a step about is not. */
function whatIsNew(command: Command): string | undefined {
  return command.kind === 'pause' || command.kind === 'resume' ? command.kind : undefined;
}

/** An image that is set need not be one that serves: the Deployment may be crashing on it. */
async function seenToServe({ deployment, container, image }: Workload, { client, deps, signal }: Bench): Promise<void> {
  const { namespace = '', name, generation = 0 } = deployment.metadata;
  await waitReady(client, namespace, name, {
    generation,
    timeoutMs: deps.target.readyTimeout,
    clock: deps.context.clock,
    signal,
    onProgress: ({ words }) => deps.context.progress(`stable: ${words}`),
    expect: { container, image },
  });
}

async function withoutStable(deps: RolloutDeps, command: Command, cause: OperationError, held: Held): Promise<Finished> {
  const { record } = held;
  const { state } = record;
  if (!isActive(state) || !isBack(command)) throw cause;
  const at = {
    stableImage: state.image.from,
    recentImages: [],
    inForce: true,
    configHash: deps.configHash,
    holder: deps.context.holder,
    now: record.now(),
  };
  const acceptance = accept(command, state, deps.target, at);
  if (acceptance.kind !== 'go') throw cause;
  const verdict = await abortOrphan(acceptance.state, cause, record, benchOf(deps, state, held, state.replicas));
  return { verdict, state: record.state };
}

interface Rested {
  state: RolloutState;
  cancelled: false | Cancelled;
}

/** What became of the users of a cancelled run: `held`: nothing was to be moved. */
type Cancelled = 'safe' | 'restoring' | 'unsent' | 'held';

async function bringAbout(
  acceptance: Exclude<Acceptance, { kind: 'end' }>,
  world: World,
  bench: Bench,
  held: Held,
  early: Guard | undefined,
): Promise<Rested> {
  if (acceptance.kind !== 'begin') return driveGuarded(acceptance.state, world, bench, held, early);
  await refuseHopeless(acceptance, world, bench);
  for (const warning of await warnings(acceptance, world, bench)) bench.deps.context.log.warning(warning);
  const { weight, image } = acceptance;
  const state = await held.record.write(
    await initialState(acceptance, world, bench),
    `begin ${image}${weight > 0 ? ` at ${weight} %` : ''}`,
  );
  const begun = benchOf(bench.deps, state, held, state.replicas);
  // The router that knows the snapshot has read nothing yet, and a cancellation needs its patch prepared.
  if (state.kind === 'canary') await begun.router.read();
  // A rolling release has no route, whatever was read before it was known to be one.
  const seen: World = state.kind === 'rolling' ? { ...world, canary: undefined, split: null, scaler: null } : world;
  return driveGuarded(state, seen, begun, held, early);
}

/** Drives to rest; on a cancellation users are sent back first, then the state says so for whoever finishes it (`post`, or a re-run). */
async function driveGuarded(state: RolloutState, world: World, bench: Bench, held: Held, early: Guard | undefined): Promise<Rested> {
  const { context, onCancel = 'rollback' } = bench.deps;
  // What is on its way back goes on, whatever is said about going forward.
  const armed = onCancel === 'rollback' || isGoingBack(state);
  const watch = armed ? guard(wayOut(state, bench, held), context.signal, context.log) : undefined;
  early?.disarm();
  try {
    const rested = await drive(state, world, held.record, bench);
    if (watch?.sent() === undefined) return { state: rested, cancelled: false };
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    watch?.disarm();
  }
  const sent = await watch?.sent();
  const cancelled = sent === 'safe' && changesStable(state) ? 'restoring' : (sent ?? 'held');
  return { state: await recordCancelled(held, onCancel, changesStable(state)), cancelled };
}

function wayOut(state: RolloutState, bench: Bench, { record }: Held): WayOut {
  const byTemplate = wayOutByTemplate(() => record.state ?? state, bench);
  if (state.kind === 'rolling' || state.phase === 'undoing') return byTemplate;
  const byRoute = wayOutByRoute(bench.router);
  return state.phase === 'promoting' ? bothWaysOut(byRoute, byTemplate) : byRoute;
}

/** Whether stable itself may have the new version in part, so that the route alone brings nobody back. */
function changesStable({ kind, phase }: RolloutState): boolean {
  return kind === 'rolling' || phase === 'undoing' || phase === 'promoting';
}

async function recordCancelled({ record }: Held, onCancel: 'rollback' | 'hold', templateSent: boolean): Promise<RolloutState> {
  const state = record.state as RolloutState;
  // The end was being written when the signal came: stable has its former template again, so it is not what the record says.
  if (onCancel === 'rollback' && templateSent && state.phase === 'promoted') {
    return record.write(goingBack(state, 'undoing', { reason: 'CANCELLED', summary: 'The run was cancelled.' }), 'back: CANCELLED');
  }
  if (onCancel === 'hold' || !isActive(state) || isGoingBack(state)) return state;
  return record.write(goingBack(state, 'aborting', { reason: 'CANCELLED', summary: 'The run was cancelled.' }), 'back: CANCELLED');
}

function finish(command: Command, { state, cancelled }: Rested, { record }: Held): Finished {
  return { verdict: cancelled ? cancelledVerdict(state, cancelled) : settledVerdict(command, state), state: record.state };
}

function cancelledVerdict(state: RolloutState, cancelled: Cancelled): Verdict {
  const { from } = state.image;
  const what: Record<Cancelled, string> = {
    safe: `users were sent back to ${from}`,
    restoring: `${from} is being put back, pod by pod`,
    unsent: `users could NOT be sent back (see the error above)`,
    held: `the rollout is left as it is (${state.phase}, ${state.weight} %)`,
  };
  const next: Record<Cancelled, string> = {
    safe: 'What is left of the canary is removed by this action’s post step, or by `abort`.',
    restoring: 'This action’s post step waits until it serves and puts away the rest; so does `abort`.',
    unsent: 'This action’s post step tries again; if it fails, too: run `abort`.',
    held: 'Run the same command again to go on, or `abort` to send users back.',
  };
  // The signal came when all was done already.
  if (!isActive(state))
    return {
      outcome: 'fail',
      reason: 'CANCELLED',
      summary: `The run was cancelled; the rollout had ended: it is ${state.phase}.`,
      next: [state.phase === 'promoted' ? 'To take it back, run `auto-rollback`.' : 'To try again, run `start`.'],
    };
  return { outcome: 'fail', reason: 'CANCELLED', summary: `The run was cancelled; ${what[cancelled]}.`, next: [next[cancelled]] };
}

/** A rollout goes by the target that it began with, whatever slipway.yml says by now. */
function targetOf(deps: RolloutDeps, state: RolloutState | undefined): RolloutTarget {
  return isActive(state) ? state.target : deps.target;
}

/** Stable, or that it is not there. */
async function readStable(deps: RolloutDeps, state: RolloutState | undefined, { signal }: Held): Promise<Workload | OperationError> {
  const { namespace, workload, container } = targetOf(deps, state);
  try {
    return await readWorkload(deps.client.withSignal(signal), namespace, workload, container);
  } catch (error) {
    if (error instanceof OperationError && error.reason === 'WORKLOAD_NOT_FOUND') return error;
    throw error;
  }
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
function routed(command: Command, state: RolloutState | undefined, { router, deps }: Bench): TrafficRouter | null {
  if (isActive(state)) return state.kind === 'canary' && state.phase !== 'undoing' ? router : null;
  return command.kind === 'start' && deps.target.strategy !== 'rolling' ? router : null;
}

/** Whether stable's autoscaler has to be known: before its users are shared, and where the number of pods is not the route. */
function scalesAtFirst(command: Command, state: RolloutState | undefined): boolean {
  return isActive(state) ? state.phase === 'starting' : command.kind === 'start';
}

async function circumstances(
  { configHash, context, target }: RolloutDeps,
  state: RolloutState | undefined,
  { stable, split }: World,
  bench: Bench,
) {
  const looksBack = target.rollbackWindow > 0 && !isActive(state);
  const recentImages = looksBack ? await readRecentImages(bench.client, stable, target.rollbackWindow) : [];
  const now = new Date(context.clock.now()).toISOString();
  const inForce = !isActive(state) || split === null || isInForce(state, split);
  return { stableImage: stable.image, recentImages, inForce, configHash, holder: context.holder, now } satisfies Circumstances;
}

/** What pods can make need not be the weight that was asked for, so there only nobody in place of somebody tells. */
function isInForce(state: RolloutState, split: NonNullable<World['split']>): boolean {
  const { router } = state.target.traffic;
  return router === 'replicas' ? state.weight === 0 || split.weight > 0 : sameRouting(split, routingIn(state));
}

/**
 * Images of the revisions that served before the present one, newest first. By age and not by number: after an undo the version that was taken back has
 * the second highest number, and is the last that may go out without steps.
 */
async function readRecentImages(client: KubeClient, { deployment, container, image }: Workload, window: number): Promise<string[]> {
  const replicaSets = await readReplicaSets(client, deployment);
  const [present, ...others] = revisionsOf(replicaSets);
  const bornAt = (name: string | undefined) => replicaSets.find(({ metadata }) => metadata.name === name)?.metadata.creationTimestamp ?? '';
  const older = others.filter(({ replicaSet }) => bornAt(replicaSet) < bornAt(present?.replicaSet));
  return older
    .slice(0, window)
    .map(({ images }) => images[container] ?? '')
    .filter((each) => each !== '' && each !== image);
}
