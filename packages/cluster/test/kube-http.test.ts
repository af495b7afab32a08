import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { OperationError, systemClock } from '@slipway/core';
import type { KubeClient } from '../src/kube.js';
import { type ConnectOptions, connect } from '../src/kube-http.js';
import { resources } from '../src/resources.js';

type Respond = (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;

interface World {
  client: KubeClient;
  server: http.Server;
  url: string;
  seen: { method: string; url: string; headers: http.IncomingHttpHeaders; body: string }[];
  sockets: Set<unknown>;
}

const worlds: World[] = [];

/** A server that answers the first request by the first function, and so on; the last one answers all further requests. */
async function world(answers: Respond[], options: Partial<ConnectOptions> = {}): Promise<World> {
  const seen: World['seen'] = [];
  const sockets = new Set<unknown>();
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      answers[Math.min(seen.length, answers.length) - 1]?.(request, response, body);
    });
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: url } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
  // Pauses between retries pass at once, so that only the server takes time.
  const clock = { now: systemClock.now, sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() };
  const client = connect({ kubeconfig, env: {}, clock, random: () => 0, ...options });
  const made = { client, server, url, seen, sockets };
  worlds.push(made);
  return made;
}

afterEach(() => {
  for (const { server } of worlds.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Respond =>
  (_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
const refuse = (code: number, reason: string, message: string, more: object = {}) =>
  json(code, { kind: 'Status', status: 'Failure', code, reason, message, ...more });
const drop: Respond = (request) => void request.socket.destroy();
const hang: Respond = () => undefined;
const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop', resourceVersion: '7' } };
const ok = json(200, web);

const getWeb = (client: KubeClient) => client.get(resources.deployments, 'shop', 'web');
const imagePatch = { type: 'merge', body: { spec: { replicas: 2 } } } as const;
const patchWeb = (client: KubeClient) => client.patch(resources.deployments, 'shop', 'web', imagePatch);

async function failure(promise: Promise<unknown>): Promise<OperationError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OperationError);
  return error as OperationError;
}

describe('what is sent', () => {
  it('asks for the object with the token, over one connection', async () => {
    const { client, seen, sockets } = await world([ok]);
    for (let i = 0; i < 3; i++) expect((await getWeb(client)).metadata.resourceVersion).toBe('7');
    expect(seen[0]?.url).toBe('/apis/apps/v1/namespaces/shop/deployments/web');
    expect(seen[0]?.headers.authorization).toBe('Bearer secret-token');
    expect(sockets.size).toBe(1);
    expect(client.requests).toEqual({ get: 3 });
  });

  it.each([
    ['merge', { type: 'merge', body: { a: 1 } } as const, 'application/merge-patch+json', '?fieldManager=slipway'],
    [
      'json',
      { type: 'json', body: [{ op: 'test', path: '/a', value: 1 }] } as const,
      'application/json-patch+json',
      '?fieldManager=slipway',
    ],
    [
      'apply',
      { type: 'apply', body: {}, fieldManager: 'x', force: true } as const,
      'application/apply-patch+yaml',
      '?fieldManager=x&force=true',
    ],
  ])('sends a %s patch as such', async (_, patch, type, query) => {
    const { client, seen } = await world([ok]);
    await client.patch(resources.deployments, 'shop', 'web', {
      ...patch,
      ...(patch.type === 'json' ? { body: [...patch.body] } : {}),
    } as never);
    expect(seen[0]?.headers['content-type']).toBe(type);
    expect(seen[0]?.url).toBe(`/apis/apps/v1/namespaces/shop/deployments/web${query}`);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual(patch.body);
  });

  it('sends dry runs, subresources, creations, replacements, deletions and log requests to their places', async () => {
    const { client, seen } = await world([ok]);
    await client.patch(resources.deployments, 'shop', 'web', imagePatch, { dryRun: true, subresource: 'scale' });
    await client.create(resources.configmaps, 'shop', { metadata: { name: 'c' } });
    await client.replace(resources.leases, 'shop', 'l', web);
    await client.remove(resources.pods, 'shop', 'p', { uid: 'u1', propagation: 'Foreground' });
    await client.logs('shop', 'p', { container: 'web', previous: true, tailLines: 20 });
    await client.podProxy('shop', 'p', 8080, '/metrics');
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale?fieldManager=slipway&dryRun=All',
      'POST /api/v1/namespaces/shop/configmaps?fieldManager=slipway',
      'PUT /apis/coordination.k8s.io/v1/namespaces/shop/leases/l?fieldManager=slipway',
      'DELETE /api/v1/namespaces/shop/pods/p',
      'GET /api/v1/namespaces/shop/pods/p/log?tailLines=20&container=web&previous=true',
      'GET /api/v1/namespaces/shop/pods/p:8080/proxy/metrics',
    ]);
    expect(JSON.parse(seen[3]?.body ?? '')).toMatchObject({ propagationPolicy: 'Foreground', preconditions: { uid: 'u1' } });
    expect(client.requests).toEqual({ patch: 1, create: 1, update: 1, delete: 1, get: 2 });
  });

  it('never lets a name lead elsewhere', async () => {
    const { client, seen } = await world([ok]);
    await client.get(resources.deployments, 'shop', '../../../secrets?x=#');
    expect(seen[0]?.url).toBe('/apis/apps/v1/namespaces/shop/deployments/..%2F..%2F..%2Fsecrets%3Fx%3D%23');
    await expect(client.get(resources.deployments, '..', 'web')).rejects.toThrow('".." is no name');
    await expect(client.get(resources.deployments, 'shop', '')).rejects.toThrow('no name');
  });
});

