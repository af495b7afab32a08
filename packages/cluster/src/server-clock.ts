import type { Clock } from '@slipway/core';

/** A difference that a `Date` header of whole seconds and a slow answer cannot explain, milliseconds. */
const NOTICEABLE_MS = 5_000;

export interface ServerClock extends Clock {
  /** Tells it an answer's `Date` header, and when (by the own clock) the request was sent. The first that can be read counts. */
  observe(date: string | undefined, sentAt: number): void;
}

/**
 * A clock that shows the API server's time where the own one is off, so that times which several machines write and compare (a step's start, a
 * pod's age, a lease) have one source. It is set once, by the first answer, and does not jump after that.
 *
 * `onSkew`: called with the difference in milliseconds (own minus the server's) when it is noticeable.
 */
export function serverClock(own: Clock, onSkew: (ms: number) => void): ServerClock {
  let behind: number | undefined;
  return {
    now: () => own.now() + (behind ?? 0),
    sleep: (ms, signal) => own.sleep(ms, signal),
    observe(date, sentAt) {
      const server = Date.parse(date ?? '');
      if (behind !== undefined || Number.isNaN(server)) return;
      const now = own.now();
      // Anywhere between sending and hearing, within the second that the header names.
      const skew = now < server ? server - now : Math.max(0, sentAt - (server + 1_000)) * -1;
      behind = Math.abs(skew) < NOTICEABLE_MS ? 0 : skew;
      if (behind !== 0) onSkew(-behind);
    },
  };
}
