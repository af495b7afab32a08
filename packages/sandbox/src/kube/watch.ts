import type { ServerResponse } from 'node:http';
import { ApiError } from './api-error.js';
import { apiVersionOf } from './kinds.js';
import { matcher } from './list.js';
import type { KubeObject } from './object.js';
import type { Target } from './request-path.js';
import type { Change, Store } from './store.js';

/** How often a client that allows them is sent the newest resource version, and how long before the end for the last time. */
const bookmarkEvery = 10_000;
const lastBookmark = 1000;

/**
 * Streams changes as JSON lines until the client goes away or `timeoutSeconds` pass. An object that begins or ceases to match is added or
 * deleted. A version too old to continue from is answered with an ERROR event (410, Expired) in a stream that then ends.
 */
export function watchObjects(store: Store, target: Target, query: URLSearchParams, response: ServerResponse): void {
  const matches = matcher(query, target);
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  const send = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`);
  const pass = (change: Change) => {
    const type = typeFor(change, target, matches);
    if (type) send(type, change.object);
  };
  const from = query.get('resourceVersion') ?? '';
  if (from === '' || from === '0') {
    for (const object of store.list(target.kind, target.namespace).filter(matches)) send('ADDED', object);
  } else {
    const missed = store.since(Number(from));
    if (!missed) {
      send('ERROR', tooOld(from, store).status());
      return void response.end();
    }
    missed.forEach(pass);
  }
  const stop = store.onChange(pass);
  const milliseconds = (Number(query.get('timeoutSeconds') ?? 0) || 1800) * 1000;
  const timers = [setTimeout(() => response.end(), milliseconds)];
  if (query.get('allowWatchBookmarks') === 'true') {
    const mark = () => send('BOOKMARK', bookmark(store, target));
    timers.push(setInterval(mark, bookmarkEvery), setTimeout(mark, Math.max(milliseconds - lastBookmark, 0)));
  }
  for (const timer of timers) timer.unref();
  response.on('close', () => {
    stop();
    timers.forEach(clearTimeout);
  });
}

function tooOld(resourceVersion: string, store: Store): ApiError {
  return new ApiError(410, 'Expired', `too old resource version: ${resourceVersion} (${store.oldestVersion})`);
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
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: { resourceVersion: store.resourceVersion } };
}
