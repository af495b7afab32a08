import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../src/index.js';
import { kubeconfigText } from '../src/kubeconfig.js';
import type { Recorded } from './contract/case.js';
import { record } from './contract/record.js';
import { sendTo } from './contract/send.js';
import { cases } from './kube-contract.js';

/** Recorded from a real API server by record-kube-contract.ts. */
const real = JSON.parse(readFileSync(new URL('fixtures/kube-contract.json', import.meta.url), 'utf8')) as Record<string, Recorded>;

let sandbox: Sandbox;
let ours: Record<string, Recorded>;
beforeAll(async () => {
  sandbox = await startSandbox();
  const { name, token } = sandbox.cluster.user('admin');
  const kubeconfig = kubeconfigText({ server: sandbox.apiUrl, user: name, token });
  ours = await record(sendTo(kubeconfig), cases);
}, 60_000);
afterAll(() => sandbox.stop());

describe('answers as the real API server does', () => {
  it.each(cases.map(({ name }) => name))('%s', (name) => expect(ours[name]).toEqual(real[name]));
});
