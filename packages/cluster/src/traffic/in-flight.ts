import type { Clock } from '@slipway/core';

/**
 * Remembers the last write that was sent, so that the patch for the way out is not overtaken by one that is still on its way: two requests
 * sent one after the other may be done in either order.
 */
export interface InFlight {
  send<T>(write: () => Promise<T>): Promise<T>;
  /** Resolves when the last write has been answered, or after `ms`. Never rejects. */
  settled(clock: Clock, ms: number): Promise<void>;
}

export function inFlight(): InFlight {
  let last: Promise<unknown> | undefined;
  return {
    async send(write) {
      const answer = write();
      last = answer.catch(() => undefined);
      const mine = last;
      try {
        return await answer;
      } finally {
        if (last === mine) last = undefined;
      }
    },
    async settled(clock, ms) {
      if (!last) return;
      const done = new AbortController();
      await Promise.race([last, clock.sleep(ms, done.signal).catch(() => undefined)]);
      done.abort();
    },
  };
}
