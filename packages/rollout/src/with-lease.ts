import { acquireLease, type KubeClient, readWorkload } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { RolloutDeps } from './deps.js';
import { RolloutRecord, recordName, rolloutStore } from './rollout-record.js';

/** One run's hold on a target. */
export interface Held {
  record: RolloutRecord;
  /** Aborts when the run is cancelled, or when the lease is lost. */
  signal: AbortSignal;
  /** STATE_CORRUPT: a record is there but cannot be read. */
  corrupt?: OperationError;
}

/** How old a state may be to be decided on, milliseconds: longer means that the lease was waited for, and its holder may have written. */
const FRESH = 1_000;

/**
 * Runs `body` while this process holds the target's lease, and gives it up afterwards.
 *
 * The state is read before, so that the lease's fencing number can be made to exceed what the state has seen (somebody may have deleted the
 * Lease). Should another run write in between, this one's first write is refused by the state's resource version.
 *
 * `exists` reads what is to be released, when nothing is on record: by default the Deployment.
 *
 * Reasons: WORKLOAD_NOT_FOUND, LEASE_HELD, LEASE_LOST, STATE_NEWER, STATE_CORRUPT (unless `evenCorrupt`: the way back does without the record).
 */
export async function withLease<T>(
  deps: RolloutDeps,
  body: (held: Held) => Promise<T>,
  evenCorrupt = false,
  exists: (client: KubeClient) => Promise<unknown> = (client) => readStable(client, deps),
): Promise<T> {
  const { target, context } = deps;
  const client = deps.client.withSignal(context.signal);
  // State is written on a client that no signal cuts off: a cancelled run must still say what it did.
  const store = rolloutStore(client.withSignal(undefined), target.namespace, target.workload);
  const readAt = context.clock.now();
  let corrupt: OperationError | undefined;
  const stored = await store.read().catch((error: unknown) => {
    if (!evenCorrupt || !(error instanceof OperationError && error.reason === 'STATE_CORRUPT')) throw error;
    corrupt = error;
    return undefined;
  });
  // Where nothing was ever released a wrong name is likely, and must not leave even a Lease.
  if (!stored) await exists(client);
  const lease = await acquireLease(client, {
    namespace: target.namespace,
    name: recordName(target.workload),
    holder: context.holder,
    clock: context.clock,
    signal: context.signal,
    fencingAbove: stored?.value.fencing ?? 0,
    onWait: (words) => context.log.info(`${words}.`),
  });
  try {
    const record = new RolloutRecord(store, lease, context.clock, stored);
    if (!corrupt && context.clock.now() - readAt > FRESH) await record.read();
    return await body({ record, signal: AbortSignal.any([context.signal, lease.lost]), ...(corrupt ? { corrupt } : {}) });
  } finally {
    await lease.release();
  }
}

function readStable(client: KubeClient, { target }: RolloutDeps): Promise<unknown> {
  return readWorkload(client, target.namespace, target.workload, target.container);
}
