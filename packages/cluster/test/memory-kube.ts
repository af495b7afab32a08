import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch, Resource } from '../src/kube.js';
import { resources } from '../src/resources.js';
import { applyJsonPatch, applyMergePatch, jsonCopy } from './json-patch.js';

/** One call that reached the fake, e.g. `{ verb: 'patch', plural: 'deployments', name: 'shop', body: … }`. */
export interface Call {
  verb: 'get' | 'list' | 'create' | 'replace' | 'patch' | 'remove';
  plural: string;
  namespace: string;
  name: string;
  body?: unknown;
}

/** A KubeClient over objects in memory: generations, resource versions, both kinds of patch, conflicts. No controllers, unless `react` plays them. */
export interface MemoryKube extends KubeClient {
  /** Every call in order. */
  readonly calls: Call[];
  /** Calls that were to change something. */
  writes(): Call[];
  /** The object as it is stored, to look at or to change behind the client's back. */
  at(plural: keyof typeof resources, namespace: string, name: string): KubeObject;
  put(...objects: object[]): void;
  /** Called before each call is done: throw an error to fail it, or change the world. Return `after` to be called when it is done. */
  before: (call: Call) => undefined | (() => void) | Promise<undefined | (() => void)>;
  /** Called with each object that was created or changed; may change it in place (as a controller does to status). */
  react: (object: KubeObject) => void;
  /** Logs by `namespace/pod`. */
  readonly podLogs: Map<string, string>;
  /** Answers of the pod proxy. */
  proxy: (namespace: string, pod: string, port: number | string, path: string) => Promise<string>;
}

const byKind = new Map<string, Resource>(Object.values(resources).map((resource) => [resource.kind, resource]));

