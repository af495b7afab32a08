import type { Clock } from '../clock.js';

/** How to make a request. Everything has a default. */
export interface HttpOptions {
  /** Default GET. */
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as it is; an object is sent as JSON. */
  body?: string | object;
  /** Longest time for one attempt with its whole answer, milliseconds. Default 10 s. */
  timeoutMs?: number;
  /** Ends the request, and the waiting between attempts, with its reason. */
  signal?: AbortSignal;
  /** Further attempts after 429, 5xx, a time-out or a broken connection, for idempotent methods only. Default 3. */
  retries?: number;
  /** The request may be repeated although its method does not say so. */
  idempotent?: boolean;
  /** First pause between attempts, doubled each time, milliseconds; half of it is random. Default 250. */
  backoffMs?: number;
  /** Longest pause that a server may ask for by Retry-After; a longer one ends in failure. Default 60 s. */
  maxWaitMs?: number;
  /** Largest answer taken, bytes. Default 10 MB. */
  maxBytes?: number;
  /** Who answers, for messages: `Prometheus`. Default: the host. */
  server?: string;
  /** The reason of the OperationError, when the usual ones (http/failure.ts) are not those of the action's contract. */
  reason?: string;
  /** What a person can do, for the OperationError. */
  next?: readonly string[];
  clock?: Clock;
  /** For tests; default: the global fetch. */
  fetch?: typeof fetch;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  text: string;
}
