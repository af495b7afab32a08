import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { systemClock, UsageError } from '@slipway/core';
import { credentialSource } from '../src/http/credentials.js';
import { loadKubeconfig } from '../src/kubeconfig.js';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const config = (names: string[], current = names[0], user: object = { token: 'tok-secret' }) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map((name) => ({ name, cluster: { server: `https://${name}.example` } })),
    users: names.map((name) => ({ name, user })),
    contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
    ...(current === undefined ? {} : { 'current-context': current }),
  });

function problem(body: () => unknown) {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).problems[0];
  }
  throw new Error('nothing was thrown');
}

describe('loadKubeconfig', () => {
  it('takes a path before KUBECONFIG, KUBECONFIG before the home folder, and content as it is', () => {
    const one = file('one', config(['one']));
    const two = file('two', config(['two']));
    expect(loadKubeconfig({ kubeconfig: one, env: { KUBECONFIG: two } }).getCurrentCluster()?.server).toBe('https://one.example');
    expect(loadKubeconfig({ env: { KUBECONFIG: two } }).getCurrentCluster()?.server).toBe('https://two.example');
    expect(loadKubeconfig({ kubeconfig: config(['here']), env: {} }).getCurrentCluster()?.server).toBe('https://here.example');
  });

  it('merges several files as kubectl does: the first wins', () => {
    const first = file('a', config(['a'], 'a'));
    const second = file('b', config(['a', 'b'], 'b').replaceAll('a.example', 'other.example'));
    const merged = loadKubeconfig({ env: { KUBECONFIG: `${first}:${second}` } });
    expect(merged.getCurrentContext()).toBe('a');
    expect(merged.getCurrentCluster()?.server).toBe('https://a.example');
    expect(loadKubeconfig({ context: 'b', env: { KUBECONFIG: `${first}:${second}` } }).getCurrentCluster()?.server).toBe(
      'https://b.example',
    );
  });

  it('says that a file is missing, a folder, or empty, and which input named it', () => {
    expect(problem(() => loadKubeconfig({ kubeconfig: '/nowhere/config', env: {} }))).toMatchObject({
      where: 'kubeconfig',
      message: '/nowhere/config does not exist',
    });
    expect(problem(() => loadKubeconfig({ env: { KUBECONFIG: folder } }))).toMatchObject({
      where: 'KUBECONFIG',
      message: `${folder} is a folder`,
    });
    expect(problem(() => loadKubeconfig({ kubeconfig: file('empty', ' \n'), env: {} }))?.message).toContain('is empty');
  });

  it('does not print a kubeconfig that was given in base64', () => {
    const encoded = Buffer.from(config(['a'])).toString('base64');
    let error: unknown;
    try {
      loadKubeconfig({ kubeconfig: encoded, env: {} });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toContain('base64');
    expect(`${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain(encoded.slice(0, 40));
  });

  it('says that there is none at all', () => {
    expect(problem(() => loadKubeconfig({ env: { HOME: folder } }))?.message).toContain('no kubeconfig: KUBECONFIG is not set');
  });

  it('names line and reason of a YAML error but never quotes the file', () => {
    const text = 'apiVersion: v1\nusers:\n- name: u\n  user: {token: very-secret-token\nclusters: [}\n';
    const found = problem(() => loadKubeconfig({ kubeconfig: file('broken', text), env: {} }));
    expect(found?.message).toContain('not YAML');
    expect(found?.line).toBeGreaterThan(3);
    expect(JSON.stringify(found)).not.toContain('very-secret');
  });

  it.each(['just words', '- a\n- b', '42', 'null'])('refuses %j as no kubeconfig', (text) => {
    expect(problem(() => loadKubeconfig({ kubeconfig: file('other', text), env: {} }))?.where).toMatch(/kubeconfig|context/);
  });

  it('names the missing field', () => {
    const text = JSON.stringify({ clusters: [{ name: 'c', cluster: {} }] });
    expect(problem(() => loadKubeconfig({ kubeconfig: text, env: {} }))?.message).toContain('clusters[0].cluster.server is missing');
  });

  it('lists the contexts and guesses the one that was meant', () => {
    const text = config(['staging', 'production']);
    const found = problem(() => loadKubeconfig({ kubeconfig: text, context: 'prodution', env: {} }));
    expect(found).toMatchObject({ where: 'context', allowed: 'staging, production' });
    expect(found?.message).toContain('did you mean "production"?');
  });

  it('asks for a context when none is current', () => {
    const text = JSON.stringify({ ...JSON.parse(config(['a', 'b'])), 'current-context': '' });
    expect(problem(() => loadKubeconfig({ kubeconfig: text, env: {} }))).toMatchObject({ where: 'context', allowed: 'a, b' });
  });

  it('refuses contexts that lead nowhere', () => {
    const broken = JSON.parse(config(['a']));
    expect(problem(() => loadKubeconfig({ kubeconfig: JSON.stringify({ ...broken, clusters: [] }), env: {} }))?.message).toContain(
      'a cluster',
    );
    expect(problem(() => loadKubeconfig({ kubeconfig: JSON.stringify({ ...broken, users: [] }), env: {} }))?.message).toContain('a user');
    const noUrl = config(['a']).replace('https://a.example', 'a.example');
    expect(problem(() => loadKubeconfig({ kubeconfig: noUrl, env: {} }))?.message).toContain('not a URL');
  });
});

describe('credentialSource', () => {
  const source = (user: object, server = 'https://a.example') =>
    credentialSource(loadKubeconfig({ kubeconfig: config(['a'], 'a', user).replace('https://a.example', server), env: {} }), systemClock);

  it('gives token, basic and impersonation headers, also over plain http', async () => {
    expect((await source({ token: 't' }).current()).headers).toEqual({ Authorization: 'Bearer t' });
    expect((await source({ username: 'u', password: 'p' }, 'http://a.example').current()).headers).toEqual({ Authorization: 'Basic dTpw' });
  });

  it('runs an exec plugin and keeps the pool of connections when it is asked again', async () => {
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'from-plugin' } };
    const exec = { command: process.execPath, args: ['-e', `console.log(${JSON.stringify(JSON.stringify(credential))})`] };
    const credentials = source({ exec });
    const first = await credentials.current();
    expect(first.headers).toEqual({ Authorization: 'Bearer from-plugin' });
    expect((await credentials.renew()).agent).toBe(first.agent);
  });

  it('says which program is missing or failed', async () => {
    await expect(source({ exec: { command: 'no-such-login-program' } }).current()).rejects.toMatchObject({
      reason: 'UNAUTHENTICATED',
      message: expect.stringContaining('"no-such-login-program", which is not installed'),
    });
    const failing = { command: process.execPath, args: ['-e', 'console.error("session has expired"); process.exit(1)'] };
    await expect(source({ exec: failing }).current()).rejects.toMatchObject({ message: expect.stringContaining('session has expired') });
  });

  it('asks again in the background when the credentials are old', async () => {
    let now = 0;
    const seen = file('count', '');
    const script = `require('fs').appendFileSync(${JSON.stringify(seen)}, 'x'); console.log('{"status":{"token":"t"}}')`;
    const loaded = loadKubeconfig({
      kubeconfig: config(['a'], 'a', { exec: { command: process.execPath, args: ['-e', script] } }),
      env: {},
    });
    const credentials = credentialSource(loaded, { now: () => now, sleep: async () => undefined });
    const first = await credentials.current();
    expect(await credentials.current()).toBe(first);
    now = 61_000;
    expect(await credentials.current()).toBe(first);
    const renewed = await credentials.renew();
    expect(renewed).not.toBe(first);
    expect(renewed.agent).toBe(first.agent);
  });
});
