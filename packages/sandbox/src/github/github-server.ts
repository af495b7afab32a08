import type { ServerResponse } from 'node:http';
import { isRecord } from '../kube/object.js';
import { LoopbackServer, type ReceivedRequest, sendJson } from '../server/loopback-server.js';
import { checkRoutes } from './checks.js';
import { deploymentRoutes } from './deployments.js';
import { GitHubError, notFound } from './github-error.js';
import type { GitHubWorld } from './github-world.js';
import { issueRoutes } from './issues.js';
import { refRoutes } from './refs.js';
import { releaseRoutes } from './releases.js';
import { isGranted, matchPath, type Reply, type Route } from './route.js';

const routes: readonly Route[] = [...checkRoutes, ...deploymentRoutes, ...issueRoutes, ...releaseRoutes, ...refRoutes];

/** The part of GitHub's REST API that releases use, for one repository, on the paths of api.github.com and uploads.github.com. */
export function startGitHubServer(world: GitHubWorld, port = 0): Promise<LoopbackServer> {
  const errorBody = (code: number) => new GitHubError(code, messages[code] ?? 'Server Error').body();
  return LoopbackServer.start((request, response) => serve(world, request, response), { port, errorBody });
}

const messages: Record<number, string> = {
  401: 'Bad credentials',
  403: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
  404: 'Not Found',
  429: 'API rate limit exceeded',
  502: 'Server Error',
};

function serve(world: GitHubWorld, request: ReceivedRequest, response: ServerResponse): void {
  const { method, url } = request;
  let status = 500;
  try {
    const reply = answer(world, request);
    status = reply.status;
    send(reply, request, response);
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    status = error.status;
    sendJson(response, status, error.body());
  } finally {
    if (method !== 'GET') world.record({ at: Date.now(), method, path: url.pathname, body: decodeOrEmpty(request), status });
  }
}

function answer(world: GitHubWorld, request: ReceivedRequest): Reply {
  const { method, url, headers, body: raw } = request;
  const token = /^(?:Bearer|token) (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const grants = token === undefined ? undefined : world.grantsOf(token);
  if (!grants) throw new GitHubError(401, token === undefined ? 'Requires authentication' : 'Bad credentials');
  const prefix = `/repos/${world.repository}`;
  const path = url.pathname.replace(/^\/(uploads|api\/v3)(?=\/)/, '');
  if (path.toLowerCase() !== prefix.toLowerCase() && !path.toLowerCase().startsWith(`${prefix.toLowerCase()}/`)) throw notFound();
  const below = path.slice(prefix.length);
  const found = routes.filter((route) => route.method === method).map((route) => ({ route, params: matchPath(route.path, below) }));
  const { route, params } = found.find((one) => one.params) ?? {};
  if (!route || !params) throw notFound();
  if (!isGranted(grants, route.permission, method)) throw new GitHubError(403, 'Resource not accessible by integration');
  const isUpload = url.pathname.startsWith('/uploads/');
  const body = isUpload ? {} : decode(request);
  return route.handle({ world, params, query: url.searchParams, body, raw, base: `http://${headers.host}`, accept: headers.accept ?? '' });
}

function decode({ body }: ReceivedRequest): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isRecord(value)) return value;
  } catch {
    // Answered below, as for every other body that is not an object.
  }
  throw new GitHubError(400, 'Problems parsing JSON');
}

/** For the record of writes; an upload's content is only counted. */
function decodeOrEmpty(request: ReceivedRequest): unknown {
  try {
    return decode(request);
  } catch {
    return { bytes: request.body.length };
  }
}

function send(reply: Reply, { url, headers }: ReceivedRequest, response: ServerResponse): void {
  const limits = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '4999' };
  if (reply.content) {
    response.writeHead(reply.status, { ...limits, 'content-type': 'application/octet-stream' }).end(reply.content);
  } else if (reply.list) {
    const { items, link } = pageOf(reply.list, new URL(url.pathname + url.search, `http://${headers.host}`));
    sendJson(response, reply.status, items, link ? { ...limits, link } : limits);
  } else if (reply.body === undefined) response.writeHead(reply.status, limits).end();
  else sendJson(response, reply.status, reply.body, limits);
}

/** `per_page` (30, at most 100) and `page`, with the Link header that leads on. */
function pageOf(list: readonly unknown[], url: URL): { items: readonly unknown[]; link: string | undefined } {
  const size = Math.min(100, Math.max(1, Number(url.searchParams.get('per_page') ?? 30) || 30));
  const page = Math.max(1, Number(url.searchParams.get('page') ?? 1) || 1);
  const items = list.slice((page - 1) * size, page * size);
  const last = Math.ceil(list.length / size);
  const to = (n: number) => {
    const target = new URL(url);
    target.searchParams.set('page', String(n));
    return target.href;
  };
  const links = [page > 1 && `<${to(page - 1)}>; rel="prev"`, page < last && `<${to(page + 1)}>; rel="next", <${to(last)}>; rel="last"`];
  return { items, link: links.filter(Boolean).join(', ') || undefined };
}
