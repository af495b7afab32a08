import { type Clock, OperationError, systemClock } from '@slipway/core';
import { notKubernetes, type Operation } from './http/api-errors.js';
import { credentialSource } from './http/credentials.js';
import { type Call, type Requester, requester } from './http/requester.js';
import type { HttpAnswer } from './http/transport.js';
import { type WatchOpener, watchOpener } from './http/watch-stream.js';
import type { KubeClient, KubeObject, Patch, Resource } from './kube.js';
import { type KubeconfigOptions, loadKubeconfig } from './kubeconfig.js';
import { apiVersionOf, resources } from './resources.js';

export interface ConnectOptions extends KubeconfigOptions {
  /** Longest wait for one answer, milliseconds; default 10 s. */
  timeoutMs?: number;
  /** Longest time for a call with all its retries, milliseconds; default 30 s. */
  deadlineMs?: number;
  /** Calls end when it aborts; see {@link KubeClient.withSignal}. */
  signal?: AbortSignal;
  clock?: Clock;
  /** Hears the `Date` header of every answer, and when (by `clock`) the request was sent. */
  onDate?: (date: string | undefined, sentAt: number) => void;
  /** 0 ≤ x < 1, for the pauses between retries. */
  random?: () => number;
}

const FIELD_MANAGER = 'slipway';
const PAGE = '500';
/** How often a list begins anew because its pages have become too old. */
const LIST_RESTARTS = 3;

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** A client for the cluster of a kubeconfig. Sends nothing yet. Throws UsageError when the kubeconfig is not usable. */
export function connect(options: ConnectOptions): KubeClient {
  const config = loadKubeconfig(options);
  const clock = options.clock ?? systemClock;
  const requests: Record<string, number> = {};
  const server = config.getCurrentCluster()?.server ?? '';
  const requesterOptions = {
    server,
    credentials: credentialSource(config, clock),
    clock,
    random: options.random ?? Math.random,
    timeoutMs: options.timeoutMs ?? 10_000,
    deadlineMs: options.deadlineMs ?? 30_000,
    userAgent: FIELD_MANAGER,
    requests,
    onDate: options.onDate,
  };
  return clientOver({ send: requester(requesterOptions), open: watchOpener(requesterOptions), server, requests }, options.signal);
}

interface Wire {
  send: Requester;
  open: WatchOpener;
  server: string;
  requests: Record<string, number>;
}

