import { readFileSync, writeFileSync } from 'node:fs';
import { notInTime, record } from './contract/record.js';
import { sendTo } from './contract/send.js';
import { cases } from './kube-contract.js';

/**
 * Asks the real API server that KUBECONFIG leads to every case of the contract and writes its answers to fixtures/kube-contract.json:
 * `node scripts/run-ts.mjs packages/sandbox/test/record-kube-contract.ts`.
 */
const send = sendTo(readFileSync(process.env.KUBECONFIG as string, 'utf8'));
const recorded = await record(send, cases);
for (const [name, { answer }] of Object.entries(recorded)) if (answer === notInTime) throw new Error(`${name}: ${notInTime}`);
const file = new URL('fixtures/kube-contract.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
console.log(`${Object.keys(recorded).length} answers of ${send.server} written to ${file.pathname}`);
