import { ApiError, badRequest } from './api-error.js';
import { apiVersionOf } from './kinds.js';
import type { KubeObject } from './object.js';
import type { Target } from './request-path.js';
import { parseFieldSelector, parseLabelSelector } from './selectors.js';
import type { Store } from './store.js';

/** Whether an object is among those that the query asks for. */
export function matcher(query: URLSearchParams, target: Target): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', target.kind.kind);
  return (object) => labels(object.metadata.labels) && fields(object) && (!target.name || object.metadata.name === target.name);
}

/** A list as the API sends it, in pieces of `limit`. */
export function listObjects(store: Store, target: Target, query: URLSearchParams): object {
  refuseFuture(store, query.get('resourceVersion'));
  const all = store.list(target.kind, target.namespace).filter(matcher(query, target));
  const { start, version } = readContinue(query.get('continue'));
  if (version !== undefined && version < store.oldestVersion) throw expired(store, start);
  const limit = readLimit(query.get('limit')) || all.length;
  const first = start === undefined ? 0 : all.findIndex((object) => keyOf(object) > start);
  const items = first < 0 ? [] : all.slice(first, first + limit);
  const remaining = first < 0 ? 0 : all.length - first - items.length;
  const isSelected = Boolean(query.get('labelSelector') || query.get('fieldSelector'));
  const last = items.at(-1);
  const more =
    remaining > 0 && last ? { continue: continueAfter(keyOf(last), store), ...(isSelected ? {} : { remainingItemCount: remaining }) } : {};
  return {
    kind: `${target.kind.kind}List`,
    apiVersion: apiVersionOf(target.kind),
    metadata: { resourceVersion: store.resourceVersion, ...more },
    items,
  };
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function readLimit(text: string | null): number {
  if (!text) return 0;
  if (!/^\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return Number(text);
}

interface Continue {
  /** Key of the last object sent. */
  start?: string;
  /** Resource version of the first piece. */
  version?: number;
}

function continueAfter(start: string, store: Store): string {
  return Buffer.from(JSON.stringify({ start, version: Number(store.resourceVersion) })).toString('base64url');
}

function readContinue(text: string | null): Continue {
  if (!text) return {};
  const decoded = Buffer.from(text, 'base64url').toString();
  try {
    const { start, version } = JSON.parse(decoded) as Record<string, unknown>;
    if (typeof start === 'string' && typeof version === 'number') return { start, version };
  } catch {
    throw notContinued(`invalid character '${decoded.charAt(0)}' looking for beginning of value`);
  }
  throw notContinued('the token was not issued by this server');
}

function notContinued(why: string): ApiError {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

/** The state that the list began with is forgotten. The token in the answer leads on, through the state of now. */
function expired(store: Store, start = ''): ApiError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue ' +
    'parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided ' +
    'token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was ' +
    'returned and now may show up in the list.';
  return new ApiError(410, 'Expired', message, undefined, { continue: continueAfter(start, store) });
}

/** A version that is yet to come; the real server waits 3 s for it first. */
function refuseFuture(store: Store, resourceVersion: string | null): void {
  if (resourceVersion && !/^\d+$/.test(resourceVersion)) {
    const why = `resourceVersion: Invalid value: "${resourceVersion}": strconv.ParseUint: parsing "${resourceVersion}": invalid syntax`;
    throw badRequest(`invalid resource version: ${why}`);
  }
  const asked = Number(resourceVersion ?? 0);
  if (!(asked > Number(store.resourceVersion))) return;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  const message = `Timeout: Too large resource version: ${asked}, current: ${store.resourceVersion}`;
  throw new ApiError(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
}
