import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type HttpOptions, OperationError, redactText, redactUrl, request, requestJson, requestText, UsageError } from '../src/index.js';
import { fixedClock } from './memory-host.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let base: string;
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
let answers: Answer[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
  answers = [send(200, '{"ok":true}')];
});

function send(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
  };
}
const hang: Answer = () => {};
const cut: Answer = (request) => request.socket.destroy();

async function failure(promise: Promise<unknown>): Promise<OperationError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof OperationError) return error;
  throw new Error(`not an OperationError: ${String(error)}`);
}

const options = (more: HttpOptions = {}) => ({ clock: fixedClock(), ...more });

describe('a good answer', () => {
  it('is parsed', async () => {
    expect(await requestJson(`${base}/a?b=c`, options({ headers: { Authorization: 'Bearer t' } }))).toEqual({ ok: true });
    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: '/a?b=c',
      headers: { authorization: 'Bearer t', accept: 'application/json', 'user-agent': 'slipway' },
    });
  });

  it('may be text, with status and headers', async () => {
    answers = [send(201, 'ä', { 'x-a': 'b' })];
    const answer = await request(base, options());
    expect([answer.status, answer.text, answer.headers.get('x-a')]).toEqual([201, 'ä', 'b']);
    expect(await requestText(base, options())).toBe('ä');
  });

  it('follows a body: text as it is, an object as JSON', async () => {
    await requestJson(base, options({ method: 'post', body: { a: 1 } }));
    await requestJson(base, options({ method: 'PUT', body: 'a=1', headers: { 'Content-Type': 'text/plain' } }));
    expect(seen.map(({ method, body, headers }) => [method, body, headers['content-type']])).toEqual([
      ['POST', '{"a":1}', 'application/json'],
      ['PUT', 'a=1', 'text/plain'],
    ]);
  });

  it('comes with user name and password of the URL sent as a header', async () => {
    await requestJson(base.replace('//', '//user:p%40ss@'), options());
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  });
});

describe('trying again', () => {
  it.each([429, 500, 502, 503])('after %d, with growing pauses', async (status) => {
    answers = [send(status, ''), send(status, ''), send(200, '1')];
    const clock = fixedClock();
    expect(await requestJson(base, { clock, backoffMs: 100 })).toBe(1);
    expect(clock.slept).toHaveLength(2);
    expect(clock.slept[0]).toBeGreaterThanOrEqual(50);
    expect(clock.slept[0]).toBeLessThanOrEqual(100);
    expect(clock.slept[1]).toBeGreaterThanOrEqual(100);
    expect(clock.slept[1]).toBeLessThanOrEqual(200);
  });

  it('after a broken connection', async () => {
    answers = [cut, send(200, '1')];
    expect(await requestJson(base, options())).toBe(1);
  });

  it('after a time-out', async () => {
    answers = [hang, send(200, '1')];
    expect(await requestJson(base, options({ timeoutMs: 50 }))).toBe(1);
  });

  it('waits as long as the server asks, in seconds or until a date', async () => {
    const clock = fixedClock(Date.parse('2026-11-22T10:00:00Z'));
    answers = [send(429, '', { 'retry-after': '7' }), send(503, '', { 'retry-after': 'Sun, 22 Nov 2026 10:00:17 GMT' }), send(200, '1')];
    await requestJson(base, { clock });
    expect(clock.slept).toEqual([7000, 10_000]);
  });

  it('does not wait longer than a minute', async () => {
    answers = [send(429, '', { 'retry-after': '3600' })];
    const error = await failure(requestJson(base, options()));
    expect(error.message).toContain('answered 429, and asks to wait 1h');
    expect(error.reason).toBe('RATE_LIMITED');
    expect(seen).toHaveLength(1);
  });

  it('ends after the last attempt', async () => {
    answers = [send(503, 'down')];
    const error = await failure(requestJson(base, options({ retries: 2, server: 'Prometheus' })));
    expect(error).toMatchObject({ reason: 'UNAVAILABLE', details: { status: 503, attempts: 3 } });
    expect(error.message).toBe(`Prometheus: GET ${base}/ answered 503: down (3 attempts)`);
    expect(seen).toHaveLength(3);
  });

  it('is not done for a method that may not be repeated, unless allowed', async () => {
    answers = [send(503, '')];
    await failure(requestJson(base, options({ method: 'POST' })));
    expect(seen).toHaveLength(1);
    await failure(requestJson(base, options({ method: 'POST', idempotent: true, retries: 1 })));
    expect(seen).toHaveLength(3);
  });

  it.each([
    [400, 'REQUEST_REFUSED'],
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [409, 'CONFLICT'],
  ])('is not done after %d', async (status, reason) => {
    answers = [send(status, '{"message":"no such thing"}')];
    const error = await failure(requestJson(base, options()));
    expect(error.reason).toBe(reason);
    expect(error.message).toContain(`answered ${status}: no such thing`);
    expect(seen).toHaveLength(1);
  });
});