describe('the pod proxy', () => {
  it('tells what the pod answered from what the API server says of permissions', async () => {
    const { client } = await world([
      (_, response) => void response.writeHead(403).end('<h1>log in first</h1>'),
      refuse(403, 'Forbidden', 'no'),
    ]);
    const byPod = await failure(client.podProxy('shop', 'p', 8080, '/metrics'));
    expect(byPod.message).toBe('Pod shop/p:8080 itself answered HTTP 403: log in first');
    expect(byPod.next.join()).not.toContain('Role');
    const byServer = await failure(client.podProxy('shop', 'p', 8080, '/metrics'));
    expect(byServer.message).toContain("The kubeconfig's user may not get");
  });
});

describe('lists', () => {
  it('follows pages and gives items their kind', async () => {
    const page = (names: string[], next?: string) =>
      json(200, { kind: 'PodList', apiVersion: 'v1', metadata: { continue: next }, items: names.map((name) => ({ metadata: { name } })) });
    const { client, seen } = await world([page(['a', 'b'], 'token/1'), page(['c'])]);
    const pods = await client.list(resources.pods, 'shop', { labelSelector: 'app=shop,track in (stable)' });
    expect(pods.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['Pod a', 'Pod b', 'Pod c']);
    expect(new URL(seen[1]?.url ?? '', 'http://x').searchParams.get('continue')).toBe('token/1');
    expect(new URL(seen[0]?.url ?? '', 'http://x').searchParams.get('labelSelector')).toBe('app=shop,track in (stable)');
  });

  it('begins anew when the pages have expired (410)', async () => {
    const items = (names: string[], next?: string) =>
      json(200, { kind: 'PodList', metadata: { continue: next }, items: names.map((name) => ({ metadata: { name } })) });
    const { client } = await world([items(['old'], 't'), refuse(410, 'Expired', 'too old'), items(['a'], 't2'), items(['b'])]);
    expect((await client.list(resources.pods, 'shop')).map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });

  it('gives up when they expire for ever', async () => {
    const { client, seen } = await world([
      json(200, { kind: 'PodList', metadata: { continue: 't' }, items: [] }),
      refuse(410, 'Expired', 'too old'),
      json(200, { kind: 'PodList', metadata: { continue: 't' }, items: [] }),
      refuse(410, 'Expired', 'too old'),
    ]);
    expect((await failure(client.list(resources.pods, 'shop'))).details.status).toBe(410);
    expect(seen.length).toBeLessThan(12);
  });
});

describe('refusals', () => {
  it('names verb, resource, namespace and the rule to add for 403', async () => {
    const { client, seen } = await world([refuse(403, 'Forbidden', 'deployments.apps "web" is forbidden: User "ci" cannot patch')]);
    const error = await failure(patchWeb(client));
    expect(error.reason).toBe('FORBIDDEN');
    expect(error.message).toContain('patch deployments.apps "web" in namespace shop');
    expect(error.next[0]).toContain('- {apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]}');
    expect(error.details).toMatchObject({ status: 403, verb: 'patch', resource: 'deployments', namespace: 'shop' });
    expect(seen).toHaveLength(1);
  });

  it('calls a quota a quota: no permission would help', async () => {
    const said = 'deployments.apps "web" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: 1, limited: 1';
    const { client, seen } = await world([refuse(403, 'Forbidden', said)]);
    const error = await failure(client.create(resources.deployments, 'shop', web));
    expect(error).toMatchObject({ reason: 'QUOTA_EXCEEDED', details: { status: 403 } });
    expect(error.message).toContain(
      'ResourceQuota leaves no room to create deployments.apps "web" in namespace shop (403): deployments.apps',
    );
    expect(error.next.join()).toContain('raise the quota');
    expect(error.next.join()).not.toContain('apiGroups');
    expect(seen).toHaveLength(1);
  });

  it('names the subresource for logs', async () => {
    const { client } = await world([refuse(403, 'Forbidden', 'no')]);
    const error = await failure(client.logs('shop', 'p', { tailLines: 1 }));
    expect(error.next[0]).toContain('- {apiGroups: [""], resources: ["pods/log"], verbs: ["get"]}');
  });

  it('asks for new credentials once on 401, then says so', async () => {
    const { client, seen } = await world([refuse(401, 'Unauthorized', 'Unauthorized')]);
    expect((await failure(getWeb(client))).reason).toBe('UNAUTHENTICATED');
    expect(seen).toHaveLength(2);
  });

  it('goes on after a 401 that new credentials heal', async () => {
    const { client } = await world([refuse(401, 'Unauthorized', 'Unauthorized'), ok]);
    expect((await getWeb(client)).metadata.name).toBe('web');
  });

  it.each([
    [404, 'NotFound', 'NOT_FOUND'],
    [409, 'Conflict', 'CONFLICT'],
    [409, 'AlreadyExists', 'ALREADY_EXISTS'],
    [400, 'BadRequest', 'INVALID'],
  ])('maps %i %s to %s without a retry', async (code, reason, expected) => {
    const { client, seen } = await world([refuse(code, reason, 'words of the server')]);
    const error = await failure(patchWeb(client));
    expect(error.reason).toBe(expected);
    expect(error.message).toContain('words of the server');
    expect(error.details.status).toBe(code);
    expect(seen).toHaveLength(1);
  });

  it('finds nothing where get refuses with 404', async () => {
    const { client } = await world([refuse(404, 'NotFound', 'no')]);
    expect(await client.find(resources.deployments, 'shop', 'web')).toBeUndefined();
  });

  it("tells the server's causes for 422", async () => {
    const causes = [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message: 'must be greater than or equal to 0' }];
    const { client } = await world([refuse(422, 'Invalid', 'Deployment "web" is invalid', { details: { causes } })]);
    const error = await failure(patchWeb(client));
    expect(error.reason).toBe('INVALID');
    expect(error.message).toContain('spec.replicas must be greater than or equal to 0');
    expect(error.details.causes).toEqual(causes);
  });

  it('calls the failed test of a JSON patch a conflict, but not an invalid object', async () => {
    const patch = { type: 'json' as const, body: [{ op: 'test' as const, path: '/a', value: 1 }] };
    const test = refuse(422, 'Invalid', 'the server rejected our request due to an error in our request', {
      details: { causes: [{ reason: 'UnexpectedServerResponse', message: 'testing value /a failed: test failed' }] },
    });
    const invalid = refuse(422, 'Invalid', 'bad', { details: { causes: [{ field: 'spec.x', message: 'no' }] } });
    const { client } = await world([test, invalid]);
    expect((await failure(client.patch(resources.deployments, 'shop', 'web', patch))).reason).toBe('CONFLICT');
    expect((await failure(client.patch(resources.deployments, 'shop', 'web', patch))).reason).toBe('INVALID');
  });

  it('puts no control characters or long pages into words', async () => {
    const { client } = await world([refuse(400, 'BadRequest', `a\r\n::error::b\u0000${'x'.repeat(5000)}`)]);
    const { message } = await failure(getWeb(client));
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(1300);
  });
});

