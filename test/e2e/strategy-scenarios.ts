import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCluster } from './cluster.js';
import type { Report, Scenario } from './scenarios.js';
import { shopManifest } from './shop.js';
import { type Ended, Workspace } from './slipway.js';

const image = (tag: string) => `registry.example/shop:${tag}`;
const replicas = 10;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Bed {
  cluster: TestCluster;
  namespace: string;
  workspace: Workspace;
  from: number;
}

/** `settings`: further keys of the service in slipway.yml, a line each. */
async function setUp(cluster: TestCluster, namespace: string, settings: string[]): Promise<Bed> {
  const header = 'testcluster/header: "x-canary: true", testcluster/header-share: "0.2"';
  const manifest = shopManifest({ namespace, router: 'istio', replicas, rps: 100, image: image('v1') });
  await cluster.apply(manifest.replace('testcluster/rps', `${header}, testcluster/rps`));
  await cluster.kube('-n', namespace, 'rollout', 'status', 'deploy/shop', '--timeout=60s');
  await cluster.apply(readFileSync(join('docs', 'rbac', 'slipway.yaml'), 'utf8').replaceAll('namespace: shop', `namespace: ${namespace}`));
  const workspace = new Workspace(config(namespace, settings), await cluster.kubeconfigOf(`${namespace}/slipway`));
  await sleep(5000); // users come, and stable's counters move, before anything is released
  return { cluster, namespace, workspace, from: Date.now() };
}

function config(namespace: string, settings: string[]): string {
  return `version: 1
environments:
  production: { namespace: ${namespace} }
services:
  shop:
${settings.map((line) => `    ${line}`).join('\n')}
    ready-timeout: 60s
    drain: 3s
    analysis:
      window: 2s
      warm-up: 4s
      on-inconclusive: continue
`;
}

async function run({ workspace }: Bed, outcome: string, ...args: string[]): Promise<Ended> {
  const ended = await workspace.run(args);
  const { result, code, log } = ended;
  assert.equal(result?.outcome, outcome, `${args.join(' ')}: ${result?.reason ?? code} ${result?.summary ?? ''}\n${log}`);
  return ended;
}

/** At rest: one Deployment with the version and all its pods, no canary, and one route, to stable. */
async function expectAtRest({ cluster, namespace }: Bed, tag: string): Promise<void> {
  assert.equal(await cluster.kube('-n', namespace, 'get', 'deploy/shop-canary', '--ignore-not-found', '-o', 'name'), '');
  const { spec, status } = JSON.parse(await cluster.kube('-n', namespace, 'get', 'deploy/shop', '-o', 'json'));
  assert.equal(spec.template.spec.containers[0].image, image(tag));
  assert.deepEqual([status.readyReplicas, status.updatedReplicas], [replicas, replicas]);
  const route = JSON.parse(await cluster.kube('-n', namespace, 'get', 'virtualservice/shop', '-o', 'json'));
  assert.deepEqual(route.spec.http, [{ name: 'primary', route: [{ destination: { host: 'shop', subset: 'stable' }, weight: 100 }] }]);
}

function usersOf({ cluster, namespace }: Bed, tag: string, from: number) {
  return cluster.usersView(`${namespace}/shop`, tag, from, Date.now());
}

/** Users in the five seconds to come, when the data plane has followed what was written last. */
async function usersNext(bed: Bed, tag: string) {
  await sleep(2000);
  const from = Date.now();
  await sleep(5000);
  return usersOf(bed, tag, from);
}

async function report(bed: Bed, tag: string, ended: string): Promise<Report> {
  const until = Date.now();
  await sleep(6000); // the data plane's time-out: by then the last request has an end
  return { users: await usersOf(bed, tag, bed.from), wallSeconds: (until - bed.from) / 1000, ended };
}

function expectNobodyFailed({ users }: Report): void {
  assert.equal(users.failed, 0, `no request may fail: ${JSON.stringify(users)}`);
}

