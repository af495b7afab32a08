import type { ServerResponse } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { LoopbackServer, type ReceivedRequest, sendJson, sendText } from '../server/loopback-server.js';
import { isAccessReview, review } from './access-review.js';
import { ApiError, badRequest, forbidden, notFound } from './api-error.js';
import { Authorizer, type User } from './authorizer.js';
import { discover } from './discovery.js';
import { dryRunOf } from './dry-run.js';
import { kinds } from './kinds.js';
import { listObjects } from './list.js';
import { isRecord, type KubeObject } from './object.js';
import { patched, patchTypeOf } from './patch.js';
import { type PodAccess, proxyToPod, sendLogs, splitProxyName } from './pod-access.js';
import { parsePath, type Target, verbOf } from './request-path.js';
import type { DeleteOptions, ResourceHandler, WriteOptions } from './resource-handler.js';
import { fromScale, scaleKind, toScale } from './scale.js';
import { selectedName } from './selectors.js';
import type { Store } from './store.js';
import { watchObjects } from './watch.js';

/** One write that the API server was asked for, done or refused. */
export interface ApiWrite {
  /** Milliseconds since the epoch. */
  at: number;
  user: string;
  verb: string;
  /** `deployments.apps` … without the group for the core kinds. */
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  dryRun: boolean;
  body: unknown;
  status: number;
  message: string;
}

export interface ApiServerParts {
  store: Store;
  handler: ResourceHandler;
  pods: PodAccess;
  /** By bearer token. */
  users: Map<string, User>;
  onWrite(write: ApiWrite): void;
}

/** The Kubernetes API over plain HTTP with bearer tokens. */
export class ApiServer {
  private readonly authorizer: Authorizer;

  constructor(private readonly parts: ApiServerParts) {
    this.authorizer = new Authorizer(parts.store);
  }

  listen(port = 0): Promise<LoopbackServer> {
    const errorBody = (code: number) => new ApiError(code, injectedReasons[code] ?? 'InternalError', `injected ${code}`).status();
    return LoopbackServer.start((request, response) => this.serve(request, response), { verbOf, errorBody, port });
  }

  private serve(request: ReceivedRequest, response: ServerResponse): void {
    try {
      this.route(request, response);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      sendJson(response, error.code, error.status());
    }
  }

  private route(request: ReceivedRequest, response: ServerResponse): void {
    const { pathname } = request.url;
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(pathname)) return sendText(response, 200, 'ok');
    const user = this.authenticate(request);
    const found = discover(pathname);
    if (found) return sendJson(response, 200, found);
    if (isAccessReview(pathname) && request.method === 'POST')
      return sendJson(response, 201, review(this.authorizer, user, decode(request)));
    const target = parsePath(pathname);
    if (!target && isBuiltInGroup(pathname)) throw noSuchResource();
    if (!target) return sendText(response, 404, '404 page not found\n');
    this.authorize(user, verbOf(request), target, request.url.searchParams);
    if (request.method === 'GET') return this.read(target, request, response);
    if (target.subresource && !isServed(target)) throw noSubresource(target);
    this.write(user, target, request, response);
  }

  private authenticate({ headers }: ReceivedRequest): User {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    const user = this.parts.users.get(token ?? '');
    if (!user) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
    const other = headers['impersonate-user'];
    return typeof other === 'string' ? this.impersonated(user, other) : user;
  }

  /** Who may impersonate is another user then, with that user's rights and no more. */
  private impersonated(user: User, name: string): User {
    const kind = { ...core, plural: 'users', kind: 'User' };
    const attempt = { user: user.name, verb: 'impersonate', kind, subresource: '', namespace: '', name };
    if (!this.authorizer.allows(user, attempt)) throw forbidden(attempt);
    return [...this.parts.users.values()].find((known) => known.name === name) ?? { name, token: '' };
  }

  private authorize(user: User, verb: string, target: Target, query: URLSearchParams): void {
    const asked = target.subresource === 'proxy' ? splitProxyName(target.name).name : target.name;
    // A list or watch that is limited to one object is a request for that object (apiserver, pkg/endpoints/request/requestinfo.go).
    const name = asked || selectedName(query.get('fieldSelector') ?? '');
    const attempt = { user: user.name, verb, ...target, name };
    if (!this.authorizer.allows(user, attempt)) throw forbidden(attempt);
  }

  private read(target: Target, request: ReceivedRequest, response: ServerResponse): void {
    const { store, pods } = this.parts;
    const query = request.url.searchParams;
    const { kind, namespace, name, subresource } = target;
    if (verbOf(request) === 'watch') return watchObjects(store, target, query, response);
    if (!name) return sendJson(response, 200, listObjects(store, target, query));
    if (subresource === 'proxy' && kind.kind === 'Pod') {
      const { name: pod, port } = splitProxyName(name);
      return proxyToPod(pods, store.get(kind, namespace, pod), port, target.rest, response);
    }
    const object = store.get(kind, namespace, name);
    if (subresource === 'log' && kind.kind === 'Pod') return sendLogs(pods, object, query, response);
    if (subresource === 'scale' && kind.scale) return sendJson(response, 200, toScale(object));
    if (subresource && !isServed(target)) throw noSubresource(target);
    sendJson(response, 200, object);
  }

  private write(user: User, target: Target, request: ReceivedRequest, response: ServerResponse): void {
    const { kind, namespace, name, subresource } = target;
    const dryRun = dryRunOf(request);
    const body = decode(request);
    const note = (status: number, message: string, madeName = name || nameIn(body)) =>
      this.parts.onWrite({
        at: Date.now(),
        user: user.name,
        verb: verbOf(request),
        resource: kind.group ? `${kind.plural}.${kind.group}` : kind.plural,
        subresource,
        namespace,
        name: madeName,
        dryRun,
        body,
        status,
        message,
      });
    try {
      const { code, object } = this.perform(target, request, body, dryRun);
      note(code, '', name || nameIn(object));
      sendJson(response, code, object);
    } catch (error) {
      if (error instanceof ApiError) note(error.code, error.message);
      throw error;
    }
  }

  private perform(target: Target, request: ReceivedRequest, body: unknown, dryRun: boolean): { code: number; object: object } {
    const { handler, store } = this.parts;
    const { kind, namespace, name, subresource } = target;
    const options: WriteOptions = { manager: managerOf(request), subresource, dryRun };
    switch (request.method) {
      case 'POST':
        if (name) throw methodNotAllowed();
        return { code: 201, object: handler.create(kind, namespace, body, options) };
      case 'PUT':
        if (subresource === 'scale') return { code: 200, object: this.scale(target, body as KubeObject, options) };
        return { code: 200, object: handler.replace(kind, namespace, name, body, options) };
      case 'PATCH': {
        const patch = {
          type: patchTypeOf(request.headers['content-type'] ?? '', kind),
          body,
          force: request.url.searchParams.get('force') === 'true',
        };
        if (patch.type === 'apply' && !request.url.searchParams.get('fieldManager')) {
          throw managerRequired();
        }
        if (subresource === 'scale') {
          const workload = store.get(kind, namespace, name);
          const scale = patched(toScale(workload), scaleKind, patch, { ...options, now: Date.now() });
          return { code: 200, object: this.scale(target, scale, options) };
        }
        const existed = store.find(kind, namespace, name) !== undefined;
        return { code: existed ? 200 : 201, object: handler.patch(kind, namespace, name, patch, options) };
      }
      case 'DELETE':
        if (!name) throw methodNotAllowed();
        return { code: 200, object: deleted(handler.remove(kind, namespace, name, deleteOptions(request, body, dryRun)), target) };
      default:
        throw methodNotAllowed();
    }
  }

  private scale({ kind, namespace, name }: Target, scale: KubeObject, options: WriteOptions): KubeObject {
    const stored = this.parts.store.get(kind, namespace, name);
    const wanted = fromScale(stored, scale);
    const written = this.parts.handler.replace(kind, namespace, name, wanted, options);
    return toScale(written);
  }
}