describe('failures that may pass', () => {
  it.each([429, 500, 502, 503, 504])('asks again after %i, for reads and for writes that set', async (code) => {
    const { client, seen } = await world([refuse(code, 'Busy', 'busy'), ok]);
    await patchWeb(client);
    expect(seen).toHaveLength(2);
    expect(client.requests).toEqual({ patch: 2 });
  });

  it('asks again after a broken connection and after no answer in time', async () => {
    const { client, seen } = await world([drop, hang, ok], { timeoutMs: 100 });
    await getWeb(client);
    expect(seen).toHaveLength(3);
  });

  it('does not repeat a patch that puts something into a list when it may have been done, and says so', async () => {
    const insert = { type: 'json' as const, body: [{ op: 'add' as const, path: '/spec/http/0', value: {} }] };
    const { client, seen } = await world([drop]);
    const error = await failure(client.patch(resources.virtualservices, 'shop', 'web', insert));
    expect(error).toMatchObject({ reason: 'API_UNAVAILABLE', details: { ambiguous: true } });
    expect(seen).toHaveLength(1);
  });

  it('does repeat it on 429, when it was not done', async () => {
    const insert = { type: 'json' as const, body: [{ op: 'add' as const, path: '/spec/http/0', value: {} }] };
    const { client, seen } = await world([refuse(429, 'TooManyRequests', 'slow down'), ok]);
    await client.patch(resources.virtualservices, 'shop', 'web', insert);
    expect(seen).toHaveLength(2);
  });

  it('waits as long as Retry-After says', async () => {
    const pauses: number[] = [];
    const clock = { now: systemClock.now, sleep: async (ms: number) => void pauses.push(ms) };
    const { client } = await world([json(429, {}, { 'Retry-After': '3' }), json(503, {}, { 'Retry-After': '1' }), json(500, {}), ok], {
      clock,
    });
    await getWeb(client);
    expect(pauses).toEqual([3000, 1000, 500]);
  });

  it('does not wait when Retry-After is beyond the deadline', async () => {
    const { client, seen } = await world([json(429, {}, { 'Retry-After': '600' })]);
    expect((await failure(getWeb(client))).reason).toBe('API_UNAVAILABLE');
    expect(seen).toHaveLength(1);
  });

  it('ends at the deadline and says how often it tried', async () => {
    let now = 0;
    const sleep = async (ms: number) => {
      now += ms;
    };
    const clock = { now: () => now, sleep };
    const { client } = await world([refuse(503, 'ServiceUnavailable', 'apiserver is shutting down')], { clock });
    const error = await failure(getWeb(client));
    expect(error.reason).toBe('API_UNAVAILABLE');
    expect(error.message).toMatch(/503 apiserver is shutting down \(\d+ attempts in \d+ s\)/);
    expect(error.details).toMatchObject({ status: 503, ambiguous: true });
    expect(now).toBeGreaterThan(20_000);
    expect(now).toBeLessThanOrEqual(30_000);
  });

  it('ends within the deadline when the server hangs', async () => {
    const { client } = await world([hang], { timeoutMs: 100, deadlineMs: 400 });
    const began = Date.now();
    const error = await failure(getWeb(client));
    expect(error.message).toContain('no answer within 0.1 s');
    expect(Date.now() - began).toBeLessThan(1500);
  });

  it('says that the connection is refused', async () => {
    const { client, server } = await world([ok], { deadlineMs: 300 });
    server.close();
    const error = await failure(getWeb(client));
    expect(error.message).toContain('connection refused');
    expect(error.details.ambiguous).toBe(false);
  });

  it('reads a pod once only', async () => {
    const { client, seen } = await world([refuse(503, 'ServiceUnavailable', 'error trying to reach service: connection refused')]);
    const error = await failure(client.podProxy('shop', 'p', 'http', '/metrics', { timeoutMs: 500 }));
    expect(error.message).toContain('error trying to reach service');
    expect(seen).toHaveLength(1);
  });
});

