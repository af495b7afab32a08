import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCluster, UsersView } from './cluster.js';
import { shopConfig, shopManifest } from './shop.js';
import { type Ended, Workspace } from './slipway.js';

/** What a scenario leaves for the table. */
export interface Report {
  users: UsersView;
  wallSeconds: number;
  ended: string;
}

export interface Scenario {
  name: string;
  /** It uses what all share (the fault proxy's count of requests), so nothing may run beside it. */
  alone?: boolean;
  /** A variable that has to be 1: what the test cluster was started with. */
  needs?: 'WITH_ARGO' | 'WITH_FLAGGER';
  run(cluster: TestCluster): Promise<Report>;
}

const image = (tag: string) => `registry.example/shop:${tag}`;
const replicas = 10;
const rps = 100;

interface Bed {
  namespace: string;
  workspace: Workspace;
  from: number;
}

async function setUp(cluster: TestCluster, namespace: string, router: 'istio' | 'replicas'): Promise<Bed> {
  await cluster.apply(shopManifest({ namespace, router, replicas, rps, image: image('v1') }));
  await cluster.kube('-n', namespace, 'rollout', 'status', 'deploy/shop', '--timeout=60s');
  await cluster.apply(readFileSync(join('docs', 'rbac', 'slipway.yaml'), 'utf8').replaceAll('namespace: shop', `namespace: ${namespace}`));
  const kubeconfig = await cluster.kubeconfigOf(`${namespace}/slipway`);
  const workspace = new Workspace(shopConfig({ namespace, router }), kubeconfig);
  await sleep(5000); // users come, and stable's counters move, before anything is released
  return { namespace, workspace, from: Date.now() };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function expectEnd(what: string, ended: Ended, outcome: string): void {
  assert.equal(
    ended.result?.outcome,
    outcome,
    `${what}: ${ended.result?.reason ?? ended.code} ${ended.result?.summary ?? ''}\n${ended.log}`,
  );
}

async function imageOf(cluster: TestCluster, namespace: string): Promise<string> {
  return cluster.kube('-n', namespace, 'get', 'deploy/shop', '-o', 'jsonpath={.spec.template.spec.containers[0].image}');
}

/** At rest: the canary is gone, the image serves with all replicas, and every route leads to stable. */
async function expectAtRest(cluster: TestCluster, namespace: string, tag: string): Promise<void> {
  assert.equal(await imageOf(cluster, namespace), image(tag));
  assert.equal(await cluster.kube('-n', namespace, 'get', 'deploy/shop-canary', '--ignore-not-found', '-o', 'name'), '');
  const ready = await cluster.kube(
    '-n',
    namespace,
    'get',
    'deploy/shop',
    '-o',
    'jsonpath={.status.readyReplicas}/{.status.updatedReplicas}',
  );
  assert.equal(ready, `${replicas}/${replicas}`);
  const route = JSON.parse(
    (await cluster.kube('-n', namespace, 'get', 'virtualservice/shop', '--ignore-not-found', '-o', 'json')) || 'null',
  );
  if (route === null) return; // no mesh: the pods are the route
  const weights = route.spec.http.flatMap((http: { route: { destination: { subset: string }; weight?: number }[] }) =>
    http.route.map((to) => `${to.destination.subset}=${to.weight ?? 100}`),
  );
  assert.ok(
    weights.includes('stable=100') && !weights.some((weight: string) => /^canary=[1-9]/.test(weight)),
    `routes: ${weights.join(' ')}`,
  );
}

async function report(cluster: TestCluster, bed: Bed, tag: string, until: number, ended: string): Promise<Report> {
  await sleep(6000); // the data plane's time-out: by then the last request has an end
  const users = await cluster.usersView(`${bed.namespace}/shop`, tag, bed.from, Date.now());
  return { users, wallSeconds: (until - bed.from) / 1000, ended };
}

async function good(cluster: TestCluster, namespace: string, router: 'istio' | 'replicas'): Promise<Report> {
  const bed = await setUp(cluster, namespace, router);
  const { workspace } = bed;
  expectEnd('start', await workspace.run(['canary-deploy', 'start', '--image', image('v2')]), 'pass');
  expectEnd('analyze 10 %', await workspace.run(['canary-analyze']), 'pass');
  expectEnd('step', await workspace.run(['canary-deploy', 'step']), 'pass');
  expectEnd('analyze 50 %', await workspace.run(['canary-analyze']), 'pass');
  expectEnd('promote', await workspace.run(['canary-deploy', 'promote']), 'pass');
  const until = Date.now();
  await expectAtRest(cluster, namespace, 'v2');
  const seen = await report(cluster, bed, 'v2', until, 'promoted');
  assert.equal(seen.users.failed, 0, `a good release must not fail a single request: ${JSON.stringify(seen.users)}`);
  return seen;
}

async function bad(cluster: TestCluster, namespace: string, router: 'istio' | 'replicas', tag: string): Promise<Report> {
  const bed = await setUp(cluster, namespace, router);
  const { workspace } = bed;
  expectEnd('start', await workspace.run(['canary-deploy', 'start', '--image', image(tag)]), 'pass');
  // Long enough that no luck of a bad release can hide it; the analysis ends as soon as it is sure.
  const analysis = await workspace.run(['canary-analyze', '--duration', '60s']);
  expectEnd('analyze', analysis, 'fail');
  expectEnd('rollback', await workspace.run(['auto-rollback', 'now']), 'skipped');
  const until = Date.now();
  await expectAtRest(cluster, namespace, 'v1');
  const seen = await report(cluster, bed, tag, until, `rolled back: ${analysis.result?.reason}`);
  assert.ok((seen.users.lastMet ?? 0) * 1000 < until, 'the bad version still gets requests');
  assert.equal(seen.users.unanswered, 0, 'no request may fail by our own hand');
  return seen;
}

async function crash(cluster: TestCluster, namespace: string): Promise<Report> {
  const bed = await setUp(cluster, namespace, 'istio');
  const started = await bed.workspace.run(['canary-deploy', 'start', '--image', image('v2-crash')]);
  expectEnd('start', started, 'fail');
  assert.match(started.result?.summary ?? '', /CrashLoopBackOff/);
  expectEnd('rollback', await bed.workspace.run(['auto-rollback', 'now']), 'skipped');
  const until = Date.now();
  await expectAtRest(cluster, namespace, 'v1');
  const seen = await report(cluster, bed, 'v2-crash', until, `refused after ${started.seconds.toFixed(1)} s: ${started.result?.reason}`);
  assert.equal(seen.users.met, 0, 'a canary that never got ready must not get traffic');
  assert.equal(seen.users.failed, 0);
  return seen;
}

/** The runner dies (SIGKILL) in the middle of a step, as soon as the new route is in force; the same command, run again, ends the step. */
async function killed(cluster: TestCluster, namespace: string): Promise<Report> {
  const bed = await setUp(cluster, namespace, 'istio');
  const { workspace } = bed;
  expectEnd('start', await workspace.run(['canary-deploy', 'start', '--image', image('v2')]), 'pass');
  expectEnd('analyze 10 %', await workspace.run(['canary-analyze']), 'pass');
  const pidFile = join(workspace.directory, 'pid');
  await cluster.killOn({ method: 'PATCH', path: `/namespaces/${namespace}/virtualservices/`, pidFile });
  const cut = await workspace.run(['canary-deploy', 'step'], { pidFile });
  assert.equal(cut.signal, 'SIGKILL', `the command should have been killed, but ended with ${cut.code}: ${cut.log}`);
  const again = (args: string[]) => workspace.run(args, { attempt: 2 });
  expectEnd('step, again', await again(['canary-deploy', 'step']), 'pass');
  expectEnd('analyze 50 %', await again(['canary-analyze']), 'pass');
  expectEnd('promote', await again(['canary-deploy', 'promote']), 'pass');
  const until = Date.now();
  await expectAtRest(cluster, namespace, 'v2');
  const seen = await report(cluster, bed, 'v2', until, 'promoted by the re-run');
  assert.equal(seen.users.failed, 0);
  return seen;
}

export const scenarios: Scenario[] = [
  { name: 'good release, Istio', run: (cluster) => good(cluster, 'good-istio', 'istio') },
  { name: 'good release, replicas', run: (cluster) => good(cluster, 'good-replicas', 'replicas') },
  { name: '5 % errors, Istio', run: (cluster) => bad(cluster, 'bad-istio', 'istio', 'v2-errors-5pct') },
  { name: '5 % errors, replicas', run: (cluster) => bad(cluster, 'bad-replicas', 'replicas', 'v2-errors-5pct') },
  { name: 'latency tripled, Istio', run: (cluster) => bad(cluster, 'slow-istio', 'istio', 'v2-slow-3x') },
  { name: 'crash loop', run: (cluster) => crash(cluster, 'crash') },
  { name: 'kill -9 in mid-step, re-run', run: (cluster) => killed(cluster, 'killed') },
];
