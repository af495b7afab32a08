/** Sends one request to a Kubernetes API server. */
export type Send = (request: ContractRequest) => Promise<{ status: number; text: string }>;

export interface ContractRequest {
  method: string;
  path: string;
  body?: unknown;
  /** Content type; default JSON. */
  type?: string;
}

interface Case extends ContractRequest {
  name: string;
  /** Paths within a successful answer that must be the same, e.g. `spec.replicas`. A refusal is compared whole. */
  show?: string[];
  /** Asked again until this holds, at most 30 s. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many kinds
  until?: (answer: any) => boolean;
}

const namespace = 'contract';
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const services = `/api/v1/namespaces/${namespace}/services`;
const virtualServices = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices`;
const pods = `/api/v1/namespaces/${namespace}/pods`;
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const json = 'application/json-patch+json';
const apply = 'application/apply-patch+yaml';

const container = { name: 'web', image: 'registry.example/shop:v1', ports: [{ name: 'http', containerPort: 8080 }] };
const labels = { app: 'shop', track: 'stable' };
const deployment = (name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } }, ...spec },
});
const configMap = (name: string, data: object = { a: '1' }) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const route = (weight: unknown) => [{ name: 'primary', route: [{ destination: { host: 'shop', subset: 'stable' }, weight }] }];
const virtualService = (name: string, http: object[]) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name },
  spec: { hosts: ['shop'], http },
});
const microTime = (fraction: string) => `2026-01-02T03:04:05${fraction}Z`;
const web = { app: 'web' };
const replicaSets = `/apis/apps/v1/namespaces/${namespace}/replicasets`;
const conditions = ['type', 'status', 'reason', 'message'].map((field) => `status.conditions.*.${field}`);
const counts = [
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'observedGeneration',
];
const rolloutView = ['metadata.annotations', ...counts.map((count) => `status.${count}`), ...conditions];
// biome-ignore lint/suspicious/noExplicitAny: a Deployment as answered
const isSeen = ({ metadata, status }: any) => status?.observedGeneration >= metadata.generation;
// biome-ignore lint/suspicious/noExplicitAny: as above
const isRolledOut = (answer: any) => {
  const { replicas } = answer.spec;
  const { updatedReplicas, availableReplicas, replicas: all } = answer.status ?? {};
  return (
    isSeen(answer) &&
    updatedReplicas === replicas &&
    availableReplicas === replicas &&
    all === replicas &&
    !answer.status.terminatingReplicas
  );
};
type Sizes = { spec: { replicas: number }; status: { replicas: number; terminatingReplicas: number } };
const isQuiet = ({ items }: { items: Sizes[] }) =>
  items.every(({ spec, status }) => status.replicas === spec.replicas && status.terminatingReplicas === 0);
const lease = (name: string, spec: object = {}) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name },
  spec: { holderIdentity: 'one', leaseDurationSeconds: 60, ...spec },
});

/** Requests in order, each building on the ones before. What a real API server answers to them is in fixtures/kube-contract.json. */
export const cases: readonly Case[] = [
  {
    name: 'namespace',
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: namespace } },
    show: ['status.phase', 'metadata.labels'],
  },
  { name: 'namespace again', method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } },
  { name: 'object not found', method: 'GET', path: `${deployments}/nope` },
  { name: 'core object not found', method: 'GET', path: `${configMaps}/nope` },
  { name: 'unknown group', method: 'GET', path: '/apis/nothing.example/v1/things' },
  { name: 'unknown resource', method: 'GET', path: `/apis/apps/v1/namespaces/${namespace}/things` },
  { name: 'create in a missing namespace', method: 'POST', path: '/api/v1/namespaces/nowhere/configmaps', body: configMap('a') },
  {
    name: 'create a Deployment: defaults',
    method: 'POST',
    path: deployments,
    body: deployment('shop'),
    show: [
      'metadata.generation',
      'spec.strategy',
      'spec.revisionHistoryLimit',
      'spec.progressDeadlineSeconds',
      'spec.template.spec',
      'status',
    ],
  },
  { name: 'create it again', method: 'POST', path: deployments, body: deployment('shop') },
  {
    name: 'selector does not match',
    method: 'POST',
    path: deployments,
    body: deployment('bad', { selector: { matchLabels: { app: 'other' } } }),
  },
  { name: 'negative replicas', method: 'POST', path: deployments, body: deployment('bad', { replicas: -1 }) },
  {
    name: 'no containers',
    method: 'POST',
    path: deployments,
    body: deployment('bad', { template: { metadata: { labels }, spec: { containers: [] } } }),
  },
  {
    name: 'no image and a bad port',
    method: 'POST',
    path: deployments,
    body: deployment('bad', { template: { metadata: { labels }, spec: { containers: [{ name: 'web', ports: [{ containerPort: 0 }] }] } } }),
  },
  { name: 'replicas as text', method: 'POST', path: deployments, body: deployment('bad', { replicas: '3' }) },
  { name: 'bad name', method: 'POST', path: deployments, body: deployment('Bad_Name') },
  {
    name: 'surge and unavailability both zero',
    method: 'POST',
    path: deployments,
    body: deployment('bad', { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
  },
  { name: 'name of the URL', method: 'PUT', path: `${deployments}/shop`, body: deployment('other') },
  {
    name: 'immutable selector',
    method: 'PUT',
    path: `${deployments}/shop`,
    body: deployment('shop', {
      selector: { matchLabels: { app: 'new' } },
      template: { metadata: { labels: { app: 'new' } }, spec: { containers: [container] } },
    }),
  },
  {
    name: 'merge patch',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: merge,
    body: { spec: { paused: true } },
    show: ['spec.paused', 'metadata.generation'],
  },
  {
    name: 'annotations raise the generation',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: merge,
    body: { metadata: { annotations: { a: '1' } } },
    show: ['metadata.generation'],
  },
  {
    name: 'labels do not',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: merge,
    body: { metadata: { labels: { a: '1' } } },
    show: ['metadata.generation', 'metadata.labels'],
  },
  {
    name: 'strategic merge by container name',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: strategic,
    body: { spec: { template: { spec: { containers: [{ name: 'web', image: 'registry.example/shop:v2' }] } } } },
    show: ['spec.template.spec.containers', 'metadata.generation'],
  },
  {
    name: 'merge patch of containers without a name',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: merge,
    body: { spec: { template: { spec: { containers: [{ image: 'x' }] } } } },
  },
  { name: 'unknown patch type', method: 'PATCH', path: `${deployments}/shop`, type: 'application/json', body: {} },
  { name: 'patch of nothing', method: 'PATCH', path: `${deployments}/nope`, type: merge, body: {} },
  {
    name: 'JSON patch: failed test',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: json,
    body: [{ op: 'test', path: '/spec/replicas', value: 5 }],
  },
  {
    name: 'JSON patch: missing path',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: json,
    body: [{ op: 'replace', path: '/spec/none/of', value: 5 }],
  },
  { name: 'JSON patch: not a list', method: 'PATCH', path: `${deployments}/shop`, type: json, body: { op: 'test' } },
  {
    name: 'JSON patch: escapes',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: json,
    body: [
      { op: 'test', path: '/metadata/annotations/a', value: '1' },
      { op: 'add', path: '/metadata/annotations/b~1c', value: '2' },
    ],
    show: ['metadata.annotations'],
  },
  {
    name: 'stale resourceVersion',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: merge,
    body: { metadata: { resourceVersion: '1' }, spec: { paused: false } },
  },
  {
    name: 'another uid',
    method: 'PATCH',
    path: `${deployments}/shop`,
    type: merge,
    body: { metadata: { uid: 'another' }, spec: { paused: false } },
  },
  {
    name: 'dry run',
    method: 'PATCH',
    path: `${deployments}/shop?dryRun=All`,
    type: merge,
    body: { spec: { replicas: 3 } },
    show: ['spec.replicas'],
  },
  { name: 'after the dry run', method: 'GET', path: `${deployments}/shop`, show: ['spec.replicas'] },
  {
    name: 'scale',
    method: 'PATCH',
    path: `${deployments}/shop/scale`,
    type: merge,
    body: { spec: { replicas: 0 } },
    show: ['kind', 'apiVersion', 'spec', 'status'],
  },
  { name: 'subresource that is not there', method: 'PATCH', path: `${configMaps}/nope/scale`, type: merge, body: {} },
  { name: 'ConfigMap', method: 'POST', path: configMaps, body: configMap('state'), show: ['data', 'metadata.generation'] },
  { name: 'ConfigMap again', method: 'POST', path: configMaps, body: configMap('state') },
  { name: 'ConfigMap with a number', method: 'POST', path: configMaps, body: configMap('n', { a: 1 }) },
  { name: 'ConfigMap with a bad key', method: 'POST', path: configMaps, body: configMap('k', { 'a/b': '1' }) },
  {
    name: 'ConfigMap: conflict on PUT',
    method: 'PUT',
    path: `${configMaps}/state`,
    body: { ...configMap('state'), metadata: { name: 'state', resourceVersion: '1' } },
  },
  {
    name: 'create with a resourceVersion',
    method: 'POST',
    path: configMaps,
    body: { ...configMap('v'), metadata: { name: 'v', resourceVersion: '1' } },
  },
  { name: 'null removes', method: 'PATCH', path: `${configMaps}/state`, type: merge, body: { data: { a: null, b: '2' } }, show: ['data'] },
  {
    name: 'apply creates',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: apply,
    body: configMap('applied', { a: '1', b: '1' }),
    show: ['data'],
  },
  {
    name: 'apply by another',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=two`,
    type: apply,
    body: configMap('applied', { c: '1' }),
    show: ['data'],
  },
  {
    name: 'apply: conflict',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: apply,
    body: configMap('applied', { a: '1', c: '2' }),
  },
  {
    name: 'apply: removal',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: apply,
    body: configMap('applied', { a: '1' }),
    show: ['data'],
  },
  {
    name: 'apply: forced',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one&force=true`,
    type: apply,
    body: configMap('applied', { c: '2' }),
    show: ['data'],
  },
  { name: 'apply without a manager', method: 'PATCH', path: `${configMaps}/applied`, type: apply, body: configMap('applied') },
  {
    name: 'apply to a container',
    method: 'PATCH',
    path: `${deployments}/shop?fieldManager=env`,
    type: apply,
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop' },
      spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'A', value: '1' }] }] } } },
    },
    show: ['spec.template.spec.containers'],
  },
  {
    name: 'apply to a container: gone again',
    method: 'PATCH',
    path: `${deployments}/shop?fieldManager=env`,
    type: apply,
    body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop' } },
    show: ['spec.template.spec.containers'],
  },
  {
    name: 'apply: conflict on the image',
    method: 'PATCH',
    path: `${deployments}/shop?fieldManager=env`,
    type: apply,
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop' },
      spec: { template: { spec: { containers: [{ name: 'web', image: 'other:1' }] } } },
    },
  },
  {
    name: 'apply: everything gone',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=two`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' } },
    show: ['data'],
  },
  {
    name: 'apply: nothing left',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' } },
    show: ['data'],
  },
  { name: 'PUT with another uid', method: 'PUT', path: `${configMaps}/applied`, body: { metadata: { name: 'applied', uid: 'another' } } },
  { name: 'Lease with milliseconds', method: 'POST', path: leases, body: lease('l', { renewTime: microTime('.123') }) },
  { name: 'Lease without a fraction', method: 'POST', path: leases, body: lease('l', { renewTime: microTime('') }) },
  { name: 'Lease with microseconds', method: 'POST', path: leases, body: lease('l', { renewTime: microTime('.123000') }), show: ['spec'] },
  { name: 'Lease of no length', method: 'POST', path: leases, body: lease('m', { leaseDurationSeconds: 0 }) },
  { name: 'Lease: PUT without a resourceVersion', method: 'PUT', path: `${leases}/l`, body: lease('l') },
  {
    name: 'Service: defaults',
    method: 'POST',
    path: services,
    body: { metadata: { name: 'shop' }, spec: { selector: labels, ports: [{ port: 80 }] } },
    show: ['spec.ports', 'spec.type', 'spec.sessionAffinity', 'status'],
  },
  { name: 'Service without ports', method: 'POST', path: services, body: { metadata: { name: 'none' }, spec: { selector: labels } } },
  {
    name: 'VirtualService',
    method: 'POST',
    path: virtualServices,
    body: virtualService('shop', route(100)),
    show: ['spec', 'metadata.generation'],
  },
  { name: 'VirtualService: weight as text', method: 'POST', path: virtualServices, body: virtualService('bad', route('10')) },
  {
    name: 'VirtualService: PUT without a resourceVersion',
    method: 'PUT',
    path: `${virtualServices}/shop`,
    body: virtualService('shop', route(90)),
  },
  { name: 'VirtualService: strategic merge', method: 'PATCH', path: `${virtualServices}/shop`, type: strategic, body: {} },
  {
    name: 'VirtualService: JSON patch with test',
    method: 'PATCH',
    path: `${virtualServices}/shop`,
    type: json,
    body: [
      { op: 'test', path: '/spec/http/0/route/0/weight', value: 100 },
      { op: 'replace', path: '/spec/http/0/route/0/weight', value: 90 },
    ],
    show: ['spec', 'metadata.generation'],
  },
  {
    name: 'VirtualService: JSON patch whose test fails',
    method: 'PATCH',
    path: `${virtualServices}/shop`,
    type: json,
    body: [{ op: 'test', path: '/spec/http/0/route/0/weight', value: 100 }],
  },
  {
    name: 'VirtualService: labels keep the generation',
    method: 'PATCH',
    path: `${virtualServices}/shop`,
    type: merge,
    body: { metadata: { labels: { a: '1' } } },
    show: ['metadata.generation'],
  },
  { name: 'list', method: 'GET', path: `${configMaps}?labelSelector=nothing`, show: ['kind', 'apiVersion', 'items'] },
  { name: 'list: bad label selector', method: 'GET', path: `${configMaps}?labelSelector=a%20b` },
  { name: 'list: field that is no index', method: 'GET', path: `${configMaps}?fieldSelector=data.a%3D1` },
  { name: 'list: field that no pod has', method: 'GET', path: `${pods}?fieldSelector=data.a%3D1` },
  { name: 'log of no pod', method: 'GET', path: `${pods}/nope/log` },
  { name: 'metrics of no pod', method: 'GET', path: `${pods}/nope:8080/proxy/metrics` },
  { name: 'delete: wrong uid', method: 'DELETE', path: `${configMaps}/state`, body: { preconditions: { uid: 'another' } } },
  { name: 'delete', method: 'DELETE', path: `${configMaps}/state`, show: ['kind', 'status', 'details.name', 'details.kind'] },
  { name: 'delete again', method: 'DELETE', path: `${configMaps}/state` },
  {
    name: 'rollout: first',
    method: 'POST',
    path: deployments,
    body: deployment('web', {
      replicas: 3,
      selector: { matchLabels: web },
      template: { metadata: { labels: web }, spec: { containers: [container] } },
    }),
    show: ['metadata.generation'],
  },
  { name: 'rollout: first done', method: 'GET', path: `${deployments}/web`, until: isRolledOut, show: rolloutView },
  {
    name: 'rollout: second',
    method: 'PATCH',
    path: `${deployments}/web`,
    type: strategic,
    body: { spec: { template: { spec: { containers: [{ name: 'web', image: 'registry.example/shop:v2' }] } } } },
    show: ['metadata.generation'],
  },
  { name: 'rollout: second done', method: 'GET', path: `${deployments}/web`, until: isRolledOut, show: rolloutView },
  {
    name: 'rollout: ReplicaSets',
    method: 'GET',
    path: `${replicaSets}?labelSelector=app%3Dweb`,
    until: isQuiet,
    show: ['items.*.metadata.annotations', 'items.*.spec.replicas', 'items.*.status'],
  },
  {
    name: 'rollout: pods',
    method: 'GET',
    path: `${pods}?labelSelector=app%3Dweb`,
    show: ['items.*.metadata.generateName', 'items.*.status.phase', 'items.*.spec.containers.*.image'],
  },
  {
    name: 'rollout: scaled',
    method: 'PATCH',
    path: `${deployments}/web/scale`,
    type: merge,
    body: { spec: { replicas: 1 } },
    show: ['spec', 'status.selector'],
  },
  { name: 'rollout: scaled done', method: 'GET', path: `${deployments}/web`, until: isRolledOut, show: rolloutView },
  {
    name: 'rollout: paused',
    method: 'PATCH',
    path: `${deployments}/web`,
    type: merge,
    body: { spec: { paused: true } },
    show: ['metadata.generation'],
  },
  { name: 'rollout: paused, seen', method: 'GET', path: `${deployments}/web`, until: isSeen, show: rolloutView },
  {
    name: 'rollout: events',
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/events?fieldSelector=reason%3DScalingReplicaSet`,
    show: ['items.*.message', 'items.*.type', 'items.*.source'],
  },
];

