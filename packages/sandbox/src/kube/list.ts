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
  const all = store.list(target.kind, target.namespace).filter(matcher(query, target));
  const start = readContinue(query.get('continue'));
  const limit = readLimit(query.get('limit')) || all.length;
  const first = start === undefined ? 0 : all.findIndex((object) => keyOf(object) > start);
  const items = first < 0 ? [] : all.slice(first, first + limit);
  const remaining = first < 0 ? 0 : all.length - first - items.length;
  const last = items.at(-1);
  const more =
    remaining > 0 && last
      ? { continue: Buffer.from(JSON.stringify({ start: keyOf(last) })).toString('base64url'), remainingItemCount: remaining }
      : {};
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

function readContinue(text: string | null): string | undefined {
  if (!text) return undefined;
  try {
    const { start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as { start: unknown };
    if (typeof start === 'string') return start;
  } catch {
    // Answered below, whatever was wrong with it.
  }
  throw new ApiError(400, 'BadRequest', 'continue key is not valid: the token was not issued by this server');
}
