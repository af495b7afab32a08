import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, shopManifest, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
let admin: ReturnType<typeof api>;
beforeAll(async () => {
  sandbox = await startSandbox({ seed: 3, readyDelay: 50 });
  admin = api(sandbox);
});
afterAll(() => sandbox.stop());

const deployments = '/apis/apps/v1/namespaces/shop/deployments';
const configMaps = '/api/v1/namespaces/shop/configmaps';
const leases = '/apis/coordination.k8s.io/v1/namespaces/shop/leases';
const virtualServices = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices';

beforeEach(() => {
  for (const namespace of ['shop']) if (sandbox.find('Namespace', '', namespace)) sandbox.remove('Namespace', '', namespace);
  sandbox.apply(shopManifest({ namespace: 'shop', replicas: 2, rps: 0 }));
});

describe('errors are worded as the API server words them', () => {
  it('404 for an object, a namespace and a path', async () => {
    const missing = await admin.get(`${deployments}/nope`);
    expect(missing.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'deployments.apps "nope" not found',
      reason: 'NotFound',
      details: { name: 'nope', group: 'apps', kind: 'deployments' },
      code: 404,
    });
    const nowhere = await admin.post('/api/v1/namespaces/nowhere/configmaps', { metadata: { name: 'a' } });
    expect([nowhere.status, nowhere.body.message]).toEqual([404, 'namespaces "nowhere" not found']);
    const path = await admin.get('/apis/apps/v2/namespaces/shop/deployments');
    expect([path.status, path.text]).toEqual([404, '404 page not found\n']);
  });

  it('401 without a known token', async () => {
    const answer = await fetch(`${sandbox.apiUrl}${deployments}`, { headers: { authorization: 'Bearer wrong' } });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ reason: 'Unauthorized', message: 'Unauthorized' });
  });

  it('403 names user, verb, resource, group and namespace', async () => {
    sandbox.addUser('jane', { rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }] });
    const jane = api(sandbox, 'jane');
    expect((await jane.get(`${deployments}/shop`)).status).toBe(200);
    const refused = await jane.patch(`${deployments}/shop`, { spec: { replicas: 3 } });
    expect(refused.status).toBe(403);
    expect(refused.body.message).toBe(
      'deployments.apps "shop" is forbidden: User "jane" cannot patch resource "deployments" in API group "apps" in the namespace "shop"',
    );
    const listed = await jane.get('/api/v1/pods');
    expect(listed.body.message).toBe('pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope');
  });

  it('obeys Roles and RoleBindings for service accounts, subresources apart', async () => {
    sandbox.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [""], resources: [configmaps], verbs: [get, patch], resourceNames: [mine]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects: [{kind: ServiceAccount, name: ci, namespace: shop}]`);
    const ci = api(sandbox, 'system:serviceaccount:shop:ci');
    expect((await ci.get('/api/v1/namespaces/shop/pods/x')).status).toBe(404);
    const log = await ci.get('/api/v1/namespaces/shop/pods/x/log');
    expect(log.body.message).toContain('cannot get resource "pods/log" in API group "" in the namespace "shop"');
    expect((await ci.get(`${configMaps}/mine`)).status).toBe(404);
    expect((await ci.get(`${configMaps}/other`)).status).toBe(403);
    const review = (verb: string) => ({ spec: { resourceAttributes: { verb, resource: 'pods', namespace: 'shop' } } });
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    expect((await ci.post(path, review('get'))).body.status.allowed).toBe(true);
    expect((await ci.post(path, review('delete'))).body.status.allowed).toBe(false);
  });

  it('409 for an existing name and for a stale resourceVersion', async () => {
    const object = { metadata: { name: 'state' }, data: { a: '1' } };
    const made = await admin.post(configMaps, object);
    expect(made.status).toBe(201);
    const again = await admin.post(configMaps, object);
    expect([again.status, again.body.reason, again.body.message]).toEqual([409, 'AlreadyExists', 'configmaps "state" already exists']);
    const first = await admin.put(`${configMaps}/state`, { ...made.body, data: { a: '2' } });
    expect(first.status).toBe(200);
    const stale = await admin.put(`${configMaps}/state`, { ...made.body, data: { a: '3' } });
    expect([stale.status, stale.body.reason]).toEqual([409, 'Conflict']);
    expect(stale.body.message).toBe(
      'Operation cannot be fulfilled on configmaps "state": the object has been modified; please apply your changes to the latest version and try again',
    );
    const patched = await admin.patch(`${configMaps}/state`, {
      metadata: { resourceVersion: made.body.metadata.resourceVersion },
      data: { a: '3' },
    });
    expect(patched.status).toBe(409);
    const uid = await admin.delete(`${configMaps}/state`, { preconditions: { uid: 'another' } });
    expect([uid.status, uid.body.reason]).toEqual([409, 'Conflict']);
  });

  it('422 with a cause per mistake', async () => {
    const { spec } = sandbox.get('Deployment', 'shop', 'shop');
    const bad = { metadata: { name: 'bad' }, spec: { ...spec, replicas: -1, selector: { matchLabels: { app: 'other' } } } };
    const answer = await admin.post(deployments, bad);
    expect(answer.status).toBe(422);
    expect(answer.body.reason).toBe('Invalid');
    expect(answer.body.details).toMatchObject({ name: 'bad', group: 'apps', kind: 'Deployment' });
    expect(answer.body.details.causes.map((cause: { field: string }) => cause.field)).toEqual([
      'spec.replicas',
      'spec.template.metadata.labels',
    ]);
    expect(answer.body.message).toContain('`selector` does not match template `labels`');
    const labels = { ...spec.template.metadata.labels, app: 'new' };
    const template = { ...spec.template, metadata: { labels } };
    const moved = await admin.put(`${deployments}/shop`, {
      metadata: { name: 'shop' },
      spec: { ...spec, selector: { matchLabels: { app: 'new' } }, template },
    });
    expect(moved.status).toBe(422);
    expect(moved.body.message).toMatch(/^Deployment\.apps "shop" is invalid: spec\.selector: Invalid value: .*: field is immutable$/);
  });

  it('400 for what cannot be decoded, such as a Lease with a millisecond time', async () => {
    const spec = { holderIdentity: 'a', leaseDurationSeconds: 60, renewTime: '2026-01-02T03:04:05.123Z' };
    const refused = await admin.post(leases, { metadata: { name: 'l' }, spec });
    expect(refused.status).toBe(400);
    expect(refused.body.message).toContain('parsing time "2026-01-02T03:04:05.123Z" as "2006-01-02T15:04:05.000000Z07:00"');
    const accepted = await admin.post(leases, { metadata: { name: 'l' }, spec: { ...spec, renewTime: '2026-01-02T03:04:05.123000Z' } });
    expect(accepted.status).toBe(201);
    const text = await admin.patch(`${deployments}/shop`, { spec: { replicas: '3' } });
    expect(text.body.message).toContain('json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32');
    const data = await admin.post(configMaps, { metadata: { name: 'n' }, data: { a: 1 } });
    expect(data.status).toBe(400);
  });

  it('refuses an update of a custom object or a Lease without a resourceVersion', async () => {
    const { spec } = sandbox.get('VirtualService', 'shop', 'shop');
    const named = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'shop' } };
    const answer = await admin.put(`${virtualServices}/shop`, { ...named, spec });
    expect([answer.status, answer.body.details.causes[0].field]).toEqual([422, 'metadata.resourceVersion']);
  });
});

describe('patches', () => {
  it('merge: null removes, lists are replaced, generation counts changes of the spec', async () => {
    const first = await admin.patch(`${deployments}/shop`, { metadata: { labels: { a: '1', b: '2' } } });
    const second = await admin.patch(`${deployments}/shop`, { metadata: { labels: { a: null } }, spec: { replicas: 3 } });
    expect(second.body.metadata.labels).toEqual({ b: '2' });
    expect(second.body.metadata.generation).toBe(first.body.metadata.generation + 1);
    const same = await admin.patch(`${configMaps}/none`, {});
    expect(same.status).toBe(404);
  });

  it('a patch that changes nothing leaves the resourceVersion', async () => {
    await admin.post(configMaps, { metadata: { name: 'c' }, data: { a: '1' } });
    const before = sandbox.get('ConfigMap', 'shop', 'c').metadata.resourceVersion;
    const answer = await admin.patch(`${configMaps}/c`, { data: { a: '1' } });
    expect(answer.body.metadata.resourceVersion).toBe(before);
  });

  it('JSON patch: a failed test is 422 and nothing is done', async () => {
    const at = '/spec/http/0/route/0/weight';
    const json = 'application/json-patch+json';
    const replace = { op: 'replace', path: at, value: 90 };
    const refused = await admin.patch(`${virtualServices}/shop`, [{ op: 'test', path: at, value: 50 }, replace], json);
    expect([refused.status, refused.body.reason]).toEqual([422, 'Invalid']);
    expect(refused.body.message).toBe('the server rejected our request due to an error in our request');
    expect(sandbox.get('VirtualService', 'shop', 'shop').spec.http[0].route[0].weight).toBe(100);
    const done = await admin.patch(`${virtualServices}/shop`, [{ op: 'test', path: at, value: 100 }, replace], json);
    expect(done.body.spec.http[0].route[0].weight).toBe(90);
    const escaped = [
      { op: 'add', path: '/metadata/annotations', value: {} },
      { op: 'add', path: '/metadata/annotations/a~1b', value: 'x' },
    ];
    expect((await admin.patch(`${virtualServices}/shop`, escaped, json)).body.metadata.annotations).toEqual({ 'a/b': 'x' });
  });

  it('strategic merge: containers by name; refused for custom kinds', async () => {
    const type = 'application/strategic-merge-patch+json';
    const image = 'registry.example/shop:v9';
    const patch = {
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'web', image },
              { name: 'side', image: 'side:1' },
            ],
          },
        },
      },
    };
    const answer = await admin.patch(`${deployments}/shop`, patch, type);
    const { containers } = answer.body.spec.template.spec;
    expect(containers.map((one: { name: string }) => one.name)).toEqual(['web', 'side']);
    expect(containers[0]).toMatchObject({ image, ports: [{ containerPort: 8080 }] });
    const removal = { spec: { template: { spec: { containers: [{ name: 'side', $patch: 'delete' }] } } } };
    expect((await admin.patch(`${deployments}/shop`, removal, type)).body.spec.template.spec.containers).toHaveLength(1);
    expect((await admin.patch(`${virtualServices}/shop`, {}, type)).status).toBe(415);
  });

  it('apply: creates, takes away what is no longer declared, refuses what another owns', async () => {
    const type = 'application/apply-patch+yaml';
    const config = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data });
    const url = (manager: string, force = false) => `${configMaps}/applied?fieldManager=${manager}${force ? '&force=true' : ''}`;
    expect((await admin.patch(url('one'), config({ a: '1', b: '1' }), type)).status).toBe(201);
    expect((await admin.patch(url('two'), config({ c: '1' }), type)).body.data).toEqual({ a: '1', b: '1', c: '1' });
    expect((await admin.patch(url('one'), config({ a: '1' }), type)).body.data).toEqual({ a: '1', c: '1' });
    const refused = await admin.patch(url('one'), config({ a: '1', c: '2' }), type);
    expect([refused.status, refused.body.reason]).toEqual([409, 'Conflict']);
    expect(refused.body.message).toBe('Apply failed with 1 conflict: conflict with "two": .data.c');
    expect(refused.body.details.causes).toEqual([{ reason: 'FieldManagerConflict', message: 'conflict with "two"', field: '.data.c' }]);
    expect((await admin.patch(url('one', true), config({ a: '1', c: '2' }), type)).body.data).toEqual({ a: '1', c: '2' });
    expect((await admin.patch(`${configMaps}/applied`, config({}), type)).status).toBe(422);
  });

  it('apply: containers and ports are owned by their keys', async () => {
    const type = 'application/apply-patch+yaml';
    const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop' }, spec: { replicas: 5 } };
    const answer = await admin.patch(`${deployments}/shop?fieldManager=scaler`, applied, type);
    expect(answer.body.message).toBe('Apply failed with 1 conflict: conflict with "sandbox": .spec.replicas');
    const env = { spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'A', value: '1' }] }] } } } };
    const added = await admin.patch(`${deployments}/shop?fieldManager=env`, { ...applied, ...env }, type);
    expect(added.body.spec.template.spec.containers).toHaveLength(1);
    expect(added.body.spec.template.spec.containers[0]).toMatchObject({ image: expect.any(String), env: [{ name: 'A', value: '1' }] });
    const emptied = await admin.patch(`${deployments}/shop?fieldManager=env`, { ...applied, spec: {} }, type);
    expect(emptied.body.spec.template.spec.containers[0].env ?? []).toEqual([]);
    expect(emptied.body.spec.template.spec.containers[0].image).toContain('shop');
  });

  it('dryRun answers the outcome and keeps the store', async () => {
    const answer = await admin.patch(`${deployments}/shop?dryRun=All`, { spec: { replicas: 7 } });
    expect(answer.body.spec.replicas).toBe(7);
    expect(sandbox.get('Deployment', 'shop', 'shop').spec.replicas).toBe(2);
  });

  it('scale and status are subresources of their own', async () => {
    const scaled = await admin.patch(`${deployments}/shop/scale`, { spec: { replicas: 3 } });
    expect(scaled.body).toMatchObject({ kind: 'Scale', spec: { replicas: 3 }, status: { selector: 'app=shop' } });
    expect(sandbox.get('Deployment', 'shop', 'shop').spec.replicas).toBe(3);
    const ignored = await admin.patch(`${deployments}/shop`, { status: { replicas: 99 } });
    expect(ignored.body.status?.replicas).not.toBe(99);
    const status = await admin.patch(`${virtualServices}/shop/status`, { spec: { hosts: ['other'] }, status: { seen: true } });
    expect([status.body.spec.hosts, status.body.status]).toEqual([['shop'], { seen: true }]);
  });
});

describe('lists and watches', () => {
  it('selects by labels and fields and goes in pieces', async () => {
    for (const name of ['a', 'b', 'c']) await admin.post(configMaps, { metadata: { name, labels: { letter: name, all: 'yes' } } });
    const names = async (query: string) => {
      const { body } = await admin.get(`${configMaps}?${query}`);
      return body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
    };
    expect(await names('labelSelector=letter%20in%20(a,c),all')).toEqual(['a', 'c']);
    expect(await names('labelSelector=all%3Dyes,letter!%3Db')).toEqual(['a', 'c']);
    expect(await names('fieldSelector=metadata.name%3Db')).toEqual(['b']);
    const first = await admin.get(`${configMaps}?labelSelector=all&limit=2`);
    expect(first.body.metadata.remainingItemCount).toBeUndefined();
    expect(await names(`labelSelector=all&limit=2&continue=${first.body.metadata.continue}`)).toEqual(['c']);
    expect((await admin.get(`${configMaps}?fieldSelector=data.a%3D1`)).status).toBe(400);
  });

  it('streams changes from a resourceVersion on', async () => {
    const { body } = await admin.get(configMaps);
    const { token } = sandbox.cluster.user('admin');
    const stop = new AbortController();
    const url = `${sandbox.apiUrl}${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}&labelSelector=w%3D1`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: stop.signal });
    await admin.post(configMaps, { metadata: { name: 'w', labels: { w: '1' } } });
    await admin.patch(`${configMaps}/w`, { data: { a: '1' } });
    await admin.patch(`${configMaps}/w`, { metadata: { labels: { w: '2' } } });
    let text = '';
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    while (text.split('\n').length < 4) text += new TextDecoder().decode((await reader.read()).value);
    stop.abort();
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map((event) => event.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('generateName makes names', async () => {
    const one = await admin.post(configMaps, { metadata: { generateName: 'run-' } });
    expect(one.body.metadata.name).toMatch(/^run-[a-z0-9]{5}$/);
  });
});
