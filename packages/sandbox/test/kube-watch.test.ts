import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
  for (const name of ['a', 'b', 'c']) await api(sandbox).post(configMaps, { metadata: { name } });
});
afterAll(() => sandbox.stop());

const configMaps = '/api/v1/namespaces/default/configmaps';
type Event = {
  type: string;
  object: { kind: string; code?: number; reason?: string; message?: string; metadata: { resourceVersion: string } };
};

/** Watches to the end of the stream. */
async function watch(query: string): Promise<Event[]> {
  const { token } = sandbox.cluster.user('admin');
  const answer = await fetch(`${sandbox.apiUrl}${configMaps}?watch=true&${query}`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

describe('a watch', () => {
  it('ends after timeoutSeconds, with a bookmark of the newest version for those who allow it', async () => {
    const began = Date.now();
    const plain = watch('timeoutSeconds=2');
    const marked = watch('timeoutSeconds=2&allowWatchBookmarks=true');
    expect((await plain).map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'ADDED']);
    const events = await marked;
    const last = events.at(-1) as Event;
    expect([last.type, last.object.kind, last.object.metadata.resourceVersion]).toEqual([
      'BOOKMARK',
      'ConfigMap',
      sandbox.cluster.store.resourceVersion,
    ]);
    const took = Date.now() - began;
    expect([took >= 1900, took < 5000]).toEqual([true, true]);
  });

  it('from before a compaction is told so in the stream, and can begin anew', async () => {
    const { body } = await api(sandbox).get(configMaps);
    const from = body.metadata.resourceVersion;
    await api(sandbox).patch(`${configMaps}/a`, { data: { n: '1' } });
    expect((await watch(`timeoutSeconds=1&resourceVersion=${from}`)).map(({ type }) => type)).toEqual(['MODIFIED']);
    sandbox.cluster.store.compact();
    const [event, ...more] = await watch(`timeoutSeconds=1&resourceVersion=${from}`);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
    expect(event?.object.message).toBe(`too old resource version: ${from} (${sandbox.cluster.store.oldestVersion})`);
    const anew = (await api(sandbox).get(configMaps)).body.metadata.resourceVersion;
    expect(await watch(`timeoutSeconds=1&resourceVersion=${anew}`)).toEqual([]);
  });
});

describe('a list in pieces', () => {
  it('is 410 after a compaction, with a token that leads on', async () => {
    const first = await api(sandbox).get(`${configMaps}?limit=1`);
    await api(sandbox).patch(`${configMaps}/c`, { data: { n: '2' } });
    sandbox.cluster.store.compact();
    const gone = await api(sandbox).get(`${configMaps}?limit=5&continue=${first.body.metadata.continue}`);
    expect([gone.status, gone.body.reason]).toEqual([410, 'Expired']);
    const rest = await api(sandbox).get(`${configMaps}?limit=5&continue=${gone.body.metadata.continue}`);
    expect(rest.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['b', 'c']);
  });

  it('of a version to come is a time-out that may be tried again', async () => {
    const answer = await api(sandbox).get(`${configMaps}?resourceVersion=99999999`);
    expect([answer.status, answer.body.reason, answer.body.details.retryAfterSeconds]).toEqual([504, 'Timeout', 1]);
  });
});

describe('KEDA, which the contract cannot ask a real server about', () => {
  it('is checked as its schema says', async () => {
    const path = '/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects';
    const named = (spec: object) => ({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'shop' }, spec });
    const refused = await api(sandbox).post(path, named({ scaleTargetRef: {}, triggers: [{ type: 'cpu' }], minReplicaCount: '1' }));
    const fields = refused.body.details.causes.map(({ field }: { field: string }) => field).sort();
    expect([refused.status, fields]).toEqual([422, ['spec.minReplicaCount', 'spec.scaleTargetRef.name', 'spec.triggers[0].metadata']]);
    const target = { scaleTargetRef: { name: 'shop' }, triggers: [{ type: 'cpu', metadata: { value: '60' } }] };
    expect((await api(sandbox).post(path, named(target))).body.metadata.generation).toBe(1);
  });
});

describe('impersonation', () => {
  it('needs the right to it', async () => {
    const user = sandbox.cluster.user('limited', { rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }] });
    const ask = (headers: Record<string, string>) =>
      fetch(sandbox.apiUrl + configMaps, { headers: { authorization: `Bearer ${user.token}`, ...headers } });
    expect((await ask({})).status).toBe(200);
    const answer = await ask({ 'impersonate-user': 'admin' });
    const { message } = (await answer.json()) as { message: string };
    expect([answer.status, message]).toEqual([
      403,
      'users "admin" is forbidden: User "limited" cannot impersonate resource "users" in API group "" at the cluster scope',
    ]);
  });
});