const blueGreenSettings = (bake: string) => [
  'strategy: blue-green',
  'traffic: istio',
  `steps: [{ weight: 0, duration: 6s }, { weight: 100, duration: ${bake} }]`,
];

async function blueGreen(cluster: TestCluster, namespace: string, end: 'promote' | 'abort'): Promise<Report> {
  const bed = await setUp(cluster, namespace, blueGreenSettings('20s'));
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2'));
  // What stable does meanwhile is what the switch is compared with.
  await run(bed, 'skipped', 'canary-analyze');
  assert.equal((await usersOf(bed, 'v2', bed.from)).met, 0, 'the preview has no users');
  await run(bed, 'pass', 'canary-deploy', 'step');
  const { met, sent } = await usersNext(bed, 'v2');
  assert.equal(met, sent, 'everybody meets the new version');
  if (end === 'promote') await run(bed, 'pass', 'canary-analyze');
  await run(bed, 'pass', 'canary-deploy', end);
  await expectAtRest(bed, end === 'promote' ? 'v2' : 'v1');
  const seen = await report(bed, 'v2', end === 'promote' ? 'promoted' : 'switched back');
  expectNobodyFailed(seen);
  return seen;
}

/** At 100 % there is no stable track to compare with: stable's windows from before the switch take its place. */
async function badAtFull(cluster: TestCluster, namespace: string): Promise<Report> {
  const tag = 'v2-errors-5pct';
  const bed = await setUp(cluster, namespace, blueGreenSettings('60s'));
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image(tag));
  await run(bed, 'skipped', 'canary-analyze');
  await run(bed, 'pass', 'canary-deploy', 'step');
  const { result } = await run(bed, 'fail', 'canary-analyze');
  await run(bed, 'skipped', 'auto-rollback', 'now');
  await expectAtRest(bed, 'v1');
  const seen = await report(bed, tag, `switched back: ${result?.reason}`);
  assert.equal(seen.users.unanswered, 0, 'no request may fail by our own hand');
  return seen;
}

const shadowSettings = ['strategy: shadow', 'traffic: istio', 'steps: [{ mirror: 50%, duration: 60s }]'];

async function shadow(cluster: TestCluster, namespace: string, tag: string): Promise<Report> {
  const bed = await setUp(cluster, namespace, shadowSettings);
  const started = await run(bed, 'pass', 'canary-deploy', 'start', '--image', image(tag));
  assert.match(started.log, /POST/, 'it warns that copies of writing requests are real');
  const bad = tag !== 'v2';
  const { result } = await run(bed, bad ? 'fail' : 'pass', 'canary-analyze');
  assert.equal((await usersOf(bed, tag, bed.from)).met, 0, 'a shadow has no users');
  if (bad) await run(bed, 'skipped', 'auto-rollback', 'now');
  else await run(bed, 'pass', 'canary-deploy', 'promote');
  await expectAtRest(bed, bad ? 'v1' : tag);
  const seen = await report(bed, tag, bad ? `found out: ${result?.reason}` : 'promoted');
  expectNobodyFailed(seen);
  return seen;
}

async function rollingUndone(cluster: TestCluster, namespace: string): Promise<Report> {
  const tag = 'v2-crash';
  const bed = await setUp(cluster, namespace, ['strategy: rolling', 'traffic: istio']);
  const ended = await run(bed, 'fail', 'canary-deploy', 'start', '--image', image(tag));
  assert.match(ended.result?.summary ?? '', /CrashLoopBackOff/);
  await expectAtRest(bed, 'v1');
  const seen = await report(bed, tag, `undone after ${ended.seconds.toFixed(1)} s: ${ended.result?.reason}`);
  expectNobodyFailed(seen);
  assert.equal(seen.users.met, 0);
  return seen;
}

