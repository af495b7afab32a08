import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, Faults } from './faults.js';
import { type LoggedRequest, RequestLog } from './request-log.js';

/** A request that was read to its end. */
export interface ReceivedRequest {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export type Handle = (request: ReceivedRequest, response: ServerResponse) => Promise<void> | void;

export interface ServerOptions {
  /** What a request is called in the log. */
  verbOf?: (request: Pick<ReceivedRequest, 'method' | 'url'>) => string;
  /** Body of an injected error. */
  errorBody?: (code: number) => object;
  /** 0 (default): a free port. */
  port?: number;
}

/** Longest body read; more is answered 413. */
const bodyLimit = 32 * 1024 * 1024;

/** An HTTP/1.1 server on loopback that numbers and logs its requests and does harm when armed to. */
export class LoopbackServer {
  readonly faults = new Faults();
  readonly log = new RequestLog();
  private readonly server: Server;

  private constructor(
    private readonly handle: Handle,
    private readonly options: ServerOptions,
  ) {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: unknown) => fail(response, error));
    });
    this.server.keepAliveTimeout = 30_000;
  }

  static async start(handle: Handle, options: ServerOptions = {}): Promise<LoopbackServer> {
    const one = new LoopbackServer(handle, options);
    await new Promise<void>((resolve, reject) => {
      one.server.once('error', reject);
      one.server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return one;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
    const method = incoming.method ?? 'GET';
    const entry = this.log.begin({
      at: Date.now(),
      method,
      verb: this.options.verbOf?.({ method, url }) ?? method.toLowerCase(),
      path: decodeURIComponent(url.pathname),
      query: url.search.slice(1),
      userAgent: incoming.headers['user-agent'] ?? '',
    });
    // Struck by number of arrival, before the body is read.
    const fault = this.faults.strike(entry.n, method, entry.path);
    if (fault) entry.fault = fault.code ? `${fault.action} ${fault.code}` : fault.action;
    response.on('close', () => {
      if (!entry.done) this.log.end(entry, response.writableEnded ? response.statusCode : 0, Date.now());
    });
    const body = await readBody(incoming);
    if (body === undefined) return void response.writeHead(413).end();
    const request = { method, url, headers: incoming.headers, body };
    const wait = this.faults.delayOf(entry.path);
    if (wait > 0) await pause(wait);
    if (fault) await this.strike(fault, request, response, entry);
    else await this.handle(request, response);
  }

  private async strike(fault: Fault, request: ReceivedRequest, response: ServerResponse, entry: LoggedRequest): Promise<void> {
    const socket = response.socket;
    switch (fault.action) {
      case 'status':
        return this.refuse(fault, response);
      case 'delay':
        await pause(fault.ms ?? 0);
        return this.handle(request, response);
      case 'hang':
        if (fault.ms === undefined) return;
        await pause(fault.ms);
        return void socket?.destroy();
      case 'drop-before':
      case 'kill-before':
        end(fault);
        return void socket?.destroy();
      case 'drop-after':
      case 'kill-after':
        // The request is done in full; only its answer never leaves.
        await this.handle(request, muted(response));
        entry.fault = fault.action;
        end(fault);
        return void socket?.destroy();
    }
  }

  private refuse(fault: Fault, response: ServerResponse): void {
    const code = fault.code ?? 500;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (fault.retryAfter !== undefined) headers['retry-after'] = String(fault.retryAfter);
    response.writeHead(code, headers).end(JSON.stringify(this.options.errorBody?.(code) ?? { message: `injected ${code}` }));
  }
}

function end(fault: Fault): void {
  fault.kill?.();
  if (!fault.action.startsWith('kill-')) return;
  const pid = fault.pid ?? (fault.pidFile ? Number(readFileSync(fault.pidFile, 'utf8')) : 0);
  // 0 and below would be whole groups of processes.
  if (pid > 0) process.kill(pid, 'SIGKILL');
}

/** Takes everything that is written and sends nothing. */
function muted(response: ServerResponse): ServerResponse {
  const mute = new Set(['writeHead', 'write', 'end', 'setHeader', 'flushHeaders']);
  const silent: ServerResponse = new Proxy(response, {
    get: (target, key) => (mute.has(String(key)) ? () => silent : Reflect.get(target, key)),
  });
  return silent;
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += (chunk as Buffer).length;
    if (size > bodyLimit) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** A defect of the sandbox itself must not look like a refusal of the imitated server. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message: `sandbox defect: ${text}` }));
}

export function sendJson(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}
