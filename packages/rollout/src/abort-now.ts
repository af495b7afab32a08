import type { TrafficRouter } from '@slipway/cluster';
import type { Log } from '@slipway/core';

/** A guard for the time in which the canary has users. */
export interface Guard {
  /** The patch that was sent because of a cancellation; undefined when there was none. Never rejects. */
  sent(): Promise<'safe' | 'unsent'> | undefined;
  disarm(): void;
}

/**
 * From now on, the moment `signal` aborts, the one patch that sends all users to stable goes out: prepared beforehand from what was last
 * read, on the connection that is open already, before anything else is unwound. GitHub gives a cancelled step 7.5 s; users must not wait.
 */
export function guard(router: TrafficRouter, signal: AbortSignal, log: Log): Guard {
  let patch: Promise<'safe' | 'unsent'> | undefined;
  const onAbort = () => {
    patch = send(router, log);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return { sent: () => patch, disarm: () => signal.removeEventListener('abort', onAbort) };
}

async function send(router: TrafficRouter, log: Log): Promise<'safe' | 'unsent'> {
  const words = router.safePatch()?.words ?? 'send all users to stable';
  try {
    await router.makeSafe();
    log.notice(`Cancelled: ${words}: done.`);
    return 'safe';
  } catch (error) {
    log.error(`Cancelled, and could not ${words}: ${error instanceof Error ? error.message : String(error)}`);
    return 'unsent';
  }
}
