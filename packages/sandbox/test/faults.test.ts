import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type ApiWrite, type Sandbox, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());
beforeEach(() => {
  sandbox.faults.clear();
  sandbox.requestLog.reset();
});

const configMaps = '/api/v1/namespaces/default/configmaps';
const find = (name: string) => sandbox.find('ConfigMap', 'default', name);
const create = (name: string) => api(sandbox).post(configMaps, { metadata: { name } });

describe('faults', () => {
  it('answer with a status, after some requests, so many times', async () => {
    sandbox.faults.add({ method: 'GET', path: 'configmaps', skip: 1, times: 2, action: 'status', code: 429, retryAfter: 3 });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await api(sandbox).get(configMaps)).status);
    expect(statuses).toEqual([200, 429, 429, 200]);
    sandbox.faults.add({ path: 'configmaps', action: 'status', code: 503, retryAfter: 3 });
    const answer = await api(sandbox).get(configMaps);
    expect(answer.headers.get('retry-after')).toBe('3');
    expect(answer.body).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable', code: 503 });
  });

  it('drop before: nothing was done; drop after: it was', async () => {
    sandbox.faults.add({ method: 'POST', action: 'drop-before' });
    await expect(create('before')).rejects.toThrow();
    expect(find('before')).toBeUndefined();
    sandbox.faults.add({ method: 'POST', action: 'drop-after' });
    await expect(create('after')).rejects.toThrow();
    expect(find('after')).toBeDefined();
  });

  it('delay and hang', async () => {
    sandbox.faults.add({ method: 'GET', action: 'delay', ms: 150 });
    const begin = Date.now();
    expect((await api(sandbox).get(configMaps)).status).toBe(200);
    expect(Date.now() - begin).toBeGreaterThanOrEqual(149);
    sandbox.faults.add({ method: 'GET', action: 'hang', ms: 100 });
    await expect(api(sandbox).get(configMaps)).rejects.toThrow();
  });

  it('call back at request N, before or after it is done', async () => {
    const killed: string[] = [];
    sandbox.faults.killAt(2, () => killed.push(find('two') ? 'done' : 'not done'), 'after');
    sandbox.faults.killAt(3, () => killed.push(find('three') ? 'done' : 'not done'), 'before');
    await create('one');
    await expect(create('two')).rejects.toThrow();
    await expect(create('three')).rejects.toThrow();
    expect(killed).toEqual(['done', 'not done']);
    expect(find('three')).toBeUndefined();
  });
});

describe('SIGKILL', () => {
  it.each(['kill-before', 'kill-after'] as const)('%s: the process is gone, its request is done or not', async (action) => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const ended = new Promise<string | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    const directory = mkdtempSync(join(tmpdir(), 'faults-'));
    const pidFile = join(directory, 'pid');
    writeFileSync(pidFile, `${child.pid}\n`);
    sandbox.faults.add({ at: 1, action, pidFile });
    await expect(create(action)).rejects.toThrow();
    expect(await ended).toBe('SIGKILL');
    expect(find(action) !== undefined).toBe(action === 'kill-after');
    rmSync(directory, { recursive: true });
  });
});

describe('the record', () => {
  it('names every request and counts per verb', async () => {
    await create('logged');
    await api(sandbox).get(configMaps);
    await api(sandbox).get(`${configMaps}/logged`);
    await api(sandbox).patch(`${configMaps}/logged`, { data: { a: '1' } });
    await api(sandbox).delete(`${configMaps}/logged`);
    expect(sandbox.requestLog.perVerb()).toEqual({ create: 1, list: 1, get: 1, patch: 1, delete: 1 });
    expect(sandbox.requestLog.all()[3]).toMatchObject({
      n: 4,
      method: 'PATCH',
      path: `${configMaps}/logged`,
      userAgent: 'tester/1.0',
      status: 200,
      done: true,
    });
    const log = (await (await fetch(`${sandbox.statsUrl}/log?since=4`)).json()) as { count: number; requests: unknown[] };
    expect([log.count, log.requests.length]).toEqual([5, 1]);
  });

  it('tells of every write with its body, done or refused', async () => {
    const writes: ApiWrite[] = [];
    const end = sandbox.on('write', (write) => writes.push(write));
    await create('written');
    await create('written');
    end();
    await api(sandbox).delete(`${configMaps}/written`);
    expect(writes.map(({ verb, resource, name, status }) => [verb, resource, name, status])).toEqual([
      ['create', 'configmaps', 'written', 201],
      ['create', 'configmaps', 'written', 409],
    ]);
    expect(writes[0]).toMatchObject({ user: 'admin', namespace: 'default', body: { metadata: { name: 'written' } } });
  });
});

describe('a world', () => {
  it('has the same names again with the same seed', async () => {
    const names = async (seed: number) => {
      const world = await startSandbox({ seed, readyDelay: 20, applyDelay: 20, endpointDelay: 20 });
      await shop(world, { replicas: 3 });
      const pods = world.list('Pod').map((pod) => pod.metadata.name);
      await world.stop();
      return pods;
    };
    const [first, second, other] = [await names(4), await names(4), await names(5)];
    expect(first).toHaveLength(6);
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('runs as a process of its own and ends with the input it was given', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sandbox-'));
    const kubeconfig = join(directory, 'kubeconfig');
    const script = [
      'scripts/run-ts.mjs',
      'packages/sandbox/src/serve-main.ts',
      '--shop',
      '--replicas',
      '2',
      '--until-stdin-ends',
      '--kubeconfig',
      kubeconfig,
    ];
    const child = spawn(process.execPath, script, { cwd: resolve(import.meta.dirname, '../../..'), stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((done) => child.once('exit', done));
    const line = await new Promise<string>((done) => createInterface(child.stdout).once('line', done));
    const { apiUrl, statsUrl } = JSON.parse(line);
    const config = parse(readFileSync(kubeconfig, 'utf8'));
    expect(config.clusters[0].cluster.server).toBe(apiUrl);
    const headers = { authorization: `Bearer ${config.users[0].user.token}` };
    const answer = await (await fetch(`${apiUrl}/apis/apps/v1/namespaces/shop/deployments/shop`, { headers })).json();
    expect(answer).toMatchObject({ status: { availableReplicas: 2 } });
    await fetch(`${statsUrl}/faults`, { method: 'POST', body: JSON.stringify({ path: 'deployments', action: 'status', code: 500 }) });
    expect((await fetch(`${apiUrl}/apis/apps/v1/deployments`, { headers })).status).toBe(500);
    child.stdin.end();
    expect(await ended).toBe(0);
    rmSync(directory, { recursive: true });
  });
});
