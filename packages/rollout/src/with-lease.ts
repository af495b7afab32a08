import { acquireLease, type HeldLease } from '@slipway/cluster';
import type { RolloutDeps } from './deps.js';
import { RolloutRecord, recordName, rolloutStore } from './rollout-record.js';

/** One run's hold on a target. */
export interface Held {
  record: RolloutRecord;
  /** Aborts when the run is cancelled, or when the lease is lost. */
  signal: AbortSignal;
}

/**
 * Runs `body` while this process holds the target's lease, and gives it up afterwards. The state was read.
 *
 * Reasons: LEASE_HELD, LEASE_LOST, STATE_NEWER, STATE_CORRUPT.
 */
export async function withLease<T>(deps: RolloutDeps, body: (held: Held) => Promise<T>): Promise<T> {
  const { client, target, context } = deps;
  const lease = await take(deps, 0);
  const held = { current: lease };
  try {
    // State is written on a client that no signal cuts off: a cancelled run must still say what it did.
    const store = rolloutStore(client.withSignal(undefined), target.namespace, target.workload);
    let record = new RolloutRecord(store, lease, context.clock);
    const fencing = (await record.read())?.fencing ?? 0;
    if (fencing > lease.fencing) {
      // The Lease object was deleted meanwhile, so its count began anew; it must not fall behind what the state has seen.
      await lease.release();
      held.current = await take(deps, fencing);
      record = new RolloutRecord(store, held.current, context.clock);
      await record.read();
    }
    return await body({ record, signal: AbortSignal.any([context.signal, held.current.lost]) });
  } finally {
    await held.current.release();
  }
}

function take({ client, target, context }: RolloutDeps, fencingAbove: number): Promise<HeldLease> {
  return acquireLease(client.withSignal(context.signal), {
    namespace: target.namespace,
    name: recordName(target.workload),
    holder: context.holder,
    clock: context.clock,
    signal: context.signal,
    fencingAbove,
    onWait: (words) => context.log.info(`${words}.`),
  });
}
