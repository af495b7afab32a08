import type { KubeObject } from '../kube.js';
import { LAST_APPLIED_ANNOTATION } from '../names.js';

/** What the API server or a controller writes, and nobody restores. */
const SERVER_METADATA = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
  // Names an owner by uid, which may be another by the time of a restore: the object would be deleted as an orphan.
  'ownerReferences',
  'generateName',
]);

/** A copy of the object as its author wrote it: without status and server's metadata. `kubectl apply` keeps one of it all, which goes as well. Pure. */
export function stripObject(object: KubeObject): KubeObject {
  const { status: _status, metadata, ...rest } = structuredClone(object);
  const kept = Object.entries(metadata).filter(([field]) => !SERVER_METADATA.has(field));
  const { [LAST_APPLIED_ANNOTATION]: _applied, ...annotations } = metadata.annotations ?? {};
  return {
    ...rest,
    metadata: { ...Object.fromEntries(kept), name: metadata.name, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
  } as KubeObject;
}
