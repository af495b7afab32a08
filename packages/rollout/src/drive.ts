import { meetsNobody, routingWords } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { goingBack } from './accept.js';
import { act, type Bench } from './act.js';
import { type Change, decide, type Memory } from './decide.js';
import { floorOf } from './floor.js';
import type { RolloutRecord } from './rollout-record.js';
import { isGoingBack, type RolloutState } from './state.js';
import { observed, type World } from './world.js';

/** Reasons that speak against the release (or the way it is routed), not against the API server: users are sent back at once. */
const speaksAgainstRelease = new Set([
  'IMAGE_PULL_FAILED',
  'INVALID_IMAGE_NAME',
  'CRASH_LOOP',
  'CONTAINER_CONFIG_ERROR',
  'PODS_NOT_CREATED',
  'PROGRESS_DEADLINE_EXCEEDED',
  'READY_TIMEOUT',
  'WEIGHT_NOT_IN_FORCE',
  'WEIGHT_IMPOSSIBLE',
  'INVALID',
  'UNSCHEDULABLE',
  'QUOTA_EXCEEDED',
]);

/** More changes than any way has; a bound for a world that does not do as it is told. */
const MOST_CHANGES = 60;

const nothingDone: Memory = {
  routed: null,
  verified: false,
  prepared: false,
  admitted: false,
  measured: false,
  drained: false,
  tidy: false,
  putAway: false,
};

/** Changes nothing in the cluster, so nothing has to be written down before. */
const waits = new Set<Change['change']>([
  'await-canary',
  'await-stable',
  'ask-gate',
  'verify-route',
  'measure-split',
  'drain',
  'refuse-foreign-image',
]);

/**
 * Brings about what `state.phase` says: decide → write the intent → act, until the rollout rests. When the release itself turns out not to
 * work on the way forward, it is taken back in the same run. Returns the resting state.
 *
 * `onState` sees every state as it is written.
 */
export async function drive(start: RolloutState, startWorld: World, record: RolloutRecord, bench: Bench): Promise<RolloutState> {
  let state = start;
  let world = startWorld;
  let memory: Memory = nothingDone;
  for (let changes = 0; changes < MOST_CHANGES; changes++) {
    const change = decide(state, observed(world, state.target), bench.router, memory);
    if (change.change === 'rest') return record.write(rested(state, change.phase, world, record.now()), `rest ${change.phase}`);
    if (change.change === 'raise-floor' && world.scaler) state = { ...state, floor: floorOf(world.scaler, change.replicas) };
    // Where pods are the route, users meet the canary as soon as it has any.
    if (change.change === 'scale-canary' && bench.router.kind === 'replicas') state = { ...state, wayOut: bench.router.wayOut() ?? [] };
    if (!waits.has(change.change)) state = await record.intend(state, change);
    say(change, bench);
    try {
      const acted = await act(change, state, world, memory, bench);
      ({ world, memory } = acted);
      state = { ...state, ...acted.state };
      // From here on somebody meets the canary, and whoever guards it must know how to send them back.
      if (change.change === 'route' && !meetsNobody(change.routing)) state = await record.write(state);
    } catch (error) {
      const back = wayBack(state, error);
      if (!back) throw error;
      bench.deps.context.log.warning(`${back.ended?.summary ?? ''} Users are being sent back.`);
      state = await record.write(back, `back: ${back.ended?.reason}`);
      memory = nothingDone;
    }
  }
  throw new OperationError(`The rollout ${state.id} does not come to rest: after ${MOST_CHANGES} changes it is still ${state.phase}.`, {
    reason: 'ROLLOUT_RESTLESS',
    next: ['Something undoes what is done (another controller?). See `status` and the log in the state ConfigMap.'],
  });
}

/** The state in which the release is taken back because of `error`; undefined when the error says nothing against it. */
function wayBack(state: RolloutState, error: unknown): RolloutState | undefined {
  if (isGoingBack(state) || !(error instanceof OperationError) || !speaksAgainstRelease.has(error.reason)) return undefined;
  return goingBack(state, 'aborting', { reason: error.reason, summary: sentence(error.message) });
}

/** What a cluster says may end without a full stop, and something follows it. */
function sentence(text: string): string {
  const said = text.trimEnd();
  return /[.!?]$/.test(said) ? said : `${said}.`;
}

function rested(state: RolloutState, phase: 'progressing' | 'promoted' | 'aborted' | 'undone', world: World, now: string): RolloutState {
  const common = { ...state, phase, intent: null };
  // An analysis that was killed left word that it is at work.
  const evidence = state.evidence && { ...state.evidence, running: false };
  if (phase === 'progressing') return { ...common, evidence, stepStartedAt: now, ...pauseOf(state, now) };
  const revision = { ...state.revision, to: phase === 'promoted' ? world.stable.revision : null };
  const { wayOut: _wayOut, paused: _paused, ...ended } = common;
  return { ...ended, weight: phase === 'promoted' ? 100 : 0, mirror: 0, match: false, revision, stepStartedAt: null, finishedAt: now };
}

/** A step that says so pauses the rollout as soon as it is in force. */
function pauseOf({ target, step, paused }: RolloutState, at: string): Pick<RolloutState, 'paused'> {
  if (paused || !target.steps[step]?.pause) return paused ? { paused } : {};
  return { paused: { at, by: 'slipway.yml', why: `step ${step + 1} has \`pause: true\`` } };
}

function say({ change, ...to }: Change, { deps }: Bench): void {
  const details = Object.entries(to).map(([key, value]) => (key === 'routing' ? routingWords(value) : `${key} ${value}`));
  deps.context.log.info([change.replaceAll('-', ' '), ...details].join(', '));
}
