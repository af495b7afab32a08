import { type EngineView, endOf, engineWords } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { goingBack } from '../accept.js';
import { goBackOver } from './back-engine.js';
import type { EngineBench } from './engine-bench.js';
import { atStep, type EngineState, endSeen, intend, isSeen, write } from './engine-state.js';
import { follow } from './follow-engine.js';

/** Where a rollout came to rest; `held`: its controller waits for what Slipway cannot decide. */
export interface EngineRested {
  state: EngineState;
  view: EngineView;
  held: boolean;
}

/** Failures that speak against the release, or against its going on: users are sent back. */
const ENDS_RELEASE = new Set([
  'ENGINE_DEGRADED',
  'ENGINE_NOT_RESPONDING',
  'READY_TIMEOUT',
  'CRASH_LOOP',
  'IMAGE_PULL_FAILED',
  'INVALID_IMAGE_NAME',
  'CONTAINER_CONFIG_ERROR',
]);

/** Pauses that a promotion may end without asking; an inconclusive analysis it may not. */
const OWN_PAUSES = ['CanaryPauseStep', 'BlueGreenPause', 'spec.paused', 'spec.suspend'];

/** Brings about what the state says, from whatever an earlier run left. */
export async function driveEngine(state: EngineState, bench: EngineBench): Promise<EngineRested> {
  if (state.phase === 'aborting' || state.phase === 'undoing') return goBackOver(state, bench);
  try {
    return await forward(await begun(state, bench), bench);
  } catch (error) {
    if (!(error instanceof OperationError) || !ENDS_RELEASE.has(error.reason)) throw error;
    const why = { reason: error.reason, summary: error.message };
    const back = goingBack(bench.record.state ?? state, 'aborting', why) as EngineState;
    return goBackOver(await write(bench.record, back, `back: ${error.reason}`), bench);
  }
}

/** The image is set, so that the controller begins; unless an earlier run did. */
async function begun(state: EngineState, { engine, record }: EngineBench): Promise<EngineState> {
  if (state.phase !== 'starting' && state.kind !== 'rolling') return state;
  const view = await engine.read();
  const asked = view.image.desired === state.image.to && !(view.standing === 'aborted' && view.mark === state.engine.before);
  if (asked) return state;
  const marked = { ...state, engine: { ...state.engine, before: view.mark } };
  const intended = await intend(record, marked, 'set-image', { image: state.image.to });
  await engine.start(state.image.to, { id: state.id, version: state.version });
  return intended;
}

async function forward(state: EngineState, bench: EngineBench): Promise<EngineRested> {
  const { record } = bench;
  const current = state.phase === 'promoting' && state.engine.full ? await promotedFully(state, bench) : state;
  const view = await follow(current, bench, { forward: true, until: (each) => isThere(current, each), nudge: nudger(current, bench) });
  const end = endSeen(current, view);
  if (end === 'promoted') return { state: await promoted(current, view, bench), view, held: false };
  if (end === 'aborted' || view.standing === 'aborted') return goBackOver(await givenUp(current, view, bench), bench);
  if (view.image.desired !== current.image.to) throw changed(current, view);
  if (view.standing === 'promoting' && current.phase !== 'promoting') {
    return { state: await write(record, { ...current, phase: 'promoting', intent: null }, 'promoting'), view, held: false };
  }
  if (current.phase === 'promoting') return { state: current, view, held: true };
  const next = atStep(current, view, record.now());
  const held = isHeldElsewhere(view) && view.step <= current.engine.from;
  return { state: await write(record, next, `step ${next.step + 1}: ${view.weight} %`), view, held };
}

/** All that is asked for is in force, or the controller does not go on by itself. Pure. */
function isThere(state: EngineState, view: EngineView): boolean {
  if (!isSeen(state, view)) return false;
  if (endSeen(state, view) !== undefined || view.image.desired !== state.image.to) return true;
  if (view.standing === 'aborted') return view.settled;
  if (isHeldElsewhere(view)) return true;
  if (state.phase === 'promoting') return false;
  const arrived = view.step > state.engine.from || (state.engine.from < 0 && view.held !== null);
  return view.standing === 'promoting' || (view.standing === 'underway' && arrived);
}

/** Somebody else has to decide: a webhook, or who looks at an inconclusive analysis. Pure. */
function isHeldElsewhere({ held }: EngineView): boolean {
  return held !== null && !OWN_PAUSES.includes(held);
}

/** Ends the pauses that are in the way: each once. */
function nudger(state: EngineState, { engine }: EngineBench): (view: EngineView) => Promise<void> {
  let advanced = '';
  return async (view) => {
    const goesOn = state.phase === 'promoting' ? view.held !== null : state.phase === 'progressing';
    if (!goesOn || view.standing !== 'underway' || !view.canAdvance || view.mark === advanced) return;
    advanced = view.mark;
    await engine.advance();
  };
}

async function promotedFully(state: EngineState, bench: EngineBench): Promise<EngineState> {
  const { engine, record } = bench;
  const view = await follow(state, bench, {
    forward: true,
    until: (each) => isSeen(state, each) && (each.standing !== 'unseen' || endSeen(state, each) !== undefined),
  });
  if (view.standing !== 'underway' || view.image.desired !== state.image.to) return state;
  const memory = state.engine.memory ?? engine.memory();
  const intended = await intend(record, { ...state, engine: { ...state.engine, memory } }, 'promote-full');
  await engine.promoteFull();
  return intended;
}

async function promoted(state: EngineState, view: EngineView, { engine, record }: EngineBench): Promise<EngineState> {
  await engine.tidy(state.engine.memory ?? engine.memory());
  const { steps } = state.target;
  const next: EngineState = {
    ...state,
    phase: 'promoted',
    intent: null,
    weight: 100,
    step: steps.length - 1,
    revision: { ...state.revision, to: view.revision },
    finishedAt: record.now(),
    ended: null,
  };
  return write(record, next, 'promoted');
}

/** The controller gave the update up: what is left to do is that its spec names what runs. */
async function givenUp(state: EngineState, view: EngineView, { record }: EngineBench): Promise<EngineState> {
  const failed = view.checks.filter(({ phase }) => phase === 'Failed' || phase === 'Error');
  const checks = failed.map(({ name, message }) => `${name}${message ? `: ${message}` : ''}`).join('; ');
  const summary = `${engineWords(view)}${checks && !view.message.includes(checks) ? `; ${checks}` : ''}.`;
  const back = goingBack(state, 'aborting', { reason: 'ENGINE_ABORTED', summary }) as EngineState;
  return write(record, back, 'back: ENGINE_ABORTED');
}

function changed(state: EngineState, view: EngineView): OperationError {
  return new OperationError(
    `${view.object} asks for ${view.image.desired} now, which is neither the release (${state.image.to}) nor what was good before it; somebody else set it.`,
    { reason: 'WORKLOAD_CHANGED', next: ['Find out who did, then run `abort`: it ends this rollout and leaves the other alone.'] },
  );
}

/** Whether the release is the only version, and the controller at rest. Pure. */
export function isPromoted(state: EngineState, view: EngineView): boolean {
  return endOf(view, state.image.to) === 'promoted';
}
