import { acquireLease, type HeldLease, type KubeClient, readWorkload } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Command } from './command.js';
import type { RolloutDeps } from './deps.js';
import { RolloutRecord, recordName, rolloutStore } from './rollout-record.js';
import type { RouteFirst } from './route-first.js';

/** One run's hold on a target. */
export interface Held {
  record: RolloutRecord;
  /** Aborts when the run is cancelled, when the lease is lost, or when another run asks this one to go back. */
  signal: AbortSignal;
  /** STATE_CORRUPT, STATE_NEWER: a record is there but cannot be read. */
  corrupt?: OperationError;
  /** What another run asked of this one, in place of its own command. */
  asked?: Extract<Command, { kind: 'abort' }>;
  /** Id of the rollout whose users were sent back before this run had the lease. */
  routedFirst?: string | undefined;
  /** The hold to go on with when `error` came of another run's request to go back; undefined: it came of something else. */
  afterRequest?(error: unknown): Promise<Held | undefined>;
}

export interface LeaseUse {
  /** The way back does without a record that cannot be read. */
  evenCorrupt?: boolean;
  /** Reads what is to be released, when nothing is on record: by default the Deployment. */
  exists?: (client: KubeClient) => Promise<unknown>;
  /** Sends users back while another holds the lease. */
  routeFirst?: RouteFirst;
}

/**
 * Runs `body` while this process holds the target's lease, and gives it up afterwards.
 *
 * The state is read before, so that the lease's fencing number can be made to exceed what the state has seen (somebody may have deleted the
 * Lease). Should another run write in between, this one's first write is refused by the state's resource version.
 *
 * Reasons: WORKLOAD_NOT_FOUND, LEASE_HELD, LEASE_LOST, STATE_NEWER, STATE_CORRUPT (unless `evenCorrupt`).
 */
export async function withLease<T>(deps: RolloutDeps, body: (held: Held) => Promise<T>, use: LeaseUse = {}): Promise<T> {
  const { target, context } = deps;
  const { evenCorrupt = false, exists = (client) => readStable(client, deps), routeFirst } = use;
  const client = deps.client.withSignal(context.signal);
  // State is written on a client that no signal cuts off: a cancelled run must still say what it did.
  const store = rolloutStore(client.withSignal(undefined), target.namespace, target.workload);
  let corrupt: OperationError | undefined;
  const stored = await store.read().catch((error: unknown) => {
    if (!evenCorrupt || !(error instanceof OperationError && /^STATE_(CORRUPT|NEWER)$/.test(error.reason))) throw error;
    corrupt = error;
    return undefined;
  });
  // Where nothing was ever released a wrong name is likely, and must not leave even a Lease.
  if (!stored) await exists(client);
  let waited = false;
  const lease = await acquireLease(client, {
    namespace: target.namespace,
    name: recordName(target.workload),
    holder: context.holder,
    clock: context.clock,
    signal: context.signal,
    fencingAbove: stored?.value.fencing ?? 0,
    onWait: (words) => {
      waited = true;
      context.log.info(`${words}.`);
    },
    ...(routeFirst ? { whileHeld: (holder) => routeFirst.look(holder) } : {}),
  }).catch((error: unknown) => {
    throw routeFirst?.explained(error) ?? error;
  });
  try {
    const record = new RolloutRecord(store, lease, context.clock, stored);
    // Whoever held it may have written since.
    if (!corrupt && waited) await record.read();
    const held = hold(record, lease, context.signal);
    return await body({ ...held, routedFirst: routeFirst?.rollout(), ...(corrupt ? { corrupt } : {}) });
  } finally {
    await release(lease, deps);
  }
}

/** A lease that could not be given up expires by itself, and must not take the place of what the command has to say. */
async function release(lease: HeldLease, { target, context }: RolloutDeps): Promise<void> {
  try {
    await lease.release();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const name = `${target.namespace}/${recordName(target.workload)}`;
    context.log.warning(`The lease ${name} could not be given up; until it expires by itself, the next run has to wait: ${error.message}`);
  }
}

function hold(record: RolloutRecord, { lost, asked }: HeldLease, cancelled: AbortSignal): Held {
  return {
    record,
    signal: AbortSignal.any([cancelled, lost, asked]),
    async afterRequest(error) {
      const request = requestIn(asked.aborted ? asked.reason : error);
      if (!request || cancelled.aborted || lost.aborted) return undefined;
      await record.read();
      return { record, signal: AbortSignal.any([cancelled, lost]), asked: { kind: 'abort', ...request } };
    },
  };
}

function requestIn(error: unknown): { reason: string; summary: string } | undefined {
  if (!(error instanceof OperationError && error.reason === 'ASKED_TO_GO_BACK')) return undefined;
  const { reason, summary } = error.details as { reason: string; summary: string };
  return { reason, summary };
}

function readStable(client: KubeClient, { target }: RolloutDeps): Promise<unknown> {
  return readWorkload(client, target.namespace, target.workload, target.container);
}
