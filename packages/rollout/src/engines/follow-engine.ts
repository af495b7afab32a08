import { type EngineView, engineWords, podFailureReason } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { EngineBench } from './engine-bench.js';
import { hopelessPod } from './engine-pods.js';
import { type EngineState, isSeen } from './engine-state.js';

export interface Following {
  /** Ends the wait. */
  until: (view: EngineView) => boolean;
  /** Called at each look that does not end it; may make a change. */
  nudge?: (view: EngineView) => Promise<void>;
  /** A new version that cannot start, or an update that cannot go on, ends the wait with an error. */
  forward: boolean;
  /** Whether the controller has acted on what was changed last; default: {@link isSeen}. */
  acted?: (view: EngineView) => boolean;
}

/** Between two looks, milliseconds. */
const POLL = 1_000;
/** How long a controller may take to act on a change, besides its own interval, milliseconds. */
const PATIENCE = 30_000;

/**
 * Looks at the controller's objects until they are as wanted.
 *
 * Reasons: ENGINE_NOT_RESPONDING (it does not act), READY_TIMEOUT (it does not come on); forward besides ENGINE_DEGRADED and those of pods
 * (CRASH_LOOP, IMAGE_PULL_FAILED …).
 */
export async function follow(state: EngineState, bench: EngineBench, following: Following): Promise<EngineView> {
  const { until, nudge, forward, acted = (view: EngineView) => isSeen(state, view) } = following;
  const { engine, signal, deps } = bench;
  const { clock, progress } = deps.context;
  let unseenSince = clock.now();
  let still = { key: '', since: clock.now() };
  for (;;) {
    const view = await engine.read();
    progress(engineWords(view));
    if (forward) await refuseHopeless(view, bench);
    if (until(view)) return view;
    if (acted(view)) unseenSince = clock.now();
    if (clock.now() - unseenSince > PATIENCE + 2 * view.looksEvery) throw notResponding(view, clock.now() - unseenSince);
    const key = JSON.stringify([view.phase, view.step, view.weight, view.held, view.message, view.checks]);
    if (key !== still.key) still = { key, since: clock.now() };
    const limit = view.rests === null ? Number.POSITIVE_INFINITY : view.rests + deps.target.readyTimeout;
    if (clock.now() - still.since > limit) throw stalled(view, clock.now() - still.since);
    await nudge?.(view);
    await clock.sleep(POLL, signal);
  }
}

async function refuseHopeless(view: EngineView, { client, deps }: EngineBench): Promise<void> {
  if (view.broken !== null) {
    throw new OperationError(`${view.object} cannot go on: ${view.broken}.`, {
      reason: 'ENGINE_DEGRADED',
      next: [describeCommand(view)],
    });
  }
  const problem = await hopelessPod(client, deps.target.namespace, view);
  if (!problem) return;
  throw new OperationError(
    `Pod ${problem.pod} of ${view.image.desired} will not get ready: ${problem.reason}${problem.message ? `: ${problem.message}` : ''}.`,
    { reason: podFailureReason(problem), next: [`kubectl -n ${deps.target.namespace} logs ${problem.pod} --previous`] },
  );
}

function notResponding(view: EngineView, ms: number): OperationError {
  const controller = view.engine === 'flagger' ? 'Flagger' : 'The Argo Rollouts controller';
  return new OperationError(
    `${controller} has not acted on ${view.object} for ${Math.round(ms / 1000)} s (${view.phase || 'no phase'}); it does not seem to be running.`,
    {
      reason: 'ENGINE_NOT_RESPONDING',
      next: [
        view.engine === 'flagger'
          ? 'kubectl get deployments -A -l app.kubernetes.io/name=flagger, and its log.'
          : 'kubectl get deployments -A -l app.kubernetes.io/name=argo-rollouts, and its log.',
        'When it runs again, run this again.',
      ],
    },
  );
}

function stalled(view: EngineView, ms: number): OperationError {
  return new OperationError(`${engineWords(view)} and has not come on for ${Math.round(ms / 1000)} s.`, {
    reason: 'READY_TIMEOUT',
    next: [describeCommand(view)],
  });
}

function describeCommand({ object }: EngineView): string {
  const [kind = '', place = ''] = object.split(' ');
  const [namespace = '', name = ''] = place.split('/');
  return `kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`;
}
