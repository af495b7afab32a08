import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { parse } from 'yaml';
import type { ContractRequest, Send } from './case.js';

/** Sends to the server of a kubeconfig's first cluster, by its first user: a bearer token or a client certificate, both written in the file. */
export function sendTo(kubeconfig: string): Send & { server: string } {
  const config = parse(kubeconfig);
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
  const { token, 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user;
  if (!token && !cert)
    throw new Error('The kubeconfig has neither token nor client-certificate-data: the contract can be asked with those only.');
  const decode = (data: string | undefined) => (data ? Buffer.from(data, 'base64') : undefined);
  const tls = { ca: decode(ca), cert: decode(cert), key: decode(key) };
  const send: Send = (request) => ask(new URL(request.path, server), request, token ? { authorization: `Bearer ${token}` } : {}, tls);
  return Object.assign(send, { server });
}

/** Headers of a request, without those that say who asks. */
export function headersOf({ type = 'application/json', as }: ContractRequest): Record<string, string> {
  return { 'content-type': type, 'user-agent': 'contract/1.0', ...(as ? { 'impersonate-user': as } : {}) };
}

function ask(url: URL, request: ContractRequest, credentials: object, tls: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const text = request.body === undefined ? '' : JSON.stringify(request.body);
    const headers = { ...headersOf(request), ...credentials, 'content-length': String(Buffer.byteLength(text)) };
    const start = url.protocol === 'https:' ? overHttps : overHttp;
    const call = start(url, { method: request.method, headers, ...tls }, (answer) => {
      let answered = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk) => {
        answered += chunk;
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: answered }));
    });
    call.on('error', reject);
    call.end(text);
  });
}
