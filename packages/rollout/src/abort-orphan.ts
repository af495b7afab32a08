import { removeCanary, snapshotsName } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Bench } from './act.js';
import { restoreFloor } from './floor.js';
import type { RolloutRecord } from './rollout-record.js';
import type { RolloutState } from './state.js';
import { nameOf, type Verdict } from './verdicts.js';

/**
 * The way back when somebody deleted stable meanwhile: the route and the canary are put away as ever, the autoscaler that waits for stable to come
 * back gets its own limit, and the rollout is over; but nobody is left to serve, which is said. `state` is the one in which users are being sent back.
 */
export async function abortOrphan(
  state: RolloutState,
  cause: OperationError,
  record: RolloutRecord,
  { client, router }: Bench,
): Promise<Verdict> {
  const { target, floor } = state;
  const { namespace, workload, canary } = target;
  await record.write(state, `back: ${state.ended?.reason}, without stable`);
  if (state.kind === 'canary') {
    await unlessGone(() => router.cleanup());
    await removeCanary(client, namespace, canary, { canaryOf: workload });
    if (router.prepare) await unlessGone(() => router.cleanup());
  }
  if (floor) await unlessGone(() => restoreFloor(client, target, floor));
  const ended = { reason: cause.reason, summary: `Deployment ${namespace}/${workload} was deleted during the rollout.` };
  await record.write(
    {
      ...state,
      ...(floor ? { floor: null } : {}),
      phase: 'aborted',
      weight: 0,
      intent: null,
      stepStartedAt: null,
      finishedAt: record.now(),
      ended,
    },
    'rest aborted',
  );
  return {
    outcome: 'fail',
    reason: cause.reason,
    summary: `The canary of ${nameOf(state)} is gone, but nobody serves: ${ended.summary}`,
    next: [
      `Create Deployment ${namespace}/${workload} again from its manifest, with ${state.image.from}, the image before the rollout.`,
      `Its former pod template is in ConfigMap ${namespace}/${state.snapshot?.name ?? snapshotsName(workload)}.`,
    ],
  };
}

/** A route that was deleted, too, leads nobody to the canary; an autoscaler that was has no limit to be given back. */
async function unlessGone(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof OperationError && /(^|_)NOT_FOUND$/.test(error.reason))) throw error;
  }
}