function clientOver(wire: Wire, signal: AbortSignal | undefined): KubeClient {
  const { send, open, server, requests } = wire;
  const ask = (call: Omit<Call, 'signal'>) => send({ ...call, signal });
  const askObject = async (call: Omit<Call, 'signal'>) => parseObject(await ask(call), call.operation, server);

  async function get(resource: Resource, namespace: string, name: string): Promise<KubeObject> {
    const operation: Operation = { verb: 'get', resource, namespace, name };
    return askObject({ operation, method: 'GET', path: objectPath(operation), repeatable: true });
  }

  /** One page after the other; 410 says that the later pages are of a state that the server has forgotten. */
  async function list(
    resource: Resource,
    namespace: string,
    options: { labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<KubeObject[]> {
    const operation: Operation = { verb: 'list', resource, namespace, name: '' };
    const { labelSelector, fieldSelector } = options;
    const filter = { ...(labelSelector ? { labelSelector } : {}), ...(fieldSelector ? { fieldSelector } : {}) };
    let items: KubeObject[] = [];
    let next = '';
    for (let restarts = 0; ; ) {
      const query = { ...filter, limit: PAGE, ...(next ? { continue: next } : {}) };
      try {
        const page = await askObject({ operation, method: 'GET', path: objectPath(operation), query, repeatable: true });
        items.push(...itemsOf(page, resource));
        next = (page.metadata as { continue?: string } | undefined)?.continue ?? '';
        if (next === '') return items;
      } catch (error) {
        if (!isExpired(error) || next === '' || ++restarts > LIST_RESTARTS) throw error;
        items = [];
        next = '';
      }
    }
  }

  return {
    get,
    async find(resource, namespace, name) {
      try {
        return await get(resource, namespace, name);
      } catch (error) {
        if (error instanceof OperationError && error.reason === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
    list,
    async *watch(resource, namespace, name, options) {
      const operation: Operation = { verb: 'watch', resource, namespace, name };
      const query = {
        watch: 'true',
        fieldSelector: `metadata.name=${name}`,
        resourceVersion: options.resourceVersion,
        timeoutSeconds: String(Math.ceil(options.timeoutMs / 1000)),
      };
      const ends = signal ? AbortSignal.any([signal, options.signal]) : options.signal;
      const path = objectPath({ ...operation, verb: 'list', name: '' });
      for await (const { type, object } of open({ operation, method: 'GET', path, query, repeatable: true, signal: ends })) {
        if (type !== 'ADDED' && type !== 'MODIFIED') return;
        yield asObject(object, () => notKubernetes({ status: 200, headers: {}, text: JSON.stringify(object) ?? '' }, operation, server));
      }
    },
    create(resource, namespace, object, options = {}) {
      const { metadata } = object as Partial<KubeObject>;
      const operation: Operation = { verb: 'create', resource, namespace, name: metadata?.name ?? '' };
      // Done twice it is refused as ALREADY_EXISTS, which callers have to expect anyway.
      const path = objectPath({ ...operation, name: '' });
      const query = { fieldManager: FIELD_MANAGER, ...(options.dryRun ? { dryRun: 'All' } : {}) };
      return askObject({ operation, method: 'POST', path, query, body: object, repeatable: true });
    },
    replace(resource, namespace, name, object) {
      const operation: Operation = { verb: 'update', resource, namespace, name };
      // The resource version lets only one of two equal requests through.
      return askObject({
        operation,
        method: 'PUT',
        path: objectPath(operation),
        query: { fieldManager: FIELD_MANAGER },
        body: object,
        repeatable: true,
      });
    },
    patch(resource, namespace, name, patch, options = {}) {
      const operation: Operation = {
        verb: 'patch',
        resource,
        namespace,
        name,
        subresource: options.subresource,
        jsonPatch: patch.type === 'json',
      };
      return askObject({
        operation,
        method: 'PATCH',
        path: objectPath(operation),
        query: {
          fieldManager: patch.type === 'apply' ? patch.fieldManager : FIELD_MANAGER,
          ...(patch.type === 'apply' && patch.force ? { force: 'true' } : {}),
          ...(options.dryRun ? { dryRun: 'All' } : {}),
        },
        contentType: PATCH_TYPES[patch.type],
        body: patch.body,
        repeatable: isRepeatable(patch),
        timeoutMs: options.timeoutMs,
      });
    },
    async remove(resource, namespace, name, options = {}) {
      const operation: Operation = { verb: 'delete', resource, namespace, name };
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: options.propagation ?? 'Background',
        ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
      };
      await ask({ operation, method: 'DELETE', path: objectPath(operation), body, repeatable: true });
    },
    async logs(namespace, pod, { container, previous, tailLines }) {
      const operation: Operation = { verb: 'get', resource: resources.pods, subresource: 'log', namespace, name: pod };
      const query = {
        tailLines: String(tailLines),
        ...(container === undefined ? {} : { container }),
        ...(previous ? { previous: 'true' } : {}),
      };
      const answer = await ask({ operation, method: 'GET', path: objectPath(operation), query, accept: '*/*', repeatable: true });
      return answer.text;
    },
    async podProxy(namespace, pod, port, path, options = {}) {
      const operation: Operation = { verb: 'get', resource: resources.pods, subresource: 'proxy', namespace, name: `${pod}:${port}` };
      // Not repeated: who reads a counter every few seconds would rather miss one reading than get it late.
      const limits = { timeoutMs: options.timeoutMs, deadlineMs: options.timeoutMs ?? 10_000, repeatable: false };
      const answer = await ask({ operation, method: 'GET', path: `${objectPath(operation)}${path}`, accept: '*/*', ...limits });
      return answer.text;
    },
    withSignal: (other) => clientOver(wire, other),
    requests,
  };
}

/** `/apis/apps/v1/namespaces/shop/deployments/web/scale`. */
function objectPath({ resource, subresource, namespace, name, verb }: Operation): string {
  if (name === '' && verb !== 'list' && verb !== 'create') throw new Error(`no name to ${verb} ${resource.plural} by`);
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const parts = [...(namespace === '' ? [] : ['namespaces', namespace]), resource.plural, ...(name === '' ? [] : [name])];
  return [root, ...parts.map(segment), ...(subresource ? [subresource] : [])].join('/');
}

/** A name from a file or an input must not lead elsewhere: `..` is a step up in any URL, also encoded. */
function segment(part: string): string {
  if (part === '.' || part === '..') throw new Error(`"${part}" is no name`);
  return encodeURIComponent(part).replaceAll('%3A', ':');
}

/** Setting something twice is setting it once; putting something into a list, or taking it out by its place, is not. */
function isRepeatable(patch: Patch): boolean {
  if (patch.type !== 'json') return true;
  return patch.body.every(({ op, path }) => op === 'test' || op === 'replace' || (op === 'add' && !/\/(\d+|-)$/.test(path)));
}

function parseObject(answer: HttpAnswer, operation: Operation, server: string): KubeObject {
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch (error) {
    throw notKubernetes(answer, operation, server, error);
  }
  return asObject(value, () => notKubernetes(answer, operation, server));
}

function asObject(value: unknown, otherwise: () => OperationError): KubeObject {
  const { kind } = (value ?? {}) as { kind?: unknown };
  if (typeof value !== 'object' || value === null || typeof kind !== 'string') throw otherwise();
  return { ...(value as KubeObject), metadata: (value as KubeObject).metadata ?? { name: '' } };
}

/** Objects in a list lack `apiVersion` and `kind`, which the list has for all. */
function itemsOf(page: KubeObject, resource: Resource): KubeObject[] {
  const items: unknown[] = Array.isArray(page.items) ? page.items : [];
  return items
    .filter((item): item is KubeObject => typeof (item as KubeObject | null)?.metadata?.name === 'string')
    .map((item) => ({ ...item, apiVersion: apiVersionOf(resource), kind: resource.kind }));
}

function isExpired(error: unknown): boolean {
  return error instanceof OperationError && error.details.status === 410;
}
