import { askHolder, meetsNobody, type Stored, type TrafficRouter } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { type WayOut, wayOutByRecord, wayOutByRoute } from './abort-now.js';
import type { BackCommand } from './abort-unrecorded.js';
import { accept } from './accept.js';
import type { RolloutDeps } from './deps.js';
import { recordName, rolloutStore } from './rollout-record.js';
import { isGoingBack, type RolloutState } from './state.js';
import { routerOf } from './world.js';

/** How often the state is written anew in one look, when its holder writes at the same time. */
const ATTEMPTS = 3;

/** What a way back does as long as it does not have the lease. */
export interface RouteFirst {
  /** Sends users back, if they meet the canary. True: the holder was asked to go back, too. */
  look(holder: string): Promise<boolean>;
  /** The rollout whose users were sent back; undefined: none was. */
  rollout(): string | undefined;
  /** An error of waiting for the lease, with what was done before. */
  explained(error: unknown): unknown;
}

/**
 * Users first: a way back does not make them wait for the lease of a run that is dead, which takes a minute to be sure of, or that works against it.
 * At the first look the way out is sent, the state says that users are on their way back, and the holder is asked, by an annotation of its
 * lease, to go back itself. A holder that lives cannot go forward any more: before each change it writes the state, is refused, and finds
 * what is asked. One change that it had announced may still come; each further look (every 2 s) undoes it.
 *
 * Only for the steps of a rollout: one that is being promoted is past the point where the route alone brings users back.
 */
export function routeFirst(deps: RolloutDeps, command: BackCommand): RouteFirst {
  const { client: initial, target: given, context } = deps;
  const { log, clock, holder: by } = context;
  const client = initial.withSignal(undefined);
  const store = rolloutStore(client, given.namespace, given.workload);
  let rollout: string | undefined;
  let problem = false;
  let asked = false;

  /** What goes wrong here must not keep the run from waiting for the lease, with which it can do all of it. */
  async function look(holder: string): Promise<boolean> {
    try {
      await sendBack(holder);
    } catch (error) {
      if (context.signal.aborted) throw error;
      problem = true;
      log.warning(`The lease is held by ${holder}, and users could not be sent back meanwhile: ${wordsOf(error)}`);
    }
    return asked;
  }

  async function sendBack(holder: string): Promise<void> {
    const stored = await store.read();
    const state = stored?.value;
    if (!stored || !state || (rollout !== undefined && state.id !== rollout)) return;
    const router = routerOf(client, state.target, { clock, signal: context.signal, replicas: state.replicas, state });
    if (isForward(state)) await begin(stored, router, holder);
    else if (rollout !== undefined && isGoingBack(state) && (problem || (await meetCanary(router))))
      await send(wayOutByRoute(router), holder);
  }

  async function begin(stored: Stored<RolloutState>, router: TrafficRouter, holder: string): Promise<void> {
    const state = stored.value;
    const back = backState(command, state, deps);
    if (!back) return;
    rollout = state.id;
    const request = { by, reason: command.reason, summary: command.summary };
    const way = state.wayOut?.length ? wayOutByRecord(state.wayOut, { client, router }) : wayOutByRoute(router);
    const [, written, told] = await Promise.allSettled([
      send(way, holder),
      write(stored, back),
      askHolder(client, given.namespace, recordName(given.workload), request),
    ]);
    asked = true;
    for (const each of [written, told]) if (each.status === 'rejected') log.warning(`${holder} could not be told: ${wordsOf(each.reason)}`);
  }

  async function send(way: WayOut, holder: string): Promise<void> {
    const words = way.words();
    try {
      await way.take();
      problem = false;
      log.notice(`The lease is held by ${holder}; users come first: ${words}: done.`);
    } catch (error) {
      problem = true;
      log.error(`The lease is held by ${holder}, and could not ${words} meanwhile: ${wordsOf(error)}`);
    }
  }

  /** Says that users are on their way back, unless the rollout was brought past its steps meanwhile. */
  async function write(first: Stored<RolloutState>, back: RolloutState): Promise<void> {
    let stored: Stored<RolloutState> | undefined = first;
    for (let attempt = 1; stored && stored.value.id === back.id && isForward(stored.value); attempt++) {
      const { value } = stored;
      const log = [...value.log, { at: new Date(clock.now()).toISOString(), what: `back: ${command.reason}, asked by ${by}` }].slice(-50);
      const { phase, ended, stepStartedAt, finishedAt } = back;
      const next = { ...value, phase, ended, stepStartedAt, finishedAt, log, generation: value.generation + 1 };
      try {
        await store.write(next, stored);
        return;
      } catch (error) {
        if (!(error instanceof OperationError && error.reason === 'CONFLICT') || attempt === ATTEMPTS) throw error;
        stored = await store.read();
      }
    }
  }

  return {
    look,
    rollout: () => rollout,
    explained(error) {
      if (rollout === undefined || !(error instanceof OperationError && error.reason === 'LEASE_HELD')) return error;
      const done = problem ? 'Users could NOT be sent back (see above)' : 'Users were sent back';
      return new OperationError(
        `${done}, and the run that moves them was asked to go back; but it did not come to its end: ${error.message}`,
        {
          reason: error.reason,
          next: ['See where it stands with `status`, and run this again: it puts the canary away.', ...error.next],
          details: error.details,
          cause: error,
        },
      );
    },
  };
}

/** The state in which the command takes the rollout back; undefined: it does not concern this one. */
function backState(command: BackCommand, state: RolloutState, { target, configHash, context }: RolloutDeps): RolloutState | undefined {
  const now = new Date(context.clock.now()).toISOString();
  const at = { stableImage: state.image.from, recentImages: [], inForce: true, configHash, holder: context.holder, now };
  const acceptance = accept(command, state, target, at);
  return acceptance.kind === 'go' ? acceptance.state : undefined;
}

function isForward({ kind, phase }: RolloutState): boolean {
  return kind === 'canary' && (phase === 'starting' || phase === 'progressing');
}

async function meetCanary(router: TrafficRouter): Promise<boolean> {
  return !meetsNobody(await router.read());
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
