import http from 'node:http';
import https from 'node:https';
import type { Credentials } from './credentials.js';

export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string;
}

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** `unsent`: surely not acted upon by the server. `unknown`: it may have been. `too-large`: answered, but not to be had. */
export type FailureKind = 'unsent' | 'unknown' | 'too-large';

/** No answer. */
export class TransportFailure extends Error {
  override readonly name = 'TransportFailure';
  constructor(
    message: string,
    readonly kind: FailureKind,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

export interface Limits {
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** Errors that happen before a byte of the request is sent. */
const UNSENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

/**
 * One request, one answer, with a time limit for the whole of both and a size limit. Rejects with the signal's reason when it aborts, with
 * TransportFailure otherwise.
 */
export async function exchange(request: HttpRequest, { agent, headers }: Credentials, limits: Limits): Promise<HttpAnswer> {
  const { url, method, body } = request;
  const { signal, timeoutMs } = limits;
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const ends = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const module = url.protocol === 'http:' ? http : https;
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  try {
    return await new Promise<HttpAnswer>((resolve, reject) => {
      const sent = module.request(url, { method, agent, headers: { ...headers, ...request.headers, ...length }, signal: ends });
      sent.on('error', reject);
      sent.on('response', (answer) => collect(answer, limits.maxBytes).then(resolve, reject));
      sent.end(body);
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (timeout.aborted) throw new TransportFailure(`no answer within ${timeoutMs / 1000} s`, 'unknown', { cause: error });
    throw transportFailure(error as NodeJS.ErrnoException);
  }
}

/** The whole body. Rejects with TransportFailure `too-large` beyond the limit. */
export async function collect(answer: http.IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += chunk.length;
    if (size > maxBytes) {
      answer.destroy();
      throw new TransportFailure(`the answer is larger than ${Math.round(maxBytes / 1_000_000)} MB`, 'too-large');
    }
    chunks.push(chunk);
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString('utf8') };
}

/** What an error of a socket means. Pure. */
export function transportFailure(error: NodeJS.ErrnoException): TransportFailure {
  if (error instanceof TransportFailure) return error;
  const { code = '' } = error;
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|^ERR_TLS|^ERR_SSL|EPROTO/.test(code);
  const unsent = UNSENT.has(code) || certificate;
  return new TransportFailure(wordsOf(error, certificate), unsent ? 'unsent' : 'unknown', { cause: error });
}

function wordsOf({ code, message }: NodeJS.ErrnoException, certificate: boolean): string {
  if (certificate) return `the TLS connection was refused: ${message}`;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name cannot be resolved';
  if (code === 'ECONNRESET' || /aborted|hang up/.test(message)) return 'the connection broke';
  return message || String(code);
}
