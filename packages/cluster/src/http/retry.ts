import type { HttpAnswer, TransportFailure } from './transport.js';

/** What came of one attempt: an answer, or none. */
export type Attempt = { answer: HttpAnswer; failure?: undefined } | { answer?: undefined; failure: TransportFailure };

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Whether to ask again. `repeatable`: doing it twice is the same as doing it once (reads, and writes that set rather than add). Other writes
 * are repeated only when the server surely did not act. Pure.
 */
export function isRetryable(attempt: Attempt, repeatable: boolean): boolean {
  if (attempt.failure)
    return attempt.failure.kind === 'unsent' ? !isTls(attempt.failure) : attempt.failure.kind === 'unknown' && repeatable;
  const { status } = attempt.answer;
  if (status === 429) return true;
  return status >= 500 && status !== 501 && status !== 505 && repeatable;
}

/** Whether the server may have acted although no good answer came. Pure. */
export function isAmbiguous(attempt: Attempt): boolean {
  return attempt.failure ? attempt.failure.kind !== 'unsent' : attempt.answer.status >= 500;
}

/**
 * Milliseconds before the next attempt: what the server asks for (Retry-After, seconds or a date), else twice as long each time, of which a
 * random half, so that many clients do not come back together. `attempt` counts from 1. Pure.
 */
export function pauseBefore(attempt: number, answer: HttpAnswer | undefined, now: number, random: number): number {
  const asked = retryAfter(answer?.headers['retry-after'], now);
  if (asked !== undefined) return asked;
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  return longest * (0.5 + random / 2);
}

function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** A certificate that is not trusted will not be in a second. */
function isTls(failure: TransportFailure): boolean {
  return failure.message.startsWith('the TLS connection');
}