/** What is compared of an answer. */
export interface Recorded {
  status: number;
  answer: unknown;
}

/** Sends every case in order and keeps what is to be the same everywhere. */
export async function record(send: Send): Promise<Record<string, Recorded>> {
  const recorded: Record<string, Recorded> = {};
  for (const { name, show = [], until = () => true, ...request } of cases) {
    const { status, text } = await sendUntil(send, request, until, name);
    recorded[name] = { status, answer: status < 400 ? pick(JSON.parse(stable(text)), show) : refusal(text) };
  }
  return recorded;
}

async function sendUntil(
  send: Send,
  request: ContractRequest,
  until: (answer: unknown) => boolean,
  name: string,
): Promise<{ status: number; text: string }> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const answer = await send(request);
    if (answer.status >= 400 || until(JSON.parse(answer.text))) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Not within 30 s: ${name}`);
}

function pick(answer: unknown, paths: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(paths.map((path) => [path, at(answer, path.split('.')) ?? null]));
}

/** The value at a path; `*` stands for every item of a list, whose values are sorted. */
function at(value: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined) return value;
  if (key !== '*') return at((value as Record<string, unknown> | undefined)?.[key], rest);
  const values = ((value ?? []) as unknown[]).map((item) => at(item, rest) ?? null);
  return values.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Without what differs from run to run: uids, template hashes, pod suffixes. */
function stable(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '(uid)')
    .replaceAll(/web-[a-z0-9]{7,10}(?=[\\" -])/g, 'web-(hash)');
}

function refusal(text: string): unknown {
  return text.startsWith('{') ? JSON.parse(stable(text)) : text;
}
