import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCluster } from './cluster.js';
import { deploymentManifest, routerConfig, routerManifest } from './router-shop.js';
import type { Report, Scenario } from './scenarios.js';
import { type Ended, Workspace } from './slipway.js';

/** A router besides Istio's and the replicas', and how the team's manifests look with it. */
export type Router = 'gateway-api' | 'nginx' | 'service';

const image = (tag: string) => `registry.example/shop:${tag}`;
const replicas = 10;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Bed {
  cluster: TestCluster;
  namespace: string;
  workspace: Workspace;
  from: number;
  /** The objects of the team that a rollout may write to, as they were: spec and annotations. */
  before: string;
}

const routeObjects: Record<Router, string> = { 'gateway-api': 'httproute/shop', nginx: 'ingress/shop', service: 'service/shop' };

async function setUp(cluster: TestCluster, namespace: string, router: Router, steps: string[]): Promise<Bed> {
  await cluster.apply(routerManifest({ namespace, router, rps: 100 }) + deploymentManifest({ namespace, replicas, image: image('v1') }));
  await cluster.kube('-n', namespace, 'rollout', 'status', 'deploy/shop', '--timeout=60s');
  await cluster.apply(readFileSync(join('docs', 'rbac', 'slipway.yaml'), 'utf8').replaceAll('namespace: shop', `namespace: ${namespace}`));
  const workspace = new Workspace(routerConfig({ namespace, router, steps }), await cluster.kubeconfigOf(`${namespace}/slipway`));
  await sleep(5000); // users come, and stable's counters move, before anything is released
  return { cluster, namespace, workspace, from: Date.now(), before: await teamObjects(cluster, namespace, router) };
}

async function teamObjects(cluster: TestCluster, namespace: string, router: Router): Promise<string> {
  const read = async (name: string) => {
    const { spec, metadata } = JSON.parse(await cluster.kube('-n', namespace, 'get', name, '-o', 'json'));
    return { name, spec, annotations: metadata.annotations };
  };
  return JSON.stringify([await read(routeObjects[router]), await read('service/shop')]);
}

async function run({ workspace }: Bed, outcome: string, ...args: string[]): Promise<Ended> {
  const ended = await workspace.run(args);
  const { result, code, log } = ended;
  assert.equal(result?.outcome, outcome, `${args.join(' ')}: ${result?.reason ?? code} ${result?.summary ?? ''}\n${log}`);
  return ended;
}

/** At rest: one Deployment with the version, nothing that was made for the canary, and the team's objects as they were to the letter. */
async function expectAtRest(bed: Bed, router: Router, tag: string): Promise<void> {
  const { cluster, namespace } = bed;
  const made = ['deploy/shop-canary', 'service/shop-canary', 'service/shop-preview', 'ingress/shop-canary'];
  assert.equal(await cluster.kube('-n', namespace, 'get', ...made, '--ignore-not-found', '-o', 'name'), '');
  const { spec, status } = JSON.parse(await cluster.kube('-n', namespace, 'get', 'deploy/shop', '-o', 'json'));
  assert.equal(spec.template.spec.containers[0].image, image(tag));
  assert.deepEqual([status.readyReplicas, status.updatedReplicas], [replicas, replicas]);
  assert.equal(await teamObjects(cluster, namespace, router), bed.before);
}

async function report({ cluster, namespace, from }: Bed, tag: string, ended: string): Promise<Report> {
  const until = Date.now();
  await sleep(6000); // the data plane's time-out: by then the last request has an end
  const users = await cluster.usersView(`${namespace}/shop`, tag, from, Date.now());
  return { users, wallSeconds: (until - from) / 1000, ended };
}

const twoSteps = ['{ weight: 10, duration: 20s, max-error-rate: 1% }', '{ weight: 50, duration: 20s, max-error-rate: 1% }'];

async function good(cluster: TestCluster, namespace: string, router: Router): Promise<Report> {
  const bed = await setUp(cluster, namespace, router, twoSteps);
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2'));
  await run(bed, 'pass', 'canary-analyze');
  await run(bed, 'pass', 'canary-deploy', 'step');
  await run(bed, 'pass', 'canary-analyze');
  await run(bed, 'pass', 'canary-deploy', 'promote');
  await expectAtRest(bed, router, 'v2');
  const seen = await report(bed, 'v2', 'promoted');
  assert.equal(seen.users.failed, 0, `a good release must not fail a single request: ${JSON.stringify(seen.users)}`);
  return seen;
}

