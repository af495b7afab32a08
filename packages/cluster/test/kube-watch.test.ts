import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../src/kube.js';
import { connect } from '../src/kube-http.js';
import { resources } from '../src/resources.js';

const servers: http.Server[] = [];

/** A server that answers each request so. */
async function world(answer: (request: http.IncomingMessage, response: http.ServerResponse) => void) {
  const seen: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kubeconfig = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
  return { client: connect({ kubeconfig, env: {} }), seen };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const never = new AbortController().signal;
const web = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas, title: 'Müller' },
});
const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

function watch(client: KubeClient, signal = never): AsyncIterable<KubeObject> {
  if (!client.watch) throw new Error('no watch');
  return client.watch(resources.deployments, 'shop', 'web', { resourceVersion: '7', timeoutMs: 1_500, signal });
}

async function replicasOf(stream: AsyncIterable<KubeObject>): Promise<number[]> {
  const replicas: number[] = [];
  for await (const { spec } of stream) replicas.push(spec.replicas);
  return replicas;
}

describe('a watch of one object', () => {
  it('asks for that object after a version, and gives its changes until it is deleted', async () => {
    const { client, seen } = await world((_, response) => {
      response.write(event('MODIFIED', web(1)) + event('MODIFIED', web(2)));
      response.end(event('DELETED', web(2)) + event('ADDED', web(3)));
    });
    expect(await replicasOf(watch(client))).toEqual([1, 2]);
    const { pathname, searchParams } = new URL(seen[0]?.url ?? '', 'http://server');
    expect(pathname).toBe('/apis/apps/v1/namespaces/shop/deployments');
    expect(Object.fromEntries(searchParams)).toEqual({
      watch: 'true',
      fieldSelector: 'metadata.name=web',
      resourceVersion: '7',
      timeoutSeconds: '2',
    });
    expect(seen[0]?.headers.authorization).toBe('Bearer secret-token');
    expect(client.requests).toEqual({ watch: 1 });
  });

  it('puts together what comes in pieces, even of a character', async () => {
    const bytes = Buffer.from(event('MODIFIED', web(4)));
    const cut = bytes.indexOf(0xc3) + 1;
    const { client } = await world((_, response) => {
      response.write(bytes.subarray(0, cut));
      setTimeout(() => response.end(bytes.subarray(cut)), 20);
    });
    for await (const { spec } of watch(client)) expect(spec).toEqual({ replicas: 4, title: 'Müller' });
  });

  it('ends without an error when its version is too old', async () => {
    const { client } = await world((_, response) => void response.end(event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })));
    expect(await replicasOf(watch(client))).toEqual([]);
  });

  it.each<[string, (request: http.IncomingMessage, response: http.ServerResponse) => void, string, RegExp]>([
    [
      'a missing permission',
      (_, response) => void response.writeHead(403).end('{"kind":"Status"}'),
      'FORBIDDEN',
      /may not watch deployments/,
    ],
    ['a busy server', (_, response) => void response.writeHead(503).end(), 'API_UNAVAILABLE', /HTTP 503/],
    ['a broken connection', (request) => void request.socket.destroy(), 'API_UNAVAILABLE', /the connection broke/],
    ['a page', (_, response) => void response.end('<html>\nlog in\n'), 'API_UNAVAILABLE', /not Kubernetes JSON/],
    ['an event without an object', (_, response) => void response.end(event('ADDED', [])), 'API_UNAVAILABLE', /not Kubernetes JSON/],
  ])('tells of %s, and is not sent again', async (_, answer, reason, words) => {
    const { client, seen } = await world(answer);
    const error = await replicasOf(watch(client)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OperationError);
    expect((error as OperationError).reason).toBe(reason);
    expect((error as OperationError).message).toMatch(words);
    expect(seen).toHaveLength(1);
  });

  it('that breaks in the middle gives what came before, then fails', async () => {
    const { client } = await world((request, response) => {
      response.write(event('MODIFIED', web(1)));
      setTimeout(() => request.socket.destroy(), 30);
    });
    const replicas: number[] = [];
    const reading = (async () => {
      for await (const { spec } of watch(client)) replicas.push(spec.replicas);
    })();
    await expect(reading).rejects.toMatchObject({ reason: 'API_UNAVAILABLE' });
    expect(replicas).toEqual([1]);
  });

  it("closes its connection when it is not read on, and ends with the signal's reason, its own or its client's", async () => {
    const closed: Promise<unknown>[] = [];
    const { client } = await world((request, response) => {
      closed.push(new Promise((resolve) => request.socket.on('close', resolve)));
      response.write(event('MODIFIED', web(1)));
    });
    for await (const _ of watch(client)) break;
    await closed[0];
    for (const over of ['own', 'client'] as const) {
      const run = new AbortController();
      const reading = replicasOf(over === 'own' ? watch(client, run.signal) : watch(client.withSignal(run.signal)));
      setTimeout(() => run.abort(new Error(`cancelled: ${over}`)), 30);
      await expect(reading).rejects.toThrow(`cancelled: ${over}`);
    }
    await Promise.all(closed);
    expect(closed).toHaveLength(3);
  });
});
