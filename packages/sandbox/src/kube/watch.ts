import type { ServerResponse } from 'node:http';
import { ApiError } from './api-error.js';
import { apiVersionOf } from './kinds.js';
import { matcher } from './list.js';
import type { KubeObject } from './object.js';
import type { Target } from './request-path.js';
import type { Change, Store } from './store.js';

/** How often a client that allows them is sent the newest resource version. */
const bookmarkEvery = 10_000;

/** Streams changes as JSON lines until the client goes away or `timeoutSeconds` pass. An object that begins or ceases to match is added or deleted. */
export function watchObjects(store: Store, target: Target, query: URLSearchParams, response: ServerResponse): void {
  const matches = matcher(query, target);
  const missed = changesMissed(store, query.get('resourceVersion') ?? '');
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  const send = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`);
  const pass = (change: Change) => {
    const type = typeFor(change, target, matches);
    if (type) send(type, change.object);
  };
  if (missed) missed.forEach(pass);
  else for (const object of store.list(target.kind, target.namespace).filter(matches)) send('ADDED', object);
  const stop = store.onChange(pass);
  const seconds = Number(query.get('timeoutSeconds') ?? 0) || 1800;
  const timers = [setTimeout(() => response.end(), seconds * 1000)];
  if (query.get('allowWatchBookmarks') === 'true') {
    const mark = () => send('BOOKMARK', bookmark(store, target));
    timers.push(setInterval(mark, bookmarkEvery));
  }
  for (const timer of timers) timer.unref();
  response.on('close', () => {
    stop();
    timers.forEach(clearTimeout);
  });
}

/** Undefined: begin with the objects that exist. Throws 410 for a version too old to continue from. */
function changesMissed(store: Store, resourceVersion: string): Change[] | undefined {
  if (resourceVersion === '' || resourceVersion === '0') return undefined;
  const changes = store.since(Number(resourceVersion));
  if (!changes) throw new ApiError(410, 'Expired', `too old resource version: ${resourceVersion} (${store.resourceVersion})`);
  return changes;
}

function typeFor(change: Change, target: Target, matches: (object: KubeObject) => boolean): string | undefined {
  if (change.kind !== target.kind) return undefined;
  if (target.namespace && change.object.metadata.namespace !== target.namespace) return undefined;
  const was = change.previous !== undefined && matches(change.previous);
  const is = change.type !== 'DELETED' && matches(change.object);
  if (was && is) return 'MODIFIED';
  if (is) return 'ADDED';
  return was ? 'DELETED' : undefined;
}

function bookmark(store: Store, { kind }: Target): object {
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: { resourceVersion: store.resourceVersion, creationTimestamp: null } };
}