export function memoryKube(...initial: object[]): MemoryKube {
  const objects = new Map<string, KubeObject>();
  const requests: Record<string, number> = {};
  const calls: Call[] = [];
  let version = 100;
  const key = (plural: string, namespace: string, name: string) => `${plural}/${namespace}/${name}`;

  async function run<T>(call: Call, signal: AbortSignal | undefined, body: () => T): Promise<T> {
    if (signal?.aborted) throw signal.reason;
    requests[call.verb] = (requests[call.verb] ?? 0) + 1;
    calls.push(jsonCopy(call));
    const after = await memory.before(call);
    const result = body();
    after?.();
    return jsonCopy(result);
  }

  function stored(resource: Resource, namespace: string, name: string): KubeObject {
    const object = objects.get(key(resource.plural, namespace, name));
    if (!object) throw refusal('NOT_FOUND', 404, `${resource.plural} "${name}" not found`);
    return object;
  }

  function store(resource: Resource, namespace: string, object: KubeObject, before: KubeObject | undefined): KubeObject {
    const wanted = object.metadata.resourceVersion;
    if (before && wanted !== undefined && wanted !== before.metadata.resourceVersion) {
      throw refusal('CONFLICT', 409, `the object has been modified: ${object.metadata.name}`);
    }
    const metadata = { ...object.metadata, namespace, uid: before?.metadata.uid ?? object.metadata.uid ?? randomUUID() };
    const changedSpec = !before || !isDeepStrictEqual(before.spec, object.spec);
    metadata.generation = before ? (before.metadata.generation ?? 1) + (changedSpec ? 1 : 0) : (object.metadata.generation ?? 1);
    metadata.resourceVersion = before?.metadata.resourceVersion ?? String(++version);
    metadata.creationTimestamp ??= '2026-01-01T00:00:00Z';
    const next = { ...jsonCopy(object), metadata };
    if (!before || !isDeepStrictEqual(next, before)) metadata.resourceVersion = String(++version);
    objects.set(key(resource.plural, namespace, metadata.name), next);
    memory.react(next);
    return next;
  }

  function patched(before: KubeObject, patch: Patch): KubeObject {
    if (patch.type !== 'json') return applyMergePatch(before, patch.body);
    try {
      return applyJsonPatch(before, patch.body);
    } catch (error) {
      throw refusal('CONFLICT', 422, (error as Error).message);
    }
  }

  const client = (signal: AbortSignal | undefined): KubeClient => ({
    get: (resource, namespace, name) =>
      run({ verb: 'get', plural: resource.plural, namespace, name }, signal, () => stored(resource, namespace, name)),
    find: (resource, namespace, name) =>
      run({ verb: 'get', plural: resource.plural, namespace, name }, signal, () => objects.get(key(resource.plural, namespace, name))),
    list: (resource, namespace, options = {}) =>
      run({ verb: 'list', plural: resource.plural, namespace, name: '' }, signal, () =>
        [...objects.entries()]
          .filter(([path]) => path.startsWith(`${resource.plural}/${namespace}/`))
          .map(([, object]) => object)
          .filter((object) => labelsMatch(object.metadata.labels ?? {}, options.labelSelector))
          .filter((object) => fieldsMatch(object, options.fieldSelector)),
      ),
    create: (resource, namespace, object, options = {}) => {
      const body = object as KubeObject;
      return run({ verb: 'create', plural: resource.plural, namespace, name: body.metadata?.name, body }, signal, () => {
        if (objects.has(key(resource.plural, namespace, body.metadata.name))) {
          throw refusal('ALREADY_EXISTS', 409, `${resource.plural} "${body.metadata.name}" already exists`);
        }
        return options.dryRun ? body : store(resource, namespace, body, undefined);
      });
    },
    replace: (resource, namespace, name, object) =>
      run({ verb: 'replace', plural: resource.plural, namespace, name, body: object }, signal, () =>
        store(resource, namespace, object as KubeObject, stored(resource, namespace, name)),
      ),
    patch: (resource, namespace, name, patch, options = {}) =>
      run({ verb: 'patch', plural: resource.plural, namespace, name, body: patch.body }, signal, () => {
        const before = stored(resource, namespace, name);
        const after = patched(before, patch);
        return options.dryRun ? after : store(resource, namespace, after, before);
      }),
    remove: (resource, namespace, name, options = {}) =>
      run({ verb: 'remove', plural: resource.plural, namespace, name }, signal, () => {
        const object = stored(resource, namespace, name);
        if (options.uid && options.uid !== object.metadata.uid)
          throw refusal('CONFLICT', 409, 'the UID in the precondition does not match');
        objects.delete(key(resource.plural, namespace, name));
      }),
    logs: async (namespace, pod) => memory.podLogs.get(`${namespace}/${pod}`) ?? '',
    podProxy: (namespace, pod, port, path) => memory.proxy(namespace, pod, port, path),
    withSignal: (other) => client(other),
    requests,
  });

  const memory: MemoryKube = {
    ...client(undefined),
    calls,
    podLogs: new Map(),
    before: () => undefined,
    react: () => undefined,
    proxy: async () => {
      throw refusal('NOT_FOUND', 404, 'no such pod');
    },
    writes: () => calls.filter((call) => call.verb !== 'get' && call.verb !== 'list'),
    at: (plural, namespace, name) => stored(resources[plural], namespace, name),
    put: (...added) => {
      for (const object of added as KubeObject[]) {
        const resource = byKind.get(object.kind);
        if (!resource) throw new Error(`unknown kind ${object.kind}`);
        const namespace = object.metadata.namespace ?? 'shop';
        store(resource, namespace, object, objects.get(key(resource.plural, namespace, object.metadata.name)));
      }
    },
  };
  memory.put(...initial);
  return memory;
}

/** What the HTTP client would throw. */
export function refusal(reason: string, status: number, message: string): OperationError {
  return new OperationError(message, { reason, details: { status } });
}

/** Plays the deployment controller in no time: every Deployment is observed, updated and available as soon as it is stored. */
export function readyAtOnce(object: KubeObject): void {
  if (object.kind !== 'Deployment') return;
  const replicas = object.spec?.replicas ?? 1;
  object.status = {
    observedGeneration: object.metadata.generation,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  };
}

function labelsMatch(labels: Record<string, string>, selector: string | undefined): boolean {
  if (!selector) return true;
  return selector.split(/,(?![^(]*\))/).every((term) => {
    const set = /^(\S+) (in|notin) \((.*)\)$/.exec(term.trim());
    if (set) return set[3]?.split(',').includes(labels[set[1] ?? ''] ?? '') === (set[2] === 'in');
    const [name = '', value] = term.split(/!?==?/);
    if (value === undefined) return name.startsWith('!') ? !(name.slice(1) in labels) : name in labels;
    return (labels[name] === value) !== term.includes('!=');
  });
}

function fieldsMatch(object: KubeObject, selector: string | undefined): boolean {
  if (!selector) return true;
  return selector.split(',').every((term) => {
    const [path = '', value] = term.split('=');
    // biome-ignore lint/suspicious/noExplicitAny: a field path may lead anywhere
    return path.split('.').reduce<any>((node, name) => node?.[name], object) === value;
  });
}