/** Not a kind that is stored: users are known by their tokens. */
const core = { group: '', version: 'v1', namespaced: false } as const;

const injectedReasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function isServed({ kind, subresource }: Target): boolean {
  return (subresource === 'status' && kind.status === true) || (subresource === 'scale' && kind.scale === true);
}

/** There an unknown resource is answered with a Status, elsewhere with plain text. */
function isBuiltInGroup(pathname: string): boolean {
  const [, group = '', version] = /^\/(?:api|apis\/([^/]+))\/(v[^/]+)\//.exec(pathname) ?? [];
  return kinds.some((kind) => kind.group === group && kind.version === version && !kind.custom);
}

/** Of custom kinds the object is said to be missing, whether or not it is. */
function noSubresource({ kind, name }: Target): ApiError {
  return kind.custom ? notFound(kind, name) : noSuchResource();
}

function noSuchResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

function managerRequired(): ApiError {
  const causes = [{ reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' }];
  const message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch';
  return new ApiError(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'PatchOptions', causes });
}

function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

function decode({ body, headers }: ReceivedRequest): unknown {
  if (body.length === 0) return undefined;
  const text = body.toString();
  try {
    return headers['content-type']?.includes('yaml') ? parseYaml(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function nameIn(object: unknown): string {
  return isRecord(object) && isRecord(object.metadata) && typeof object.metadata.name === 'string' ? object.metadata.name : '';
}

function managerOf({ url, headers }: ReceivedRequest): string {
  return url.searchParams.get('fieldManager') || (headers['user-agent'] ?? '').split('/')[0] || 'unknown';
}

function deleteOptions({ url }: ReceivedRequest, body: unknown, dryRun: boolean): DeleteOptions {
  const grace = url.searchParams.get('gracePeriodSeconds');
  const propagation = url.searchParams.get('propagationPolicy');
  return {
    ...(isRecord(body) ? body : {}),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(propagation === null ? {} : { propagationPolicy: propagation }),
    dryRun,
  };
}

/** Kinds whose deletion is answered with the object in any case. */
const answeredWhole = new Set(['Pod', 'Service', 'ServiceAccount', 'ResourceQuota']);

/** What is gone at once is answered with a Status, what ends later with the object. */
function deleted(object: KubeObject, { kind }: Target): object {
  if (object.metadata.deletionTimestamp || answeredWhole.has(kind.kind)) return object;
  const details = { name: object.metadata.name, ...(kind.group ? { group: kind.group } : {}), kind: kind.plural, uid: object.metadata.uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
