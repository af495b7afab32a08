import { isNativeError } from 'node:util/types';
import { formatDuration } from '../duration.js';
import { OperationError } from '../errors.js';
import { redactText, redactUrl, secretsOf } from './redact.js';

/** What went wrong with one attempt. */
export type Failure =
  | { kind: 'status'; status: number; text: string; retryAfter?: number }
  | { kind: 'timeout'; timeoutMs: number }
  | { kind: 'network'; error: unknown }
  | { kind: 'too-large'; maxBytes: number }
  | { kind: 'not-json'; text: string; contentType: string; error: unknown };

export interface FailedRequest {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  server?: string | undefined;
  reason?: string | undefined;
  next?: readonly string[] | undefined;
  attempts: number;
}

/** The failure as an OperationError that names who, what and why, without any credential. */
export function failureError(request: FailedRequest, failure: Failure): OperationError {
  const secrets = secretsOf(request.url, request.headers);
  const url = redactUrl(request.url);
  const tries = request.attempts > 1 ? ` (${request.attempts} attempts)` : '';
  const why = redactText(describe(failure), secrets);
  const cause = failure.kind === 'network' || failure.kind === 'not-json' ? { cause: redactedCause(failure.error, secrets) } : {};
  return new OperationError(`${request.server ?? request.url.host}: ${request.method} ${url} ${why}${tries}`, {
    reason: request.reason ?? reasonOf(failure),
    ...(request.next ? { next: request.next } : {}),
    details: { url, method: request.method, attempts: request.attempts, ...(failure.kind === 'status' ? { status: failure.status } : {}) },
    ...cause,
  });
}

/** Whether another attempt may succeed where this one failed. */
export function isTransient(failure: Failure): boolean {
  if (failure.kind === 'status') return failure.status === 429 || failure.status >= 500;
  return failure.kind === 'timeout' || failure.kind === 'network';
}

function reasonOf(failure: Failure): string {
  if (failure.kind === 'too-large' || failure.kind === 'not-json') return 'BAD_ANSWER';
  if (failure.kind !== 'status') return 'UNAVAILABLE';
  if (failure.status >= 500) return 'UNAVAILABLE';
  return (
    { 401: 'UNAUTHENTICATED', 403: 'FORBIDDEN', 404: 'NOT_FOUND', 409: 'CONFLICT', 429: 'RATE_LIMITED' }[failure.status] ??
    'REQUEST_REFUSED'
  );
}

function describe(failure: Failure): string {
  switch (failure.kind) {
    case 'status': {
      const wait = failure.retryAfter === undefined ? '' : `, and asks to wait ${formatDuration(failure.retryAfter)}`;
      const said = explanationIn(failure.text);
      return `answered ${failure.status}${wait}${said ? `: ${said}` : ''}`;
    }
    case 'timeout':
      return `did not answer within ${formatDuration(failure.timeoutMs)}`;
    case 'network':
      return `failed: ${networkReason(failure.error)}`;
    case 'too-large':
      return `answered more than ${failure.maxBytes} bytes`;
    case 'not-json':
      return `answered what is not JSON (${failure.contentType || 'no content type'}): ${beginning(failure.text)}`;
  }
}

/** The sentence of a JSON error as GitHub, Kubernetes and Prometheus send it, or the beginning of the text. */
function explanationIn(text: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) {
      const { message, error } = answer as Record<string, unknown>;
      const said = [message, error].find((value) => typeof value === 'string');
      if (typeof said === 'string') return beginning(said, 500);
    }
  } catch {
    // Not JSON: the text speaks for itself.
  }
  return beginning(text);
}

function beginning(text: string, length = 200): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'an empty answer';
  return line.length <= length ? line : `${line.slice(0, length)}…`;
}

/** fetch says "fetch failed"; why is in the innermost cause. */
function networkReason(error: unknown): string {
  let innermost = error;
  while (isNativeError(innermost) && isNativeError(innermost.cause)) innermost = innermost.cause;
  // One error per address that was tried (IPv6, IPv4).
  if (isNativeError(innermost) && 'errors' in innermost && Array.isArray(innermost.errors)) innermost = innermost.errors[0];
  return isNativeError(innermost) ? innermost.message || (innermost as NodeJS.ErrnoException).code || innermost.name : String(innermost);
}

/** The cause is printed with stacks and must not tell what the message does not. */
function redactedCause(error: unknown, secrets: readonly string[]): unknown {
  if (!isNativeError(error)) return redactText(String(error), secrets);
  const copy = new Error(
    redactText(error.message, secrets),
    error.cause === undefined ? undefined : { cause: redactedCause(error.cause, secrets) },
  );
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = redactText(error.stack, secrets);
  return Object.assign(copy, 'code' in error ? { code: error.code } : {});
}
