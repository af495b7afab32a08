import type { ServerResponse } from 'node:http';
import { parseSpan } from '../pods/behaviour.js';
import type { FaultSpec } from '../server/faults.js';
import { LoopbackServer, type ReceivedRequest, sendJson, sendText } from '../server/loopback-server.js';
import type { DataPlane } from './data-plane.js';
import type { GroundTruth } from './ground-truth.js';

export interface StatsServerParts {
  truth: GroundTruth;
  dataPlane: DataPlane;
  api: LoopbackServer;
  /** A kubeconfig for a user, e.g. `system:serviceaccount:shop:deployer`. */
  kubeconfig(user: string): string;
}

/**
 * GET /stats and /routes: the truth about traffic. GET /log, POST /reset, POST /latency, GET, POST and DELETE /faults: the API server's
 * requests and the harm done to them. GET /kubeconfig?user= or ?serviceaccount=ns/name.
 */
export function startStatsServer(parts: StatsServerParts, port = 0): Promise<LoopbackServer> {
  return LoopbackServer.start((request, response) => serve(parts, request, response), { port });
}

function serve(parts: StatsServerParts, request: ReceivedRequest, response: ServerResponse): void {
  const { url, method } = request;
  const { truth, dataPlane, api } = parts;
  switch (`${method} ${url.pathname}`) {
    case 'GET /stats':
      return sendStats(truth, dataPlane, url.searchParams, response);
    case 'GET /routes':
      return sendRoutes(dataPlane, url.searchParams, response);
    case 'GET /log':
      return sendJson(response, 200, { count: api.log.count, requests: api.log.all(Number(url.searchParams.get('since') ?? 0)) });
    case 'POST /reset':
      api.log.reset();
      api.faults.clear();
      return sendJson(response, 200, {});
    case 'GET /faults':
      return sendJson(response, 200, api.faults.list());
    case 'DELETE /faults':
      api.faults.clear();
      return sendJson(response, 200, []);
    case 'POST /faults':
      return withBody<FaultSpec>(request, response, (spec) => api.faults.add(spec));
    case 'POST /latency':
      return withBody<{ ms: number; path?: string }>(request, response, (latency) => Object.assign(api.faults, { latency }).latency);
    case 'GET /kubeconfig':
      return sendText(response, 200, parts.kubeconfig(userOf(url.searchParams)));
    default:
      return sendJson(response, 404, { error: 'want /stats, /routes, /log, /reset, /faults, /latency or /kubeconfig' });
  }
}

function withBody<T>({ body }: ReceivedRequest, response: ServerResponse, use: (body: T) => unknown): void {
  try {
    sendJson(response, 200, use(JSON.parse(body.toString()) as T));
  } catch (error) {
    sendJson(response, 400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function userOf(query: URLSearchParams): string {
  const account = query.get('serviceaccount');
  return account ? `system:serviceaccount:${account.replace('/', ':')}` : (query.get('user') ?? 'admin');
}

function sendStats(truth: GroundTruth, dataPlane: DataPlane, query: URLSearchParams, response: ServerResponse): void {
  const now = Date.now() / 1000;
  const service = query.get('service');
  if (!service) return sendJson(response, 200, { services: dataPlane.services(), now: Math.floor(now) });
  const from = readTime(query.get('from'), now, now - 60);
  const to = readTime(query.get('to'), now, now);
  if (from === undefined || to === undefined || !service.includes('/')) {
    return sendJson(response, 400, { error: 'want service=namespace/name, and from= and to= as Unix seconds, RFC 3339 or -30s' });
  }
  sendJson(response, 200, truth.query(service, Math.floor(from), Math.floor(to), query.get('seconds') !== '0'));
}

function sendRoutes(dataPlane: DataPlane, query: URLSearchParams, response: ServerResponse): void {
  const found = dataPlane.describe(query.get('service') ?? '', query.get('header') === 'with');
  if (found) sendJson(response, 200, found);
  else sendJson(response, 404, { error: 'no Service with traffic: want service=namespace/name' });
}

/** Unix seconds (also with a fraction), RFC 3339, or a time relative to now such as `-30s`. */
function readTime(text: string | null, now: number, absent: number): number | undefined {
  if (!text) return absent;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const span = text.startsWith('-') ? parseSpan(text.slice(1)) : undefined;
  if (span !== undefined) return now - span / 1000;
  const date = Date.parse(text) / 1000;
  return Number.isNaN(date) ? undefined : date;
}