async function headerFirst(cluster: TestCluster, namespace: string): Promise<Report> {
  const traffic = 'traffic: { router: istio, route: primary, header: x-canary }';
  const steps = 'steps: [{ weight: 0, match: true, duration: 10s }, { weight: 50, match: true, duration: 20s }]';
  const bed = await setUp(cluster, namespace, [traffic, steps]);
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2'));
  const first = await usersNext(bed, 'v2');
  // A fifth of the users has the header.
  assert.ok(first.met > 0.1 * first.sent && first.met < 0.3 * first.sent, `${first.met} of ${first.sent} met the new version`);
  await run(bed, 'pass', 'canary-deploy', 'step');
  const half = await usersNext(bed, 'v2');
  assert.ok(
    half.met > 0.5 * half.sent && half.met < 0.7 * half.sent,
    `${half.met} of ${half.sent}: half of those without it, and all with it`,
  );
  await run(bed, 'pass', 'canary-deploy', 'promote');
  await expectAtRest(bed, 'v2');
  const seen = await report(bed, 'v2', 'promoted');
  expectNobodyFailed(seen);
  return seen;
}

const twoSteps = ['traffic: istio', 'steps: [{ weight: 10, duration: 10s, pause: true }, { weight: 50, duration: 10s }]'];

async function paused(cluster: TestCluster, namespace: string): Promise<Report> {
  const bed = await setUp(cluster, namespace, twoSteps);
  await run(bed, 'pass', 'plan', '--image', image('v2'));
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2'));
  await run(bed, 'hold', 'canary-deploy', 'step');
  await run(bed, 'pass', 'canary-deploy', 'resume');
  await run(bed, 'pass', 'canary-deploy', 'step');
  await run(bed, 'pass', 'canary-deploy', 'pause', '--why', 'load test');
  const { result } = await run(bed, 'hold', 'canary-deploy', 'promote');
  assert.match(result?.summary ?? '', /load test/);
  await run(bed, 'pass', 'plan');
  await run(bed, 'pass', 'canary-deploy', 'abort');
  await expectAtRest(bed, 'v1');
  const seen = await report(bed, 'v2', 'paused, then aborted');
  expectNobodyFailed(seen);
  return seen;
}

async function superseded(cluster: TestCluster, namespace: string): Promise<Report> {
  const bed = await setUp(cluster, namespace, ['traffic: istio', 'steps: [{ weight: 10, duration: 10s }]']);
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v2'));
  await run(bed, 'fail', 'canary-deploy', 'start', '--image', image('v3'));
  await run(bed, 'pass', 'canary-deploy', 'start', '--image', image('v3'), '--supersede');
  assert.equal((await usersNext(bed, 'v2')).met, 0, 'nobody meets what was superseded');
  assert.ok((await usersOf(bed, 'v3', bed.from)).met > 0);
  await run(bed, 'pass', 'canary-deploy', 'promote');
  await expectAtRest(bed, 'v3');
  const seen = await report(bed, 'v3', 'promoted in its place');
  expectNobodyFailed(seen);
  return seen;
}

export const strategyScenarios: Scenario[] = [
  { name: 'blue/green by Istio, promoted', run: (cluster) => blueGreen(cluster, 'green-istio', 'promote') },
  { name: 'blue/green by Istio, switched back', run: (cluster) => blueGreen(cluster, 'blue-istio', 'abort') },
  { name: 'blue/green by Istio, 5 % errors at 100 %', run: (cluster) => badAtFull(cluster, 'green-bad') },
  { name: 'shadow, good release', run: (cluster) => shadow(cluster, 'shadow-good', 'v2') },
  { name: 'shadow, 5 % errors', run: (cluster) => shadow(cluster, 'shadow-bad', 'v2-errors-5pct') },
  { name: 'rolling, crash loop undone', run: (cluster) => rollingUndone(cluster, 'rolling-crash') },
  { name: 'header first, Istio', run: (cluster) => headerFirst(cluster, 'header-istio') },
  { name: 'pause and resume', run: (cluster) => paused(cluster, 'paused') },
  { name: 'superseded', run: (cluster) => superseded(cluster, 'superseded') },
];
