import http from 'node:http';
import https from 'node:https';
import { apiError, notKubernetes, type Operation, unavailable } from './api-errors.js';
import type { Credentials } from './credentials.js';
import { type Call, type RequesterOptions, toHttp } from './requester.js';
import { collect, type HttpRequest, TransportFailure, transportFailure } from './transport.js';

/** One event of a watch (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes); untrusted. */
export interface WatchEvent {
  type: string;
  object: unknown;
}

/** A watch: its events, until the server ends it. It is sent once; who wants to hear on watches again. */
export type WatchOpener = (call: Call & { signal: AbortSignal }) => AsyncGenerator<WatchEvent>;

/** etcd takes objects of at most 1.5 MB. */
const MAX_EVENT_BYTES = 8_000_000;
const MAX_REFUSAL_BYTES = 100_000;

/** Opens watches: one request each, never repeated. Rejects with OperationError (FORBIDDEN, API_UNAVAILABLE …), or the signal's reason. */
export function watchOpener(options: RequesterOptions): WatchOpener {
  const { credentials, requests, server } = options;
  return async function* (call) {
    const { operation, signal } = call;
    requests.watch = (requests.watch ?? 0) + 1;
    try {
      const answer = await opened(toHttp(call, options), await credentials.current(), signal);
      const status = answer.statusCode ?? 0;
      if (status !== 200) throw apiError(await collect(answer, MAX_REFUSAL_BYTES), operation);
      for await (const line of linesOf(answer)) yield eventOf(line, answer, operation, server);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof TransportFailure) throw unavailable({ failure: error }, operation, server, 1, 0);
      throw error;
    }
  };
}

/** The answer's head; its body is yet to come. */
function opened({ method, url, headers }: HttpRequest, { agent, headers: login }: Credentials, signal: AbortSignal) {
  const module = url.protocol === 'http:' ? http : https;
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const sent = module.request(url, { method, agent, headers: { ...login, ...headers }, signal });
    sent.on('error', (error: NodeJS.ErrnoException) => reject(transportFailure(error)));
    sent.on('response', resolve);
    sent.end();
  });
}

async function* linesOf(answer: http.IncomingMessage): AsyncGenerator<string> {
  answer.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_EVENT_BYTES) throw new TransportFailure('an event is too large', 'too-large');
      for (const line of lines) if (line.trim() !== '') yield line;
    }
  } catch (error) {
    throw transportFailure(error as NodeJS.ErrnoException);
  } finally {
    answer.destroy();
  }
}

function eventOf(line: string, { headers }: http.IncomingMessage, operation: Operation, server: string): WatchEvent {
  const answer = { status: 200, headers, text: line };
  try {
    const event = JSON.parse(line) as Partial<WatchEvent> | null;
    if (typeof event?.type === 'string') return { type: event.type, object: event.object };
  } catch (cause) {
    throw notKubernetes(answer, operation, server, cause);
  }
  throw notKubernetes(answer, operation, server);
}
