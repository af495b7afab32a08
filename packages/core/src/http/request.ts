import { type Clock, systemClock } from '../clock.js';
import { UsageError } from '../errors.js';
import { type Failure, failureError, isTransient } from './failure.js';
import type { HttpAnswer, HttpOptions } from './options.js';
import { decoded, redactUrl } from './redact.js';

const idempotentMethods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/**
 * Sends a request and returns the answer's text, trying again where that is safe. Throws OperationError with reason UNAUTHENTICATED,
 * FORBIDDEN, NOT_FOUND, CONFLICT, RATE_LIMITED, REQUEST_REFUSED, UNAVAILABLE or BAD_ANSWER (or `options.reason`), never with a credential in
 * it; rejects with the signal's reason when that aborts.
 */
export async function requestText(url: string | URL, options: HttpOptions = {}): Promise<string> {
  return (await request(url, options)).text;
}

/** As requestText, and parses the answer as JSON. An answer that is none (an error page with status 200) is a BAD_ANSWER. */
export async function requestJson(url: string | URL, options: HttpOptions = {}): Promise<unknown> {
  const headers = { accept: 'application/json', ...options.headers };
  const answer = await request(url, { ...options, headers });
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    const failure: Failure = { kind: 'not-json', text: answer.text, contentType: answer.headers.get('content-type') ?? '', error };
    throw failureError({ ...describeRequest(prepare(url, { ...options, headers }), options), attempts: 1 }, failure);
  }
}

/** As requestText, with status and headers. */
export async function request(url: string | URL, options: HttpOptions = {}): Promise<HttpAnswer> {
  const prepared = prepare(url, options);
  const { clock = systemClock, retries = 3, maxWaitMs = 60_000, signal } = options;
  const repeatable = options.idempotent ?? idempotentMethods.includes(prepared.method);
  for (let attempts = 1; ; attempts++) {
    const tried = await attempt(prepared, options);
    if ('answer' in tried) return tried.answer;
    const { failure } = tried;
    const wait = pause(failure, attempts, options);
    if (!repeatable || attempts > retries || !isTransient(failure) || wait > maxWaitMs) {
      throw failureError({ ...describeRequest(prepared, options), attempts }, failure);
    }
    await clock.sleep(wait, signal);
  }
}

interface Prepared {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body?: string;
}

function prepare(url: string | URL, options: HttpOptions): Prepared {
  if (!URL.canParse(String(url))) throw badUrl(url, 'is not a URL');
  const parsed = new URL(url);
  if (!/^https?:$/.test(parsed.protocol)) throw badUrl(url, 'is not an http or https URL');
  const headers: Record<string, string> = { 'user-agent': 'slipway' };
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
  // fetch refuses URLs that carry a user name and password.
  if (parsed.username || parsed.password) {
    const credentials = `${decoded(parsed.username)}:${decoded(parsed.password)}`;
    headers.authorization ??= `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  const { method = 'GET', body } = options;
  if (typeof body === 'object') headers['content-type'] ??= 'application/json';
  return {
    url: parsed,
    method: method.toUpperCase(),
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
}

function badUrl(url: string | URL, message: string): UsageError {
  return new UsageError([
    { where: 'url', message: `${JSON.stringify(redactUrl(url))} ${message}`, example: 'https://prometheus.example.com' },
  ]);
}

function describeRequest({ url, method, headers }: Prepared, { server, reason, next }: HttpOptions) {
  return { url, method, headers, server, reason, next };
}

type Tried = { answer: HttpAnswer } | { failure: Failure };

/** One attempt. Rejects only when the caller's signal aborts. */
async function attempt({ url, ...init }: Prepared, options: HttpOptions): Promise<Tried> {
  const { timeoutMs = 10_000, maxBytes = 10_000_000, signal } = options;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const timeUp = new Error('time is up');
  const timer = setTimeout(() => controller.abort(timeUp), timeoutMs);
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const response = await (options.fetch ?? fetch)(withoutCredentials(url), { ...init, signal: controller.signal });
    const text = await readText(response, maxBytes);
    if (!response.ok)
      return {
        failure: { kind: 'status', status: response.status, text: text ?? '', ...retryAfter(response, options.clock ?? systemClock) },
      };
    if (text === undefined) return { failure: { kind: 'too-large', maxBytes } };
    return { answer: { status: response.status, headers: response.headers, text } };
  } catch (error) {
    signal?.throwIfAborted();
    return { failure: controller.signal.aborted ? { kind: 'timeout', timeoutMs } : { kind: 'network', error } };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    // Whatever has not been read is given up, so that the connection does not linger.
    controller.abort();
  }
}

function withoutCredentials(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain;
}

/** The body as text; undefined when it is larger than `maxBytes`, of which no more than that is read. */
async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Milliseconds until the server wants to be asked again: Retry-After is seconds or a date (RFC 9110 §10.2.3). */
function retryAfter(response: Response, clock: Clock): { retryAfter?: number } {
  const text = response.headers.get('retry-after')?.trim();
  if (!text) return {};
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.now();
  return Number.isFinite(wait) ? { retryAfter: Math.max(0, wait) } : {};
}

function pause(failure: Failure, attempts: number, { backoffMs = 250 }: HttpOptions): number {
  if (failure.kind === 'status' && failure.retryAfter !== undefined) return failure.retryAfter;
  const full = backoffMs * 2 ** (attempts - 1);
  // Half at random, so that many clients that failed together do not come back together.
  return full / 2 + (Math.random() * full) / 2;
}
