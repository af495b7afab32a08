import { type Clock, OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch, Resource } from '../kube.js';
import { inFlight } from './in-flight.js';

/** How often a change is computed anew because somebody else changed the object between reading and writing. */
const ATTEMPTS = 5;
/** Time in which a change that did not get through is computed anew, milliseconds: what the client gives one request with all its repeats. */
const DEADLINE_MS = 30_000;
/** Less than this is not worth another attempt; a client gives up a little before its own deadline. */
const SHORTEST_MS = 6_000;
/** Longest wait for an earlier write's answer before the patch of the way out is sent. */
const OVERTAKE_MS = 1_000;
/** The way out has little time; a request that hangs must leave some for the next. */
const SAFE_PATCH_TIMEOUT_MS = 1_500;

/** The change that makes an object what is wanted; undefined: it is so. */
export type Compute<T> = (seen: T) => Patch | undefined;

/** One object of which a router changes a part, read and written so that a change of somebody else is noticed and never overwritten. */
export interface ManagedObject<T> {
  /** What was read, or written, last; undefined before that. */
  last(): { seen: T } | undefined;
  read(): Promise<T>;
  /**
   * Reads, computes and writes until nothing is to be written; again when somebody else was faster, or an answer was lost. After the signal
   * it writes nothing any more: then only {@link ManagedObject.overtake} may.
   */
  converge(compute: Compute<T>): Promise<void>;
  /** The same for the way out, by a client that no signal stops: at once from what was last read, after any write that is still on its way. */
  overtake(compute: Compute<T>, by?: KubeClient): Promise<void>;
}

export interface ManagedObjectOptions<T> {
  resource: Resource;
  namespace: string;
  name: string;
  clock: Clock;
  signal?: AbortSignal | undefined;
  /** What the rules need of the object; throws OperationError when it cannot be used, or is not there. Pure. */
  parse: (object: KubeObject | undefined) => T;
}

/** Sends nothing yet. */
export function managedObject<T>(initial: KubeClient, options: ManagedObjectOptions<T>): ManagedObject<T> {
  const { resource, namespace, name, clock, signal } = options;
  const client = signal ? initial.withSignal(signal) : initial;
  const writes = inFlight();
  let last: { seen: T } | undefined;

  function remember(object: KubeObject | undefined): T {
    last = { seen: options.parse(object) };
    return last.seen;
  }

  async function readBy(by: KubeClient): Promise<T> {
    return remember(await by.find(resource, namespace, name));
  }

  // A write that was begun is not cut off by the signal: whether it was done must be known before the way out is taken.
  async function write(by: KubeClient, patch: Patch, limits: { timeoutMs?: number } = {}): Promise<void> {
    remember(await writes.send(() => by.withSignal(undefined).patch(resource, namespace, name, patch, limits)));
  }

  async function convergeBy(by: KubeClient, compute: Compute<T>, began = clock.now()): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const patch = compute(await readBy(by));
      if (!patch) return;
      if (by === client) signal?.throwIfAborted();
      try {
        return await write(by, patch);
      } catch (error) {
        if (!mayBeStale(error) || attempt >= ATTEMPTS || clock.now() - began >= DEADLINE_MS - SHORTEST_MS) throw error;
      }
    }
  }

  return {
    last: () => last,
    read: () => readBy(client),
    converge: (compute) => convergeBy(client, compute),
    async overtake(compute, by = initial) {
      const began = clock.now();
      await writes.settled(clock, OVERTAKE_MS);
      const free = by.withSignal(undefined);
      const patch = last && compute(last.seen);
      if (patch) {
        try {
          return await write(free, patch, { timeoutMs: SAFE_PATCH_TIMEOUT_MS });
        } catch (error) {
          if (!mayBeStale(error) || clock.now() - began >= DEADLINE_MS - SHORTEST_MS) throw error;
        }
      }
      await convergeBy(free, compute, began);
    },
  };
}

/** A test of the patch failed, or the object is gone, or nobody knows whether it was done: reading again tells. */
function mayBeStale(error: unknown): boolean {
  if (!(error instanceof OperationError)) return false;
  return ['CONFLICT', 'NOT_FOUND'].includes(error.reason) || (error.reason === 'API_UNAVAILABLE' && error.details.ambiguous === true);
}
