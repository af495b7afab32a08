/** A Kubernetes object as the API server sends it; only what is common to all kinds is typed. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own shape; readers narrow what they use
  spec?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  status?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above (data, rules, subsets …)
  [field: string]: any;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  // biome-ignore lint/suspicious/noExplicitAny: managedFields are read by their manager only
  managedFields?: any[];
}

/** A resource of the API, e.g. `deployments` (see `resources` in resources.ts). */
export interface Resource {
  /** `''` for the core group. */
  group: string;
  version: string;
  /** Lower-case plural, as in URLs and RBAC rules. */
  plural: string;
  kind: string;
}

export type Patch =
  | { type: 'merge'; body: object }
  | { type: 'json'; body: { op: 'add' | 'replace' | 'remove' | 'test'; path: string; value?: unknown }[] }
  | { type: 'apply'; body: object; fieldManager: string; force?: boolean };

/**
 * The port to a Kubernetes API server: what Slipway asks of it and nothing more. Reads are retried on 429, 5xx, time-outs and broken
 * connections; writes on 429 and on failures that happened surely before the server acted, or when the write is idempotent.
 * Every failure is an OperationError with reason UNAUTHENTICATED, FORBIDDEN (naming verb and resource), NOT_FOUND, CONFLICT, ALREADY_EXISTS,
 * INVALID, API_UNAVAILABLE; `details.status` is the HTTP code. Implemented over HTTP by kube-http.ts.
 */
export interface KubeClient {
  get(resource: Resource, namespace: string, name: string): Promise<KubeObject>;
  /** Undefined instead of NOT_FOUND. */
  find(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined>;
  list(resource: Resource, namespace: string, options?: { labelSelector?: string; fieldSelector?: string }): Promise<KubeObject[]>;
  /**
   * One object as it changes after `resourceVersion`, each time whole, by one request that stays open. Ends when the object is deleted, and
   * when the server ends it: after `timeoutMs`, or because that version is too old. Rejects when it is refused (FORBIDDEN: `watch` needs its
   * own permission) or breaks; it is never sent again by itself. Absent: ask with `get`.
   */
  watch?(
    resource: Resource,
    namespace: string,
    name: string,
    options: { resourceVersion: string; timeoutMs: number; signal: AbortSignal },
  ): AsyncIterable<KubeObject>;
  create(resource: Resource, namespace: string, object: object, options?: { dryRun?: boolean }): Promise<KubeObject>;
  /** PUT: refused with CONFLICT when `metadata.resourceVersion` is no longer the stored one. */
  replace(resource: Resource, namespace: string, name: string, object: object): Promise<KubeObject>;
  patch(
    resource: Resource,
    namespace: string,
    name: string,
    patch: Patch,
    options?: { subresource?: 'scale' | 'status'; dryRun?: boolean; timeoutMs?: number },
  ): Promise<KubeObject>;
  remove(
    resource: Resource,
    namespace: string,
    name: string,
    options?: { uid?: string; propagation?: 'Foreground' | 'Background' },
  ): Promise<void>;
  /** Last lines of a container's log; empty when there are none. */
  logs(namespace: string, pod: string, options: { container?: string; previous?: boolean; tailLines: number }): Promise<string>;
  /** GET through the API server's pod proxy, e.g. `/metrics` on a port. */
  podProxy(namespace: string, pod: string, port: number | string, path: string, options?: { timeoutMs?: number }): Promise<string>;
  /** The same client (connection, counters) whose calls end when `signal` aborts; `undefined`: one that no signal stops, for the way out. */
  withSignal(signal: AbortSignal | undefined): KubeClient;
  /** Requests sent so far, per verb: `{ get: 3, list: 2, patch: 1 }`; a retry counts again. */
  readonly requests: Readonly<Record<string, number>>;
}