describe('a bad answer', () => {
  it('with status 200 and HTML is told with its beginning', async () => {
    answers = [send(200, '<html>\n<title>Sign in</title>', { 'content-type': 'text/html' })];
    const error = await failure(requestJson(`${base}/api`, options()));
    expect(error.reason).toBe('BAD_ANSWER');
    expect(error.message).toContain(`GET ${base}/api answered what is not JSON (text/html): <html> <title>Sign in</title>`);
  });

  it('that is empty is told', async () => {
    answers = [send(200, '')];
    expect((await failure(requestJson(base, options()))).message).toContain('an empty answer');
  });

  it('that is too large is given up', async () => {
    answers = [
      (_, response) => {
        response.writeHead(200);
        response.on('error', () => {});
        const more = () => {
          while (response.writable && response.write('x'.repeat(65_536)));
          if (response.writable) response.once('drain', more);
        };
        more();
      },
    ];
    const error = await failure(requestText(base, options({ maxBytes: 200_000 })));
    expect(error).toMatchObject({ reason: 'BAD_ANSWER', message: expect.stringContaining('answered more than 200000 bytes') });
  });

  it('is told with the reason and the next steps of the action', async () => {
    answers = [send(500, '')];
    const error = await failure(requestJson(base, options({ retries: 0, reason: 'METRICS_UNAVAILABLE', next: ['look at Prometheus'] })));
    expect(error).toMatchObject({ reason: 'METRICS_UNAVAILABLE', next: ['look at Prometheus'] });
  });

  it('that hangs in the middle is a time-out', async () => {
    answers = [
      (_, response) => {
        response.writeHead(200).write('{');
      },
    ];
    const error = await failure(requestJson(base, options({ timeoutMs: 60, retries: 0 })));
    expect(error.message).toContain('did not answer within 60ms');
  });

  it('of nobody names why', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const error = await failure(requestJson(`http://127.0.0.1:${port}/`, options({ retries: 0 })));
    expect(error).toMatchObject({ reason: 'UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') });
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('cancelling', () => {
  it('ends a request with the reason of the signal', async () => {
    answers = [hang];
    const controller = new AbortController();
    const reason = new Error('told to end');
    setTimeout(() => controller.abort(reason), 30);
    await expect(requestJson(base, options({ signal: controller.signal }))).rejects.toBe(reason);
    await expect(requestJson(base, options({ signal: controller.signal }))).rejects.toBe(reason);
    expect(seen).toHaveLength(1);
  });

  it('ends the pause between attempts', async () => {
    answers = [send(503, '', { 'retry-after': '30' })];
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('told to end')), 50);
    await expect(requestJson(base, { signal: controller.signal })).rejects.toThrow('told to end');
  });
});

describe('credentials', () => {
  it('are in no error, whoever repeats them', async () => {
    const headers = { Authorization: 'Bearer s3cr3t-token', 'X-Api-Key': 'k3y-value' };
    answers = [send(403, '{"message":"s3cr3t-token, k3y-value and pa55word are no good"}')];
    const error = await failure(requestJson(`${base.replace('//', '//user:pa55word@')}/x?access_token=qu3ry&a=b`, options({ headers })));
    expect(error.message).toBe(
      `${new URL(base).host}: GET ${base.replace('//', '//***@')}/x?access_token=***&a=b answered 403: ***, *** and *** are no good`,
    );
    expect(JSON.stringify(error.details)).not.toMatch(/s3cr3t|k3y|pa55|qu3ry/);
  });

  it('are not in the cause of a network error', async () => {
    const failing = async () => {
      throw new TypeError('fetch failed for s3cr3t-token', { cause: new Error('https://user:pa55@host s3cr3t-token') });
    };
    const error = await failure(
      requestJson(base, options({ retries: 0, fetch: failing, headers: { authorization: 'Bearer s3cr3t-token' } })),
    );
    const all = [error.message, (error.cause as Error).stack, String(((error.cause as Error).cause as Error).message)].join('\n');
    expect(all).toContain('***');
    expect(all).not.toMatch(/s3cr3t|pa55/);
  });

  it('are hidden in URLs and texts', () => {
    expect(redactUrl('https://u:p@h.example/p?token=a&b=c&X-Amz-Signature=d#e')).toBe(
      'https://***@h.example/p?token=***&b=c&X-Amz-Signature=***',
    );
    expect(redactUrl('not a url //u:p@h')).toBe('not a url //***@h');
    expect(redactText('a s3cret/ b s3cret%2F c czNjcmV0Lw== d', ['s3cret/', 'a'])).toBe('a *** b *** c *** d');
  });
});

describe('a URL that is none', () => {
  it.each(['prometheus:9090', 'ftp://x', '', 'http://'])('%j is the user’s to fix', async (url) => {
    await expect(requestJson(url, options())).rejects.toBeInstanceOf(UsageError);
  });
});
