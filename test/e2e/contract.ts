import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Need, Recorded, Send } from '../../packages/sandbox/test/contract/case.js';
import { record } from '../../packages/sandbox/test/contract/record.js';
import { sendTo } from '../../packages/sandbox/test/contract/send.js';
import { cases, namespaces } from '../../packages/sandbox/test/kube-contract.js';

/**
 * Asks the API server that KUBECONFIG leads to what the sandbox is tested with, and compares its answers with the recorded ones:
 * `node scripts/run-ts.mjs test/e2e/contract.ts`. Cases about objects that the server does not know are skipped, and said to be.
 */
async function main(): Promise<number> {
  const { KUBECONFIG, TESTCLUSTER_STATS } = process.env;
  if (!KUBECONFIG) {
    console.log('SKIPPED: the contract. KUBECONFIG names no cluster. The same cases ran on the sandbox (npm test).');
    return summary(0, 0, cases.length);
  }
  const send = sendTo(readFileSync(KUBECONFIG, 'utf8'));
  const lacks = await missing(send);
  // Only the test cluster's pods run whatever image they name.
  if (!TESTCLUSTER_STATS) lacks.add('living pods');
  await refuseLeftovers(send);
  const recorded = JSON.parse(readFileSync('packages/sandbox/test/fixtures/kube-contract.json', 'utf8')) as Record<string, Recorded>;
  const answered = await record(send, cases, lacks).finally(() => tidy(send));
  for (const need of lacks) console.log(`SKIPPED: the cases about ${need}: ${send.server} has none.`);
  const failed = Object.keys(answered).filter((name) => !isDeepStrictEqual(plain(answered[name]), recorded[name]));
  for (const name of failed) {
    console.log(`FAILED: ${name}\n  recorded: ${JSON.stringify(recorded[name])}\n  answered: ${JSON.stringify(answered[name])}`);
  }
  const asked = Object.keys(answered).length;
  return summary(asked - failed.length, failed.length, cases.length - asked);
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function summary(passed: number, failed: number, skipped: number): number {
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0 ? 0 : 1;
}

/** The API groups that cases need and the server does not serve. */
async function missing(send: Send): Promise<Set<Need>> {
  const { text } = await send({ method: 'GET', path: '/apis' });
  const served = new Set((JSON.parse(text) as { groups: { name: string }[] }).groups.map(({ name }) => name));
  const needs = new Set(cases.map(({ needs }) => needs).filter((need) => need !== undefined && need !== 'living pods'));
  return new Set([...needs].filter((need) => need !== undefined && !served.has(need))) as Set<Need>;
}

async function refuseLeftovers(send: Send): Promise<void> {
  for (const name of namespaces) {
    const status = await stateOf(name, send);
    if (status !== 404)
      throw new Error(`The contract makes the namespace ${name}, and it is there (${status}). Delete it, or choose another cluster.`);
  }
}

/** Status code for a namespace; waits up to 30 s for one that is being deleted. */
async function stateOf(name: string, send: Send): Promise<number> {
  for (const end = Date.now() + 30_000; ; ) {
    const { status, text } = await send({ method: 'GET', path: `/api/v1/namespaces/${name}` });
    if (status !== 200 || !text.includes('"Terminating"') || Date.now() > end) return status;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function tidy(send: Send): Promise<void> {
  for (const name of namespaces) await send({ method: 'DELETE', path: `/api/v1/namespaces/${name}` });
}

process.exitCode = await main().catch((error: unknown) => {
  console.log(error instanceof Error ? error.message : error);
  return summary(0, 1, cases.length);
});
