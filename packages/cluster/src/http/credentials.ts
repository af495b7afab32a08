import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { type Clock, OperationError } from '@slipway/core';

/** What a request needs of the kubeconfig: a connection pool with its certificates, and headers. */
export interface Credentials {
  agent: http.Agent;
  headers: Record<string, string>;
}

export interface CredentialSource {
  /** What is known, at once; renewed in the background when it is old, so that a request never waits for a login in the middle of things. */
  current(): Promise<Credentials>;
  /** After a 401: asks anew. */
  renew(): Promise<Credentials>;
}

/** Tokens of a pod and of most exec plugins live for 15 minutes or longer. */
const RENEW_AFTER_MS = 60_000;
/** A plugin that asks a person something would wait for ever. */
const LOGIN_TIMEOUT_MS = 30_000;

type Applied = https.RequestOptions & { agent?: http.Agent };

/** Credentials from tokens, client certificates, token files and exec plugins, as the kubeconfig says. One keep-alive pool for all requests. */
export function credentialSource(config: KubeConfig, clock: Clock): CredentialSource {
  let known: (Credentials & { at: number; fingerprint: string }) | undefined;
  let loading: Promise<Credentials> | undefined;

  async function load(): Promise<Credentials> {
    const applied: Applied = { headers: {} };
    await apply(config, applied);
    const fingerprint = fingerprintOf(applied);
    // The same certificates: the same pool, whose connections are open already.
    const agent = known && known.fingerprint === fingerprint ? known.agent : agentFor(config, applied);
    known = { agent, headers: headersOf(applied), at: clock.now(), fingerprint };
    return known;
  }

  function renew(): Promise<Credentials> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  return {
    async current() {
      if (!known) return renew();
      // A failure shows in the next 401, which asks again and is told to the user.
      if (clock.now() - known.at > RENEW_AFTER_MS) void renew().catch(() => undefined);
      return known;
    },
    renew,
  };
}

async function apply(config: KubeConfig, options: Applied): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${LOGIN_TIMEOUT_MS / 1000} s`)), LOGIN_TIMEOUT_MS);
  });
  try {
    await Promise.race([config.applyToHTTPSOptions(options), late]);
  } catch (error) {
    throw loginFailed(config, error as Error);
  } finally {
    clearTimeout(timer);
  }
}

function agentFor(config: KubeConfig, applied: Applied): http.Agent {
  const cluster = config.getCurrentCluster();
  // A pool through a proxy is made by KubeConfig; it only has to keep its connections.
  if (cluster?.proxyUrl && applied.agent) return Object.assign(applied.agent, { keepAlive: true });
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = applied;
  if (cluster?.server.startsWith('http:')) return new http.Agent({ keepAlive: true });
  return new https.Agent({
    keepAlive: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  });
}

function headersOf({ headers, auth }: Applied): Record<string, string> {
  const plain = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
  const basic = auth ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...Object.fromEntries(plain), ...basic };
}

function fingerprintOf({ ca, cert, key }: Applied): string {
  const hash = createHash('sha256');
  for (const part of [ca, cert, key]) hash.update(String(part ?? '')).update('\0');
  return hash.digest('base64');
}

function loginFailed(config: KubeConfig, error: Error): OperationError {
  const user = config.getCurrentUser();
  const command: string | undefined = user?.exec?.command;
  const { code } = error as NodeJS.ErrnoException;
  const what = error.message.trim().replace(/\s+/g, ' ').slice(0, 500);
  if (command !== undefined && code === 'ENOENT') {
    return new OperationError(`The kubeconfig logs in with the program "${command}", which is not installed here.`, {
      reason: 'UNAUTHENTICATED',
      next: [`Install ${command} in a step before this one, or use a kubeconfig with a token.`],
      cause: error,
    });
  }
  const source =
    command === undefined ? 'The credentials of the kubeconfig cannot be had' : `The kubeconfig's login program "${command}" failed`;
  return new OperationError(`${source}: ${what}`, {
    reason: 'UNAUTHENTICATED',
    next: ['Check the login step before this one, and that the files the kubeconfig names are there.'],
    cause: error,
  });
}
