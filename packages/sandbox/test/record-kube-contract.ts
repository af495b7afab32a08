import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';
import { type ContractRequest, record } from './kube-contract.js';

/**
 * Asks the real API server that KUBECONFIG leads to (a bearer token or a client certificate) every case of the contract and writes
 * its answers to fixtures/kube-contract.json: `node scripts/run-ts.mjs packages/sandbox/test/record-kube-contract.ts`.
 */
const config = parse(readFileSync(process.env.KUBECONFIG as string, 'utf8'));
const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
const { token, 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user;
const decode = (data: string | undefined) => (data ? Buffer.from(data, 'base64') : undefined);

function send({ method, path, body, type = 'application/json' }: ContractRequest): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const length = { 'content-length': String(Buffer.byteLength(text)) };
    const headers = {
      'content-type': type,
      'user-agent': 'contract/1.0',
      ...length,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
    const call = request(new URL(path, server), { method, headers, ca: decode(ca), cert: decode(cert), key: decode(key) }, (answer) => {
      let answered = '';
      answer.on('data', (chunk) => {
        answered += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: answered }));
    });
    call.on('error', reject);
    call.end(text);
  });
}

const recorded = await record(send);
const file = new URL('fixtures/kube-contract.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
console.log(`${Object.keys(recorded).length} answers of ${server} written to ${file.pathname}`);
