import { badRequest } from './api-error.js';
import type { Kind } from './kinds.js';
import { apiVersionOf } from './kinds.js';
import { isRecord } from './object.js';
import { parseQuantity } from './quantity.js';

type Check = 'string' | 'integer' | 'boolean' | 'stringMap' | 'microTime' | 'quantityMap' | 'list' | 'object';

/** Fields whose type is checked on decoding, by kind; `*` is every kind. Paths name fields only; lists are entered. */
const types: Record<string, Record<string, Check>> = {
  '*': {
    'metadata.name': 'string',
    'metadata.namespace': 'string',
    'metadata.labels': 'stringMap',
    'metadata.annotations': 'stringMap',
    'metadata.finalizers': 'list',
    'metadata.ownerReferences': 'list',
  },
  Deployment: {
    'spec.replicas': 'integer',
    'spec.paused': 'boolean',
    'spec.minReadySeconds': 'integer',
    'spec.progressDeadlineSeconds': 'integer',
    'spec.revisionHistoryLimit': 'integer',
    'spec.selector.matchLabels': 'stringMap',
    'spec.template.metadata.labels': 'stringMap',
    'spec.template.metadata.annotations': 'stringMap',
    'spec.template.spec.containers': 'list',
    'spec.template.spec.containers.image': 'string',
    'spec.template.spec.containers.name': 'string',
    'spec.template.spec.containers.ports.containerPort': 'integer',
  },
  ReplicaSet: { 'spec.replicas': 'integer', 'spec.selector.matchLabels': 'stringMap' },
  ConfigMap: { data: 'stringMap', immutable: 'boolean' },
  Secret: { data: 'stringMap', stringData: 'stringMap', immutable: 'boolean' },
  ResourceQuota: { 'spec.hard': 'quantityMap' },
  Ingress: { 'spec.rules': 'list', 'spec.rules.host': 'string' },
  Job: { 'spec.parallelism': 'integer', 'spec.completions': 'integer', 'spec.backoffLimit': 'integer', 'spec.suspend': 'boolean' },
  CronJob: { 'spec.schedule': 'string', 'spec.suspend': 'boolean' },
  Service: { 'spec.selector': 'stringMap', 'spec.ports.port': 'integer' },
  Lease: {
    'spec.holderIdentity': 'string',
    'spec.leaseDurationSeconds': 'integer',
    'spec.leaseTransitions': 'integer',
    'spec.acquireTime': 'microTime',
    'spec.renewTime': 'microTime',
  },
  HorizontalPodAutoscaler: { 'spec.minReplicas': 'integer', 'spec.maxReplicas': 'integer' },
};

/**
 * Checks that a body is an object of the kind, with the types that Go's decoder would accept. Throws 400 in its words. Custom kinds have
 * their schema checked later, with 422.
 */
export function checkDecodable(body: unknown, kind: Kind): asserts body is Record<string, unknown> {
  if (!isRecord(body))
    throw badRequest(`couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(body)} into Go value`);
  const apiVersion = apiVersionOf(kind);
  if (kind.custom) checkNamesItself(body, kind);
  if ((body.apiVersion !== undefined && body.apiVersion !== apiVersion) || (body.kind !== undefined && body.kind !== kind.kind)) {
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: no kind "${String(body.kind)}" is registered for version "${String(body.apiVersion)}"`,
    );
  }
  for (const [path, check] of Object.entries({ ...types['*'], ...(kind.custom ? {} : types[kind.kind]) }))
    checkAt(body, path.split('.'), path, check, kind);
}

/** A built-in kind is known by the URL; an object of a custom kind has to say what it is. */
function checkNamesItself(body: Record<string, unknown>, kind: Kind): void {
  const missing = body.kind === undefined ? 'Kind' : body.apiVersion === undefined ? 'apiVersion' : undefined;
  if (!missing) return;
  const text = JSON.stringify(body);
  const start = text.length > 30 ? `${text.slice(0, 30)} ...` : text;
  throw badRequest(
    `the object provided is unrecognized (must be of type ${kind.kind}): Object '${missing}' is missing in '${text}' (${start})`,
  );
}

function checkAt(value: unknown, path: readonly string[], full: string, check: Check, kind: Kind): void {
  if (value === undefined || value === null) return;
  if (Array.isArray(value) && path.length > 0) {
    for (const item of value) checkAt(item, path, full, check, kind);
    return;
  }
  const [key, ...rest] = path;
  if (key === undefined) return checkValue(value, full, check, kind);
  if (!isRecord(value))
    throw cannotDecode(kind, `json: cannot unmarshal ${goType(value)} into Go struct field ${structOf(full, kind)}.${full} of type object`);
  checkAt(value[key], rest, full, check, kind);
}

function checkValue(value: unknown, path: string, check: Check, kind: Kind): void {
  const wrong = (type: string, got: unknown = value) =>
    cannotDecode(kind, `json: cannot unmarshal ${goType(got)} into Go struct field ${structOf(path, kind)}.${path} of type ${type}`);
  switch (check) {
    case 'string':
      if (typeof value !== 'string') throw wrong('string');
      return;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrong('bool');
      return;
    case 'integer':
      if (!Number.isInteger(value)) throw wrong('int32');
      return;
    case 'list':
      if (!Array.isArray(value)) throw wrong('list');
      return;
    case 'object':
      if (!isRecord(value)) throw wrong('object');
      return;
    case 'stringMap': {
      if (!isRecord(value)) throw wrong('map[string]string');
      const odd = Object.values(value).find((one) => typeof one !== 'string');
      if (odd !== undefined) throw wrong('string', odd);
      return;
    }
    case 'quantityMap': {
      if (!isRecord(value)) throw wrong('core.ResourceList');
      if (Object.values(value).some((one) => parseQuantity(one) === undefined)) {
        throw cannotDecode(kind, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
      }
      return;
    }
    case 'microTime':
      return checkMicroTime(value, kind);
  }
}

/** MicroTime is read with exactly six digits of a second, so JavaScript's own toISOString() is refused. */
function checkMicroTime(value: unknown, kind: Kind): void {
  const layout = '2006-01-02T15:04:05.000000Z07:00';
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(.*)$/.exec(String(value));
  if (match && /^\.\d{6}(Z|[+-]\d\d:\d\d)$/.test(match[1] ?? '')) return;
  const rest = match?.[1] ?? String(value);
  const expected = match ? '.000000' : '2006';
  throw cannotDecode(kind, `parsing time "${String(value)}" as "${layout}": cannot parse "${rest}" as "${expected}"`);
}

/** The Go struct that has the last field of a path. */
function structOf(path: string, { kind }: Kind): string {
  if (/(^|\.)metadata\.[^.]+$/.test(path)) return 'ObjectMeta';
  if (/\.selector\.[^.]+$/.test(path)) return 'LabelSelector';
  if (/\.containers\.ports\.[^.]+$/.test(path)) return 'ContainerPort';
  if (/\.containers\.[^.]+$/.test(path)) return 'Container';
  if (/\.template\.spec\.[^.]+$/.test(path)) return 'PodSpec';
  if (/^spec\.ports\.[^.]+$/.test(path)) return 'ServicePort';
  return path.startsWith('spec.') ? `${kind}Spec` : kind;
}

function cannotDecode(kind: Kind, why: string) {
  return badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`);
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : `number ${value}`;
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