describe('answers that are none', () => {
  it('says so for a login page', async () => {
    const page: Respond = (_, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html><title>Sign in</title><p>please');
    const { client } = await world([page]);
    const error = await failure(getWeb(client));
    expect(error.reason).toBe('API_UNAVAILABLE');
    expect(error.message).toContain('not Kubernetes JSON (text/html): Sign in');
  });

  it('says so for JSON of something else', async () => {
    const { client } = await world([json(200, ['x'])]);
    expect((await failure(getWeb(client))).message).toContain('not Kubernetes JSON');
  });

  it('keeps the words of an HTML error page', async () => {
    const page: Respond = (_, response) => response.writeHead(403, { 'Content-Type': 'text/html' }).end('<h1>Blocked by firewall</h1>');
    const { client } = await world([page]);
    expect((await failure(getWeb(client))).message).toContain('Blocked by firewall');
  });

  it('does not swallow an answer without end', async () => {
    const endless: Respond = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const chunk = Buffer.alloc(4_000_000, 32);
      const more = () => !response.destroyed && response.write(chunk, () => setImmediate(more));
      more();
    };
    const { client, seen } = await world([endless]);
    expect((await failure(getWeb(client))).message).toContain('larger than 50 MB');
    expect(seen).toHaveLength(1);
  });
});

describe('the signal', () => {
  it('ends a request at once, and a client without it goes on', async () => {
    const stop = new AbortController();
    const { client, sockets } = await world([ok, hang, ok]);
    const bound = client.withSignal(stop.signal);
    await getWeb(bound);
    const pending = getWeb(bound);
    setTimeout(() => stop.abort(new Error('SIGINT')), 50);
    await expect(pending).rejects.toThrow('SIGINT');
    await expect(getWeb(bound)).rejects.toThrow('SIGINT');
    expect((await getWeb(client)).metadata.name).toBe('web');
    expect(client.requests).toBe(bound.requests);
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  it('ends the pause before a retry', async () => {
    const stop = new AbortController();
    const { client } = await world([refuse(503, 'x', 'y')], { clock: systemClock, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('SIGINT')), 50);
    await expect(getWeb(client)).rejects.toThrow('SIGINT');
  });
});
