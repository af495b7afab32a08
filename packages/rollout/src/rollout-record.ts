import {
  askedToGoBack,
  configMapStore,
  type DocumentStore,
  type HeldLease,
  type KubeClient,
  routingWords,
  type Stored,
} from '@slipway/cluster';
import { type Clock, OperationError } from '@slipway/core';
import type { Change } from './decide.js';
import { parseState } from './parse-state.js';
import { isGoingBack, type RolloutState } from './state.js';

/** How many lines of history the state keeps. */
const LOG_LINES = 50;

/** Name of a target's state ConfigMap and of its Lease. */
export function recordName(workload: string): string {
  return `slipway-${workload}`;
}

/** The store of a target's state. Sends nothing yet. */
export function rolloutStore(client: KubeClient, namespace: string, workload: string): DocumentStore<RolloutState> {
  return configMapStore<RolloutState>(client, {
    namespace,
    name: recordName(workload),
    key: 'state.json',
    schema: 1,
    labels: { 'app.kubernetes.io/managed-by': 'slipway' },
    parse: parseState,
  });
}

/**
 * The state of one target while this process holds its lease. Each write raises the generation, carries the lease's fencing number, and is
 * refused by the API server when somebody wrote in between; so a run that lost its lease fails here, before the change that it was about to make.
 */
export class RolloutRecord {
  constructor(
    private readonly store: DocumentStore<RolloutState>,
    private readonly lease: HeldLease,
    private readonly clock: Clock,
    private stored: Stored<RolloutState> | undefined,
  ) {}

  get state(): RolloutState | undefined {
    return this.stored?.value;
  }

  /** True while nothing was written under this lease, and the state that was found instead is of an earlier one. */
  get mayDecideAgain(): boolean {
    return this.stored !== undefined && this.stored.value.fencing < this.lease.fencing;
  }

  async read(): Promise<RolloutState | undefined> {
    this.stored = await this.store.read();
    return this.stored?.value;
  }

  /** Writes `next`; `what` is added to its history. Reasons: ROLLOUT_SUPERSEDED, ASKED_TO_GO_BACK, LEASE_LOST. */
  async write(next: RolloutState, what?: string): Promise<RolloutState> {
    this.lease.assertHeld();
    this.refuseNewer(this.stored?.value);
    const value = this.stamped(next, what);
    try {
      this.stored = await this.store.write(value, this.stored);
      return value;
    } catch (error) {
      if (!(error instanceof OperationError && error.reason === 'CONFLICT')) throw error;
      const ended = await this.readAgain(error, next);
      const again = { ...value, ...(ended ? { ended } : {}) };
      this.stored = await this.store.write(again, this.stored);
      return again;
    }
  }

  /** Writes down a change before it is made. */
  intend(state: RolloutState, { change, ...to }: Change): Promise<RolloutState> {
    const words = Object.entries(to).map(([key, value]) => (key === 'routing' ? routingWords(value) : `${key} ${value}`));
    return this.write({ ...state, intent: { change, to, at: this.now() } }, [change, ...words].join(' '));
  }

  now(): string {
    return new Date(this.clock.now()).toISOString();
  }

  private stamped(next: RolloutState, what: string | undefined): RolloutState {
    const log = what === undefined ? next.log : [...next.log, { at: this.now(), what }].slice(-LOG_LINES);
    return { ...next, log, generation: (this.stored?.value.generation ?? 0) + 1, fencing: this.lease.fencing };
  }

  /** After a conflict: only a write of our own (its answer lost), or one that left the state alone (a label), may be built upon. */
  private async readAgain(conflict: OperationError, next: RolloutState): Promise<RolloutState['ended'] | undefined> {
    const before = this.stored?.value;
    this.stored = await this.store.read();
    const there = this.stored?.value;
    const turned = before !== undefined && there?.id === before.id && isGoingBack(there) && !isGoingBack(before);
    if (turned && !isGoingBack(next)) throw sentBack(there, conflict);
    if (there?.fencing === this.lease.fencing) return turned ? there.ended : undefined;
    if (there !== undefined && there.generation === before?.generation && there.fencing === before.fencing) return undefined;
    throw superseded(there, conflict);
  }

  private refuseNewer(there: RolloutState | undefined): void {
    if (there && there.fencing > this.lease.fencing) throw superseded(there);
  }
}

/** An abort from elsewhere does not wait for our lease; it writes that users are on their way back, and is not to be overwritten. */
function sentBack({ ended }: RolloutState, conflict: OperationError): OperationError {
  const { reason = 'ABORTED', summary = 'no reason recorded.' } = ended ?? {};
  return askedToGoBack({ by: 'Another run', reason, summary }, conflict);
}

function superseded(there: RolloutState | undefined, cause?: unknown): OperationError {
  const who = there ? `another run (${there.runUrl ?? there.stepBy ?? 'unknown'}) has written it since` : 'somebody deleted it';
  return new OperationError(`The rollout's state is no longer what this run last saw: ${who}. Nothing more was changed.`, {
    reason: 'ROLLOUT_SUPERSEDED',
    next: ['See where it stands: `canary-deploy` with command `status`.'],
    ...(cause === undefined ? {} : { cause }),
  });
}
