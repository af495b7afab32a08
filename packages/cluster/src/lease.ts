import { type Clock, OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from './kube.js';
import { apiVersionOf, resources } from './resources.js';

export interface LeaseOptions {
  namespace: string;
  /** `slipway-<workload>`. */
  name: string;
  /** Who holds it: `owner/repo/run_id/attempt/job` or `user@host/pid`. */
  holder: string;
  clock: Clock;
  /** Seconds after the last renewal at which others may take over; default 60. */
  durationSeconds?: number;
  /** Seconds between renewals; default 15. */
  renewSeconds?: number;
  /** Milliseconds to wait for a holder that seems dead before LEASE_HELD; default a little more than the duration. 0: do not wait. */
  waitMs?: number;
  /** Fencing number of the stored state: a lease that somebody deleted starts above it. */
  fencingAbove?: number;
  /** Ends the wait. */
  signal?: AbortSignal;
  /** Told when it waits for a holder that may be dead: one sentence. */
  onWait?: (words: string) => void;
  /** Called at each look that finds another holding it. True: that one was asked to give it up, so it is waited for even when it is alive. */
  whileHeld?: (holder: string) => Promise<boolean>;
}

/** A lease that this process holds. */
export interface HeldLease {
  readonly holder: string;
  /** `leaseTransitions`: raised with every take-over; copied into the rollout state. */
  readonly fencing: number;
  /** Aborts when the lease was taken by another or could not be renewed in time: stop writing. */
  readonly lost: AbortSignal;
  /** Aborts, at a renewal, when another asked by {@link askHolder} that the work be ended. Reason: ASKED_TO_GO_BACK (details: the request). */
  readonly asked: AbortSignal;
  /** Throws LEASE_LOST when another holds it, or when its time is over by this process's clock. No request. Call before each write. */
  assertHeld(): void;
  /** Renews now (the background renewal calls it too). */
  renew(): Promise<void>;
  /** Stops renewing and gives it up; never throws because another has it already. */
  release(client?: KubeClient): Promise<void>;
}

/** What one that does not hold the lease wants of its holder. */
export interface LeaseRequest {
  /** Who asks. */
  by: string;
  /** A code, and a sentence. */
  reason: string;
  summary: string;
}

/** How the work of a holder ends that another asked to go back. */
export function askedToGoBack({ by, reason, summary }: LeaseRequest, cause?: unknown): OperationError {
  return new OperationError(`${by} sent users back meanwhile (${reason}): ${summary}`, {
    reason: 'ASKED_TO_GO_BACK',
    next: ['See where the rollout stands: `canary-deploy` with command `status`.'],
    details: { by, reason, summary },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Who holds a lease, as its object says. */
export interface LeaseRecord {
  holder: string | null;
  /** RFC 3339. */
  since: string | null;
  renewedAt: string | null;
  /** When others may take over; null when nobody holds it. */
  until: string | null;
  fencing: number;
}

const DURATION_SECONDS = 60;
const RENEW_SECONDS = 15;
/** How far two runners' clocks may be apart. */
const SKEW_MS = 10_000;
const LOOK_EVERY_MS = 2_000;
const RELEASE_ATTEMPTS = 3;
const REQUEST_ATTEMPTS = 3;
/** How long a holder that is alive is waited for when it was asked to come to its end. */
const PATIENCE_MS = 180_000;
/** A {@link LeaseRequest} as JSON, with the fencing number of the holder that it is for. */
const REQUEST = 'slipway.dev/go-back';

/** Reads who holds a lease; undefined when it was never taken. */
export async function readLease(client: KubeClient, namespace: string, name: string): Promise<LeaseRecord | undefined> {
  const lease = await client.find(resources.leases, namespace, name);
  return lease && recordOf(lease);
}

/**
 * Asks the holder to end its work and go back, by an annotation that it sees at its next renewal. False: nobody holds the lease, or it
 * changes too fast.
 */
export async function askHolder(client: KubeClient, namespace: string, name: string, request: LeaseRequest): Promise<boolean> {
  for (let attempt = 1; attempt <= REQUEST_ATTEMPTS; attempt++) {
    const lease = await client.find(resources.leases, namespace, name);
    if (!lease?.spec?.holderIdentity) return false;
    const value = JSON.stringify({ ...request, fencing: lease.spec.leaseTransitions });
    const annotations = { ...lease.metadata.annotations, [REQUEST]: value };
    const next = { ...lease, metadata: { ...lease.metadata, annotations } };
    if (await unlessRefused(['CONFLICT', 'NOT_FOUND'], () => client.replace(resources.leases, namespace, name, next))) return true;
  }
  return false;
}

/** What the holder of this lease is asked; undefined: nothing, or it was for an earlier holder. */
function requestIn(lease: KubeObject): LeaseRequest | undefined {
  const text = lease.metadata.annotations?.[REQUEST];
  if (text === undefined) return undefined;
  try {
    const { by, reason, summary, fencing } = JSON.parse(text);
    const sound = [by, reason, summary].every((each) => typeof each === 'string' && each !== '');
    return sound && fencing === lease.spec?.leaseTransitions ? { by, reason, summary } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the lease and keeps it renewed in the background until it is released.
 *
 * It is free when nobody holds it, when the same holder had it (the `post` step of a killed `main`), or when an earlier attempt of the same job
 * had it (GitHub starts a re-run only after the run has ended). Otherwise the holder must be dead: its renewal was watched here, by this clock,
 * and did not come for the whole duration; or it did not come for more than one renewal and the lease is over by more than clocks may differ.
 *
 * Reason: LEASE_HELD (details: holder, since, until).
 */
export async function acquireLease(client: KubeClient, options: LeaseOptions): Promise<HeldLease> {
  const { namespace, name, holder, clock } = options;
  const durationMs = (options.durationSeconds ?? DURATION_SECONDS) * 1000;
  const waitMs = options.waitMs ?? durationMs + SKEW_MS;
  const began = clock.now();
  let watched: { renewTime: string; at: number } | undefined;
  let told = false;
  let patient = false;
  for (;;) {
    const lease = await client.find(resources.leases, namespace, name);
    if (!lease) {
      const created = await createLease(client, options);
      if (created) return hold(client, created, options);
      continue;
    }
    const renewTime: string = lease.spec?.renewTime ?? '';
    const alive = watched !== undefined && watched.renewTime !== renewTime;
    if (watched === undefined || alive) watched = { renewTime, at: clock.now() };
    if (isFree(lease, holder) || isDead(lease, clock.now() - watched.at, options)) {
      const taken = await takeOver(client, lease, options);
      if (taken) return hold(client, taken, options);
      continue;
    }
    if (await options.whileHeld?.(lease.spec?.holderIdentity)) patient = true;
    const waited = clock.now() - began;
    const longest = patient ? Math.max(waitMs, PATIENCE_MS) : waitMs;
    if ((alive && !patient) || waited >= longest) throw held(lease, alive, options);
    if (!told) options.onWait?.(waitingFor(lease, options));
    told = true;
    await clock.sleep(Math.min(LOOK_EVERY_MS, longest - waited), options.signal);
  }
}

/** Whether `holder` may take a lease of `previous` at once: the same one, or a later attempt of the same job. Pure. */
export function supersedes(holder: string, previous: string): boolean {
  if (holder === previous) return true;
  const mine = holder.split('/');
  const theirs = previous.split('/');
  if (mine.length !== 5 || theirs.length !== 5) return false;
  const attempt = 3;
  const sameJob = mine.every((part, index) => index === attempt || part === theirs[index]);
  return sameJob && Number(mine[attempt]) > Number(theirs[attempt]);
}

function isFree(lease: KubeObject, holder: string): boolean {
  const current: string = lease.spec?.holderIdentity ?? '';
  return current === '' || supersedes(holder, current);
}

function isDead(lease: KubeObject, unchangedMs: number, options: LeaseOptions): boolean {
  const durationMs = (lease.spec?.leaseDurationSeconds ?? DURATION_SECONDS) * 1000;
  if (unchangedMs >= durationMs) return true;
  const renewMs = (options.renewSeconds ?? RENEW_SECONDS) * 1000;
  const renewedAt = Date.parse(lease.spec?.renewTime ?? '');
  return unchangedMs > renewMs && options.clock.now() > renewedAt + durationMs + SKEW_MS;
}

async function createLease(client: KubeClient, options: LeaseOptions): Promise<KubeObject | undefined> {
  const { namespace, name } = options;
  const body = {
    apiVersion: apiVersionOf(resources.leases),
    kind: resources.leases.kind,
    metadata: { name, namespace },
    spec: specOf(options, (options.fencingAbove ?? 0) + 1),
  };
  return unlessRefused(['ALREADY_EXISTS', 'CONFLICT'], () => client.create(resources.leases, namespace, body));
}

function takeOver(client: KubeClient, lease: KubeObject, options: LeaseOptions): Promise<KubeObject | undefined> {
  const fencing = Math.max(lease.spec?.leaseTransitions ?? 0, options.fencingAbove ?? 0) + 1;
  const { [REQUEST]: _answered, ...annotations } = lease.metadata.annotations ?? {};
  const next = { ...lease, metadata: { ...lease.metadata, annotations }, spec: { ...lease.spec, ...specOf(options, fencing) } };
  return unlessRefused(['CONFLICT', 'NOT_FOUND'], () => client.replace(resources.leases, options.namespace, options.name, next));
}

async function unlessRefused<T>(reasons: string[], body: () => Promise<T>): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof OperationError && reasons.includes(error.reason)) return undefined;
    throw error;
  }
}

function hold(initial: KubeClient, taken: KubeObject, options: LeaseOptions): HeldLease {
  const { namespace, name, holder, clock } = options;
  // Renewing and releasing go on after a cancellation: the way out needs the lease, too.
  const client = initial.withSignal(undefined);
  const durationMs = (options.durationSeconds ?? DURATION_SECONDS) * 1000;
  const renewMs = (options.renewSeconds ?? RENEW_SECONDS) * 1000;
  const fencing: number = taken.spec.leaseTransitions;
  const lost = new AbortController();
  const asked = new AbortController();
  let current = taken;
  // When the request was made, not when it was answered: others count from what is written in the lease.
  let renewedAt = Date.parse(taken.spec.renewTime);
  let released = false;

  function lose(why: string): OperationError {
    const error = new OperationError(`The lease ${namespace}/${name} is no longer ours (${holder}): ${why}. Nothing more is written.`, {
      reason: 'LEASE_LOST',
      next: ['Look at what the other run does (its URL is in the rollout state), then run `status` again.'],
    });
    lost.abort(error);
    return error;
  }

  function assertHeld(): void {
    if (lost.signal.aborted) throw lost.signal.reason;
    if (clock.now() - renewedAt >= durationMs) throw lose('it could not be renewed in time');
  }

  async function renew(): Promise<void> {
    if (released) return;
    const at = clock.now();
    try {
      current = await client.replace(resources.leases, namespace, name, {
        ...current,
        spec: { ...current.spec, renewTime: microTime(at) },
      });
    } catch (error) {
      if (!(error instanceof OperationError) || (error.reason !== 'CONFLICT' && error.reason !== 'NOT_FOUND')) throw error;
      // Ours with another version: an earlier renewal whose answer was lost, somebody touched its labels, or asks us for something.
      const there = await client.find(resources.leases, namespace, name);
      if (released) return;
      if (there?.spec?.holderIdentity !== holder || there.spec.leaseTransitions !== fencing) {
        throw lose(there?.spec?.holderIdentity ? `${there.spec.holderIdentity} has it` : 'it was given up or deleted');
      }
      const request = requestIn(there);
      if (request && !asked.signal.aborted) asked.abort(askedToGoBack(request));
      current = await client.replace(resources.leases, namespace, name, { ...there, spec: { ...there.spec, renewTime: microTime(at) } });
    }
    renewedAt = at;
  }

  // A real timer whatever the clock is: it must not keep the process alive, nor run by itself under a test's clock.
  const timer = setInterval(() => void renew().catch(() => expireIfLate()), renewMs).unref();

  /** A renewal that failed is tried again at the next tick, unless it is too late. */
  function expireIfLate(): void {
    if (clock.now() - renewedAt >= durationMs && !lost.signal.aborted) lose('it could not be renewed in time');
    if (lost.signal.aborted) clearInterval(timer);
  }

  return {
    holder,
    fencing,
    lost: lost.signal,
    asked: asked.signal,
    assertHeld,
    renew,
    async release(by = client) {
      clearInterval(timer);
      released = true;
      // A renewal that was on its way may come in between, and the next job would wait for a holder that is gone.
      for (let attempt = 1; attempt <= RELEASE_ATTEMPTS; attempt++) {
        const there = await by.find(resources.leases, namespace, name);
        if (there?.spec?.holderIdentity !== holder || there.spec.leaseTransitions !== fencing) return;
        const next = { ...there, spec: { ...there.spec, holderIdentity: '', renewTime: microTime(clock.now()) } };
        if (await unlessRefused(['CONFLICT', 'NOT_FOUND'], () => by.replace(resources.leases, namespace, name, next))) return;
      }
    },
  };
}

function specOf({ holder, clock, durationSeconds = DURATION_SECONDS }: LeaseOptions, transitions: number) {
  const now = microTime(clock.now());
  return {
    holderIdentity: holder,
    leaseDurationSeconds: durationSeconds,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: transitions,
  };
}

/** The API's MicroTime: RFC 3339 with six decimals. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function recordOf({ spec = {} }: KubeObject): LeaseRecord {
  const { holderIdentity, acquireTime, renewTime, leaseDurationSeconds = DURATION_SECONDS, leaseTransitions = 0 } = spec;
  const holder = holderIdentity || null;
  const renewed = Date.parse(renewTime ?? '');
  const until = holder === null || Number.isNaN(renewed) ? null : new Date(renewed + leaseDurationSeconds * 1000).toISOString();
  return { holder, since: acquireTime ?? null, renewedAt: renewTime ?? null, until, fencing: leaseTransitions };
}

function waitingFor(lease: KubeObject, { namespace, name }: LeaseOptions): string {
  const { holder, renewedAt } = recordOf(lease);
  const longest = lease.spec?.leaseDurationSeconds ?? DURATION_SECONDS;
  return `The lease ${namespace}/${name} is held by ${holder}, renewed at ${renewedAt}; waiting, ${longest} s at most, to see whether it is alive`;
}

function held(lease: KubeObject, alive: boolean, { namespace, name }: LeaseOptions): OperationError {
  const { holder, since, until } = recordOf(lease);
  return new OperationError(
    `${holder} holds the lease ${namespace}/${name} since ${since}, ${alive ? 'and is alive (it was just renewed)' : `for now until ${until}`}.`,
    {
      reason: 'LEASE_HELD',
      next: [
        'Wait for that run to end (or cancel it: it gives the lease up), then run this again.',
        `Only if it is certainly gone: kubectl -n ${namespace} patch lease/${name} --type=merge -p '{"spec":{"holderIdentity":""}}'`,
      ],
      details: { holder, since, until },
    },
  );
}
