import { OperationError } from '@slipway/core';
import type { KubeObject, Patch } from '../kube.js';
import { CANARY, STABLE, TRACK_LABEL } from '../names.js';
import { describe } from '../workloads/workload.js';
import { selectorOf } from './track-services.js';

/** Which track a Service selects; `both`: its selector says nothing of tracks. */
export function trackOf(service: KubeObject): 'stable' | 'canary' | 'both' {
  const track = selectorOf(service)[TRACK_LABEL];
  if (track === undefined) return 'both';
  if (track === STABLE || track === CANARY) return track;
  throw new OperationError(
    `${describe(service)} selects ${TRACK_LABEL}=${track}; Slipway switches between ${STABLE} and ${CANARY} there.`,
    {
      reason: 'TRACK_LABEL_TAKEN',
      next: [`Take ${TRACK_LABEL} out of the selector of ${describe(service)}, or make it "${STABLE}".`],
    },
  );
}

/** The JSON patch after which the Service selects `track` alone; undefined when it does. The rest of the selector stays. Pure. */
export function switchPatch(service: KubeObject, track: 'stable' | 'canary'): Patch | undefined {
  if (trackOf(service) === track) return undefined;
  return onSelector(service, { op: 'add', path: `/spec/selector/${TRACK_LABEL}`, value: track });
}

/**
 * The JSON patch that takes the track out of the selector again when the Service had none before the rollout (`original`), else has it select
 * stable. Undefined when it is so. Not while the canary has pods. Pure.
 */
export function restorePatch(service: KubeObject, original: Readonly<Record<string, string>> | undefined): Patch | undefined {
  const track = trackOf(service);
  // What was before is not known, and stable's pods may have no track yet: only the canary's must not stay.
  if (original === undefined) return track === CANARY ? switchPatch(service, STABLE) : undefined;
  if (original[TRACK_LABEL] !== undefined) return switchPatch(service, STABLE);
  if (track === 'both') return undefined;
  return onSelector(service, { op: 'remove', path: `/spec/selector/${TRACK_LABEL}` });
}

/** Reason SERVICE_NAME_TAKEN: a Service of the preview's name is not ours. Pure. */
export function foreignPreview(there: KubeObject): OperationError {
  const { namespace, name } = there.metadata;
  return new OperationError(`${describe(there)} exists and is not a preview Service that Slipway made; it is left as it is.`, {
    reason: 'SERVICE_NAME_TAKEN',
    next: [`Rename or delete it: kubectl -n ${namespace} delete service/${name}`],
  });
}

type Operation = Extract<Patch, { type: 'json' }>['body'][number];

function onSelector(service: KubeObject, operation: Operation): Patch {
  return { type: 'json', body: [{ op: 'test', path: '/spec/selector', value: selectorOf(service) }, operation] };
}
