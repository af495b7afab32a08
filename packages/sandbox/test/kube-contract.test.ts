import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../src/index.js';
import { cases, type Recorded, record } from './kube-contract.js';

/** Recorded from a real API server by record-kube-contract.ts. */
const real = JSON.parse(readFileSync(new URL('fixtures/kube-contract.json', import.meta.url), 'utf8')) as Record<string, Recorded>;

let sandbox: Sandbox;
let ours: Record<string, Recorded>;
beforeAll(async () => {
  sandbox = await startSandbox();
  const { token } = sandbox.cluster.user('admin');
  ours = await record(async ({ method, path, body, type = 'application/json' }) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type, 'user-agent': 'contract/1.0' };
    const answer = await fetch(
      sandbox.apiUrl + path,
      body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) },
    );
    return { status: answer.status, text: await answer.text() };
  });
});
afterAll(() => sandbox.stop());

describe('answers as the real API server does', () => {
  it.each(cases.map(({ name }) => name))('%s', (name) => expect(ours[name]).toEqual(real[name]));
});