async function bad(cluster: TestCluster, namespace: string, router: Router): Promise<Report> {
  const bed = await setUp(cluster, namespace, router, twoSteps);
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2-errors-5pct'));
  const { result } = await run(bed, 'fail', 'canary-analyze', '--duration', '60s');
  await run(bed, 'skipped', 'auto-rollback', 'now');
  await expectAtRest(bed, router, 'v1');
  const seen = await report(bed, 'v2-errors-5pct', `rolled back: ${result?.reason}`);
  assert.equal(seen.users.unanswered, 0, 'no request may fail by our own hand');
  return seen;
}

/** A first step for those with the header alone: nobody else meets the new version, and after the abort nobody does. */
async function headerRoute(cluster: TestCluster, namespace: string, router: Router): Promise<Report> {
  const bed = await setUp(cluster, namespace, router, ['{ weight: 0, match: true, duration: 10s }', '{ weight: 50, duration: 20s }']);
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2'));
  await sleep(3000); // the data plane takes a second to follow an Ingress, and says nothing when it has
  const from = Date.now();
  await sleep(6000);
  const { met, sent } = await cluster.usersView(`${namespace}/shop`, 'v2', from, Date.now());
  // A fifth of the users has the header.
  assert.ok(met > 0.1 * sent && met < 0.3 * sent, `${met} of ${sent} met the new version`);
  await run(bed, 'pass', 'canary-deploy', 'abort');
  await expectAtRest(bed, router, 'v1');
  const gone = Date.now() + 1000;
  await sleep(4000);
  assert.equal((await cluster.usersView(`${namespace}/shop`, 'v2', gone, Date.now())).met, 0);
  const seen = await report(bed, 'v2', 'aborted');
  assert.equal(seen.users.failed, 0);
  return seen;
}

/** Blue/green without a mesh: the preview meets no user, then everybody meets the new version, then nobody again (or it stays). */
async function blueGreen(cluster: TestCluster, namespace: string, end: 'promote' | 'abort'): Promise<Report> {
  const bed = await setUp(cluster, namespace, 'service', ['{ weight: 0, duration: 5s }', '{ weight: 100, duration: 10s }']);
  const metSince = async (from: number) => cluster.usersView(`${namespace}/shop`, 'v2', from, Date.now());
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2'));
  assert.equal((await metSince(bed.from)).met, 0, 'the preview has no users');
  assert.match(await cluster.kube('-n', namespace, 'get', 'service/shop-preview', '-o', 'jsonpath={.spec.selector.track}'), /^canary$/);
  await run(bed, 'pass', 'canary-deploy', 'step');
  const from = Date.now() + 1000;
  await sleep(5000);
  const { met, sent } = await metSince(from);
  assert.equal(met, sent, 'everybody meets the new version');
  await run(bed, 'pass', 'canary-deploy', end);
  await expectAtRest(bed, 'service', end === 'promote' ? 'v2' : 'v1');
  const seen = await report(bed, 'v2', end === 'promote' ? 'promoted' : 'switched back');
  assert.equal(seen.users.failed, 0, `no request may fail: ${JSON.stringify(seen.users)}`);
  return seen;
}

export const routerScenarios: Scenario[] = [
  { name: 'good release, HTTPRoute', run: (cluster) => good(cluster, 'good-gateway', 'gateway-api') },
  { name: '5 % errors, HTTPRoute', run: (cluster) => bad(cluster, 'bad-gateway', 'gateway-api') },
  { name: 'header route, HTTPRoute', run: (cluster) => headerRoute(cluster, 'header-gateway', 'gateway-api') },
  { name: 'good release, nginx', run: (cluster) => good(cluster, 'good-nginx', 'nginx') },
  { name: '5 % errors, nginx', run: (cluster) => bad(cluster, 'bad-nginx', 'nginx') },
  { name: 'header route, nginx', run: (cluster) => headerRoute(cluster, 'header-nginx', 'nginx') },
  { name: 'blue/green by Service, promoted', run: (cluster) => blueGreen(cluster, 'green-service', 'promote') },
  { name: 'blue/green by Service, switched back', run: (cluster) => blueGreen(cluster, 'blue-service', 'abort') },
];
