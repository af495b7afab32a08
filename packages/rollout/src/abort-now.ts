import { type PreparedPatch, readWorkload, type TrafficRouter } from '@slipway/cluster';
import type { Log } from '@slipway/core';
import type { Bench } from './act.js';
import { restoreStable } from './restore-stable.js';
import type { RolloutState } from './state.js';

/** What makes users safe, and how it is called: `send all of VirtualService shop/shop to stable`. */
export interface WayOut {
  words: () => string;
  take: () => Promise<void>;
}

/** Everybody to stable by the one patch that the router has prepared. */
export function wayOutByRoute(router: TrafficRouter): WayOut {
  return { words: () => wordsOf(router), take: () => router.makeSafe() };
}

function wordsOf(router: TrafficRouter): string {
  return (
    router
      .wayOut()
      ?.map(({ words }) => words)
      .join(' and ') || 'send all users to stable'
  );
}

/** Stable gets its former pod template, unless it has it; the new pods go as the Deployment's strategy lets them. */
export function wayOutByTemplate(latest: () => RolloutState, { client, deps }: Bench): WayOut {
  const { namespace, workload, container } = deps.target;
  const free = client.withSignal(undefined);
  return {
    words: () => `set Deployment ${namespace}/${workload} back to ${latest().image.from}`,
    take: async () => {
      const state = latest();
      const stable = await readWorkload(free, namespace, workload, container);
      if (stable.image === state.image.to) await restoreStable(free, state, stable);
    },
  };
}

/** Everybody to stable by the patches that the record keeps, without reading anything; what they do not fit any more is read and done anew. */
export function wayOutByRecord(patches: readonly PreparedPatch[], { client, router }: Pick<Bench, 'client' | 'router'>): WayOut {
  const free = client.withSignal(undefined);
  return {
    words: () => patches.map(({ words }) => words).join(' and '),
    take: async () => {
      const sent = await Promise.allSettled(
        patches.map(({ resource, namespace, name, patch }) => free.patch(resource, namespace, name, patch, { timeoutMs: 1_500 })),
      );
      if (sent.some(({ status }) => status === 'rejected')) await router.makeSafe(free);
    },
  };
}

/** First one, then the other; the second is tried even when the first fails. */
export function bothWaysOut(first: WayOut, second: WayOut): WayOut {
  return {
    words: () => `${first.words()} and ${second.words()}`,
    take: async () => {
      const { error } = await first.take().then(
        () => ({ error: undefined }),
        (reason: unknown) => ({ error: reason }),
      );
      await second.take();
      if (error !== undefined) throw error;
    },
  };
}

/** A guard for the time in which the canary has users. */
export interface Guard {
  /** The patch that was sent because of a cancellation; undefined when there was none. Never rejects. */
  sent(): Promise<'safe' | 'unsent'> | undefined;
  disarm(): void;
}

/**
 * From now on, the moment `signal` aborts, the way out is taken: where traffic is routed, one patch that was prepared from what was last read,
 * on the connection that is open already, before anything else is unwound. GitHub gives a cancelled step 7.5 s; users must not wait.
 */
export function guard(way: WayOut, signal: AbortSignal, log: Log): Guard {
  let patch: Promise<'safe' | 'unsent'> | undefined;
  const onAbort = () => {
    patch = send(way, log);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return { sent: () => patch, disarm: () => signal.removeEventListener('abort', onAbort) };
}

async function send(way: WayOut, log: Log): Promise<'safe' | 'unsent'> {
  const words = way.words();
  try {
    await way.take();
    log.notice(`Cancelled: ${words}: done.`);
    return 'safe';
  } catch (error) {
    log.error(`Cancelled, and could not ${words}: ${error instanceof Error ? error.message : String(error)}`);
    return 'unsent';
  }
}
