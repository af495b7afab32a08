import type { Clock } from '@slipway/core';
import { apiError, type Operation, unavailable } from './api-errors.js';
import type { CredentialSource } from './credentials.js';
import { type Attempt, isRetryable, pauseBefore } from './retry.js';
import { exchange, type HttpAnswer, TransportFailure } from './transport.js';

/** One call of the API. */
export interface Call {
  operation: Operation;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API, encoded: `/api/v1/…`. */
  path: string;
  query?: Record<string, string>;
  contentType?: string;
  body?: unknown;
  accept?: string;
  /** Doing it twice is the same as doing it once. */
  repeatable: boolean;
  timeoutMs?: number | undefined;
  /** Longest time for all attempts, milliseconds. */
  deadlineMs?: number;
  signal?: AbortSignal | undefined;
}

export interface RequesterOptions {
  /** Address of the API server, maybe with a path. */
  server: string;
  credentials: CredentialSource;
  clock: Clock;
  random: () => number;
  timeoutMs: number;
  deadlineMs: number;
  userAgent: string;
  /** Counts per verb. */
  requests: Record<string, number>;
  /** Hears the `Date` header of every answer, and when the request was sent. */
  onDate?: ((date: string | undefined, sentAt: number) => void) | undefined;
}

export type Requester = (call: Call) => Promise<HttpAnswer>;

const MAX_ANSWER_BYTES = 50_000_000;
/** Less than this is not enough for an attempt. */
const SHORTEST_ATTEMPT_MS = 250;

/** Sends calls with time limits, retries and one renewal of credentials; resolves with a 2xx answer, rejects with OperationError. */
export function requester(options: RequesterOptions): Requester {
  const { server, credentials, clock, requests } = options;

  async function once(call: Call, timeoutMs: number): Promise<Attempt> {
    const known = await credentials.current();
    const sentAt = clock.now();
    try {
      const answer = await exchange(toHttp(call, options), known, { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal: call.signal });
      options.onDate?.(answer.headers.date, sentAt);
      return { answer };
    } catch (failure) {
      if (failure instanceof TransportFailure) return { failure };
      throw failure;
    }
  }

  return async (call) => {
    const began = clock.now();
    const deadline = began + (call.deadlineMs ?? options.deadlineMs);
    let renewed = false;
    for (let count = 1; ; count++) {
      requests[call.operation.verb] = (requests[call.operation.verb] ?? 0) + 1;
      const attempt = await once(
        call,
        Math.min(call.timeoutMs ?? options.timeoutMs, Math.max(deadline - clock.now(), SHORTEST_ATTEMPT_MS)),
      );
      const status = attempt.answer?.status ?? 0;
      if (attempt.answer && status >= 200 && status < 300) return attempt.answer;
      if (status === 401 && !renewed) {
        renewed = true;
        await credentials.renew();
        continue;
      }
      if (attempt.answer && !isTemporary(status)) throw apiError(attempt.answer, call.operation);
      const pause = pauseBefore(count, attempt.answer, clock.now(), options.random());
      const late = clock.now() + pause + SHORTEST_ATTEMPT_MS > deadline;
      if (late || !isRetryable(attempt, call.repeatable)) {
        throw unavailable(attempt, call.operation, server, count, (clock.now() - began) / 1000);
      }
      await clock.sleep(pause, call.signal);
    }
  };
}

function isTemporary(status: number): boolean {
  return status === 429 || status >= 500;
}

/** A call as HTTP; the credentials are put in when it is sent. Pure. */
export function toHttp(call: Call, { server, userAgent }: Pick<RequesterOptions, 'server' | 'userAgent'>) {
  const url = new URL(server.replace(/\/$/, '') + call.path);
  for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
  const headers = {
    Accept: call.accept ?? 'application/json',
    'User-Agent': userAgent,
    ...(call.body === undefined ? {} : { 'Content-Type': call.contentType ?? 'application/json' }),
  };
  return { method: call.method, url, headers, ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }) };
}
