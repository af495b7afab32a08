import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from './kube.js';
import { apiVersionOf, resources } from './resources.js';

export interface StoreOptions<T> {
  namespace: string;
  /** Name of the ConfigMap. */
  name: string;
  /** Key in `data`, e.g. `state.json`. */
  key: string;
  /** The newest `schema` this program can read. */
  schema: number;
  /** Labels for the ConfigMap when it is created. */
  labels?: Record<string, string>;
  /** Checks the shape of what was stored; throws with words saying what is wrong. */
  parse?: (value: unknown) => T;
}

export interface Stored<T> {
  value: T;
  resourceVersion: string;
}

/** One JSON document in one key of a ConfigMap, with optimistic concurrency. Other keys are left alone. */
export interface DocumentStore<T extends { schema: number }> {
  /** Undefined when there is no ConfigMap or no such key. Reasons: STATE_NEWER, STATE_CORRUPT. */
  read(): Promise<Stored<T> | undefined>;
  /**
   * Writes `value`. `previous` is what it is based on; undefined: nothing must be stored yet. Reasons: CONFLICT (someone wrote meanwhile: read
   * again and decide again), STATE_TOO_LARGE.
   */
  write(value: T, previous: Stored<T> | undefined): Promise<Stored<T>>;
}

/** A ConfigMap is at most 1 MiB (etcd's default request limit is 1.5 MiB); some is left for other keys. */
const MAX_BYTES = 900_000;

/** A {@link DocumentStore} over one key of a ConfigMap. Sends nothing yet. */
export function configMapStore<T extends { schema: number }>(client: KubeClient, options: StoreOptions<T>): DocumentStore<T> {
  const { namespace, name, key } = options;

  async function write(value: T, previous: Stored<T> | undefined): Promise<Stored<T>> {
    const text = JSON.stringify(value);
    refuseLarge(text, options);
    try {
      return stored(value, await (previous ? update(text, previous.resourceVersion) : createOrAdd(text)));
    } catch (error) {
      if (!(error instanceof OperationError && (error.reason === 'CONFLICT' || error.reason === 'ALREADY_EXISTS'))) throw error;
      // The request was sent twice because the first answer was lost: what is stored is what we wrote.
      const there = await client.find(resources.configmaps, namespace, name);
      if (there?.data?.[key] === text) return stored(value, there);
      throw conflict(options, error);
    }
  }

  function update(text: string, resourceVersion: string): Promise<KubeObject> {
    const body = { metadata: { resourceVersion }, data: { [key]: text } };
    return client.patch(resources.configmaps, namespace, name, { type: 'merge', body });
  }

  async function createOrAdd(text: string): Promise<KubeObject> {
    const there = await client.find(resources.configmaps, namespace, name);
    if (there?.data?.[key] !== undefined) throw conflict(options);
    if (there) return update(text, there.metadata.resourceVersion ?? '');
    const metadata = { name, namespace, labels: { ...options.labels } };
    const body = { apiVersion: apiVersionOf(resources.configmaps), kind: resources.configmaps.kind, metadata, data: { [key]: text } };
    return client.create(resources.configmaps, namespace, body);
  }

  return {
    async read() {
      const there = await client.find(resources.configmaps, namespace, name);
      const text: string | undefined = there?.data?.[key];
      if (there === undefined || text === undefined) return undefined;
      return stored(parseDocument(text, options), there);
    },
    write,
  };
}

function stored<T>(value: T, object: KubeObject): Stored<T> {
  return { value, resourceVersion: object.metadata.resourceVersion ?? '' };
}

function parseDocument<T extends { schema: number }>(text: string, options: StoreOptions<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt(`it is not JSON: ${(error as Error).message}`, options, error);
  }
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (typeof schema !== 'number') throw corrupt('it has no number `schema`', options);
  if (schema > options.schema) throw newer(schema, options);
  try {
    return options.parse ? options.parse(value) : (value as T);
  } catch (error) {
    throw corrupt((error as Error).message, options, error);
  }
}

function refuseLarge(text: string, options: { namespace: string; name: string; key: string }): void {
  const bytes = Buffer.byteLength(text);
  if (bytes < MAX_BYTES) return;
  throw new OperationError(`${place(options)} would have ${bytes} bytes; at most ${MAX_BYTES} fit into a ConfigMap. Nothing was written.`, {
    reason: 'STATE_TOO_LARGE',
    next: ['Report this: the state is meant to be a few kilobytes.'],
    details: { bytes },
  });
}

function newer(schema: number, options: { namespace: string; name: string; key: string; schema: number }): OperationError {
  return new OperationError(
    `${place(options)} was written by a newer Slipway (schema ${schema}; this one reads up to ${options.schema}).`,
    {
      reason: 'STATE_NEWER',
      next: ['Use the newer version of the action for this step, too. The state is left as it is.'],
      details: { schema },
    },
  );
}

function corrupt(what: string, options: { namespace: string; name: string; key: string }, cause?: unknown): OperationError {
  const { namespace, name } = options;
  return new OperationError(`${place(options)} cannot be read: ${what}. It was edited by hand or damaged; it is left as it is.`, {
    reason: 'STATE_CORRUPT',
    next: [
      `Look at it: kubectl -n ${namespace} get configmap/${name} -o yaml`,
      'Run `abort`: it sends all users to stable by what the cluster says, and removes the canary.',
      `Then repair it; or, once all traffic is on stable and no canary is left, delete it: kubectl -n ${namespace} delete configmap/${name}`,
    ],
    ...(cause === undefined ? {} : { cause }),
  });
}

function conflict(options: { namespace: string; name: string; key: string }, cause?: OperationError): OperationError {
  return new OperationError(`${place(options)} was written by somebody else meanwhile; nothing was written.`, {
    reason: 'CONFLICT',
    next: ['Read it again and decide again.'],
    ...(cause === undefined ? {} : { details: { ...cause.details }, cause }),
  });
}

function place({ namespace, name, key }: { namespace: string; name: string; key: string }): string {
  return `Key ${key} of ConfigMap ${namespace}/${name}`;
}
