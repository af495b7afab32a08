import { applyJsonPatch } from '../patch/json-patch.js';
import { applyMergePatch } from '../patch/merge-patch.js';
import { applyConfiguration } from '../patch/server-side-apply.js';
import { applyStrategicMerge } from '../patch/strategic-merge.js';
import { ApiError, badRequest } from './api-error.js';
import type { Kind } from './kinds.js';
import { isRecord, type KubeObject } from './object.js';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface PatchRequest {
  type: PatchType;
  body: unknown;
  force: boolean;
}

const types: Record<string, PatchType> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The patch that a content type stands for; throws 415 for others, and for strategic merge on a custom kind. */
export function patchTypeOf(contentType: string, kind: Kind): PatchType {
  const type = types[contentType.split(';')[0]?.trim() ?? ''];
  if (!type) throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  if (!(type === 'strategic' && kind.custom)) return type;
  const accepted = Object.entries(types).filter(([, one]) => !(one === 'strategic' && kind.custom));
  const list = accepted.map(([name]) => name).join(', ');
  throw new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${list}`,
  );
}

/** The object that a patch makes of the stored one. */
export function patched(
  stored: KubeObject,
  kind: Kind,
  { type, body, force }: PatchRequest,
  options: { manager: string; subresource: string; now: number },
): KubeObject {
  if (type === 'json') {
    if (!Array.isArray(body))
      throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp');
    return applyJsonPatch(stored, body) as KubeObject;
  }
  if (!isRecord(body)) throw badRequest('error decoding patch: the patch must be an object');
  if (type === 'merge') return applyMergePatch(stored, body) as KubeObject;
  if (type === 'strategic') return applyStrategicMerge(stored, body) as KubeObject;
  if (body.apiVersion !== stored.apiVersion || body.kind !== stored.kind) {
    throw badRequest(`failed to create typed live object: apply must name apiVersion ${stored.apiVersion} and kind ${stored.kind}`);
  }
  if (isRecord(body.metadata) && body.metadata.managedFields) throw badRequest('metadata.managedFields must be nil');
  return applyConfiguration(stored, body, kind, { ...options, force });
}
