import type { KubeObject, Patch } from '../kube.js';
import { undoPatch } from '../workloads/undo.js';
import { sameJson } from './canonical-json.js';
import type { SnapshotEntry } from './snapshot.js';

type Operations = Extract<Patch, { type: 'json' }>['body'];

/** Annotations by which ingress-nginx splits traffic. */
const NGINX = 'nginx.ingress.kubernetes.io/';

/** What a restore sets, by kind; all else of an object is its own. `/spec` of what is not named here. */
const FIELDS: Record<string, readonly string[]> = {
  ConfigMap: ['data', 'binaryData'],
  Secret: ['data'],
  Service: ['spec/selector', 'spec/ports'],
  Ingress: ['spec'],
};

/** The patch that makes the live object what it was, and the names of what it sets; undefined when it is so already. Pure. */
export function restoringPatch(
  entry: SnapshotEntry & { object: KubeObject },
  live: KubeObject,
): { patch: Patch; fields: string[] } | undefined {
  return entry.role === 'workload' ? templatePatch(entry.object, live) : fieldsPatch(entry.object, live);
}

/** As `kubectl rollout undo` does; the replicas are the autoscaler's, or whoever's they are. */
function templatePatch(former: KubeObject, live: KubeObject): { patch: Patch; fields: string[] } | undefined {
  const { template } = former.spec;
  if (sameJson(live.spec?.template, template)) return undefined;
  const revision = { revision: '', replicaSet: '', template, annotations: former.metadata.annotations ?? {}, images: {} };
  return { patch: undoPatch(live, revision), fields: ['spec/template'] };
}

function fieldsPatch(former: KubeObject, live: KubeObject): { patch: Patch; fields: string[] } | undefined {
  const wanted = former.kind === 'Ingress' ? withNginxAnnotations(former, live) : former;
  const fields = [...(FIELDS[former.kind] ?? ['spec']), ...(former.kind === 'Ingress' ? ['metadata/annotations'] : [])];
  const differing = fields.filter((field) => !sameJson(at(live, field), at(wanted, field)));
  if (differing.length === 0) return undefined;
  return {
    patch: { type: 'json', body: [...guards(live, differing), ...differing.map((field) => setting(live, wanted, field))] },
    fields: differing,
  };
}

/**
 * What is replaced has to be what was read. That a field is not there cannot be tested, and data is long: then the whole object has to be as it
 * was read. Objects with a status change all the time, so for them the fields are tested.
 */
function guards(live: KubeObject, fields: readonly string[]): Operations {
  const whole = live.kind === 'ConfigMap' || live.kind === 'Secret' || fields.some((field) => at(live, field) === undefined);
  if (whole) return [{ op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion }];
  return fields.map((field) => ({ op: 'test', path: `/${field}`, value: at(live, field) }));
}

function setting(live: KubeObject, wanted: KubeObject, field: string): Operations[number] {
  const value = at(wanted, field);
  if (value === undefined) return { op: 'remove', path: `/${field}` };
  return { op: at(live, field) === undefined ? 'add' : 'replace', path: `/${field}`, value };
}

/** The live annotations with those of ingress-nginx as they were; others are other people's. */
function withNginxAnnotations(former: KubeObject, live: KubeObject): KubeObject {
  const others = Object.entries(live.metadata.annotations ?? {}).filter(([key]) => !key.startsWith(NGINX));
  const ours = Object.entries(former.metadata.annotations ?? {}).filter(([key]) => key.startsWith(NGINX));
  const annotations = Object.fromEntries([...others, ...ours]);
  const none = Object.keys(annotations).length === 0 && live.metadata.annotations === undefined;
  const { annotations: _former, ...metadata } = former.metadata;
  return { ...former, metadata: { ...metadata, ...(none ? {} : { annotations }) } };
}

function at(object: KubeObject, field: string): unknown {
  // biome-ignore lint/suspicious/noExplicitAny: a path may lead anywhere
  return field.split('/').reduce<any>((node, name) => node?.[name], object);
}
