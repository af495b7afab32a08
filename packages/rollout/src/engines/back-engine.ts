import { type EngineView, endOf } from '@slipway/cluster';
import type { EngineRested } from './drive-engine.js';
import type { EngineBench } from './engine-bench.js';
import { type EngineState, intend, isSeen, write } from './engine-state.js';
import { follow } from './follow-engine.js';

/** An abort that the controller overlooked, or overwrote in the same moment, is sent again after this long, milliseconds. */
const SEND_AGAIN = 3_000;

/** Everybody back to the former version, and the spec as what runs; from whatever an earlier run left. */
export async function goBackOver(state: EngineState, bench: EngineBench): Promise<EngineRested> {
  const view = await bench.engine.read();
  const late = endOf(view, state.image.to) === 'promoted' || (view.engine === 'flagger' && view.standing === 'promoting');
  if (state.phase === 'undoing' || (late && view.image.desired === state.image.to)) return undo(state, view, bench);
  return abort(state, view, bench);
}

async function abort(state: EngineState, first: EngineView, bench: EngineBench): Promise<EngineRested> {
  const { engine, record, deps } = bench;
  const ours = (view: EngineView) => view.image.desired === state.image.to || view.image.desired === state.image.from;
  let current = state;
  let sentAt = Number.NEGATIVE_INFINITY;
  const send = async (view: EngineView) => {
    const now = deps.context.clock.now();
    if (!ours(view) || !needsAbort(view) || now - sentAt < SEND_AGAIN) return;
    if (current.intent?.change !== 'abort') {
      current = await intend(record, { ...current, engine: { ...current.engine, before: view.mark } }, 'abort');
    }
    sentAt = now;
    await engine.abort();
  };
  if (state.ended?.reason === 'ENGINE_NOT_RESPONDING' && first.weight === 0) return withdraw(state, bench);
  await send(first);
  const view = await follow(current, bench, {
    forward: false,
    until: (each) => !ours(each) || isBack(current, each),
    nudge: send,
    acted: (each) => each.mark !== current.engine.before,
  });
  // What somebody else set meanwhile is theirs.
  if (!ours(view)) return rested(current, view, 'aborted', bench);
  if (endOf(view, state.image.to) === 'promoted') return undo(current, view, bench);
  const restored = await restoreSpec(current, view, bench);
  await engine.tidy(current.engine.memory ?? engine.memory());
  return rested(restored.state, restored.view, 'aborted', bench);
}

/** Nobody met the new version, for the controller does not run: when it does again, it must not begin, unwatched, what was given up. */
async function withdraw(state: EngineState, bench: EngineBench): Promise<EngineRested> {
  const intended = await intend(bench.record, state, 'restore-spec', { image: state.image.from });
  await bench.engine.restoreSpec();
  return rested(intended, await bench.engine.read(), 'aborted', bench);
}

/** Whether the abort is still to be told, or told again. Flagger at rest and Argo at rest need none. Pure. */
function needsAbort({ standing }: EngineView): boolean {
  return standing === 'underway' || standing === 'unseen' || standing === 'promoting';
}

function isBack(state: EngineState, view: EngineView): boolean {
  if (endOf(view, state.image.to) === 'promoted') return true;
  if (view.standing === 'aborted') return view.settled;
  return view.standing === 'stable' && view.settled && view.image.stable === state.image.from;
}

/** After an abort the spec still names the refused version, and whatever makes the controller look anew would start it again. */
async function restoreSpec(state: EngineState, view: EngineView, bench: EngineBench): Promise<{ state: EngineState; view: EngineView }> {
  const { engine, record } = bench;
  if (view.image.desired === view.image.stable) return { state, view };
  const intended = await intend(record, state, 'restore-spec', { image: view.image.stable ?? '' });
  await engine.restoreSpec();
  const until = (each: EngineView) => each.standing === 'stable' && each.image.desired === each.image.stable;
  return { state: intended, view: await follow(intended, bench, { forward: false, until }) };
}

async function undo(state: EngineState, first: EngineView, bench: EngineBench): Promise<EngineRested> {
  const { engine, record } = bench;
  const { from } = state.image;
  const begun = state.phase === 'undoing' && state.intent?.change === 'undo' && first.image.desired === from;
  let current = state;
  if (!begun) {
    const memory = state.engine.memory ?? engine.memory();
    const next: EngineState = { ...state, phase: 'undoing', engine: { ...state.engine, memory, before: first.mark } };
    current = await intend(record, next, 'undo', { image: from });
    await engine.undo(from);
  }
  let hurried = '';
  const view = await follow(current, bench, {
    forward: false,
    until: (each) => isSeen(current, each) && endOf(each, from) === 'promoted',
    nudge: async (each) => {
      // What served before needs no steps.
      if (each.engine !== 'argo-rollouts' || each.standing !== 'underway' || each.mark === hurried) return;
      hurried = each.mark;
      await engine.promoteFull();
    },
  });
  await engine.tidy(current.engine.memory ?? engine.memory());
  return rested(current, view, 'undone', bench);
}

async function rested(state: EngineState, view: EngineView, phase: 'aborted' | 'undone', { record }: EngineBench): Promise<EngineRested> {
  const next: EngineState = { ...state, phase, intent: null, weight: 0, stepStartedAt: null, finishedAt: record.now() };
  return { state: await write(record, next, phase), view, held: false };
}
