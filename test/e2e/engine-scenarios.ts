import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCluster } from './cluster.js';
import { engineShopConfig, engineShopManifest } from './engine-shop.js';
import type { Report, Scenario } from './scenarios.js';
import { type Ended, Workspace } from './slipway.js';

type Engine = 'argo-rollouts' | 'flagger';

const image = (tag: string) => `registry.example/shop:${tag}`;
const replicas = 10;
const rps = 100;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Bed {
  cluster: TestCluster;
  engine: Engine;
  namespace: string;
  workspace: Workspace;
  from: number;
}

async function setUp(cluster: TestCluster, engine: Engine, namespace: string): Promise<Bed> {
  await cluster.apply(engineShopManifest({ engine, namespace, replicas, rps, image: image('v1') }));
  const phase = engine === 'flagger' ? ['canary/shop', 'Initialized'] : ['rollout/shop', 'Healthy'];
  await cluster.kube('-n', namespace, 'wait', phase[0] ?? '', `--for=jsonpath={.status.phase}=${phase[1]}`, '--timeout=90s');
  // The rights of the documentation and no more.
  const rbac = readFileSync(join('docs', 'rbac', `${engine}.yaml`), 'utf8');
  await cluster.apply(rbac.replaceAll('namespace: shop', `namespace: ${namespace}`));
  const kubeconfig = await cluster.kubeconfigOf(`${namespace}/slipway`);
  const workspace = new Workspace(engineShopConfig(engine, namespace), kubeconfig);
  await sleep(5000); // users come, and stable's counters move, before anything is released
  return { cluster, engine, namespace, workspace, from: Date.now() };
}

function expectEnd(what: string, ended: Ended, outcome: string, reason?: string): void {
  const said = `${what}: ${ended.result?.reason ?? ended.code} ${ended.result?.summary ?? ''}\n${ended.log}`;
  assert.equal(ended.result?.outcome, outcome, said);
  if (reason !== undefined) assert.equal(ended.result?.reason, reason, said);
}

/** At rest: the controller's spec names what runs, nobody is routed to a canary, and nothing of ours is left in its object. */
async function expectAtRest({ cluster, engine, namespace }: Bed, tag: string): Promise<void> {
  const read = async (...object: string[]) => JSON.parse(await cluster.kube('-n', namespace, 'get', ...object, '-o', 'json'));
  if (engine === 'flagger') {
    const [canary, target, primary] = await Promise.all([read('canary', 'shop'), read('deploy', 'shop'), read('deploy', 'shop-primary')]);
    assert.match(canary.status.phase, /Initialized|Succeeded|Failed/);
    assert.equal(canary.status.canaryWeight, 0);
    assert.ok(!canary.spec.suspend && !canary.spec.skipAnalysis);
    for (const { spec } of [target, primary]) assert.equal(spec.template.spec.containers[0].image, image(tag));
    assert.equal(target.spec.replicas, 0);
    assert.equal(primary.status.readyReplicas, replicas);
  } else {
    const { spec, status } = await read('rollout', 'shop');
    assert.equal(spec.template.spec.containers[0].image, image(tag));
    assert.equal(status.phase, 'Healthy');
    assert.equal(status.currentPodHash, status.stableRS);
    assert.ok(!status.abort && !spec.paused);
  }
  const route = await read('virtualservice', 'shop');
  const weights: number[] = route.spec.http[0].route.map((to: { weight?: number }) => to.weight ?? 0);
  assert.deepEqual(weights, [100, 0]);
}

async function report({ cluster, namespace, from }: Bed, tag: string, until: number, ended: string): Promise<Report> {
  await sleep(6000); // the data plane's time-out: by then the last request has an end
  const users = await cluster.usersView(`${namespace}/shop`, tag, from, Date.now());
  return { users, wallSeconds: (until - from) / 1000, ended };
}

/** Through the controller's steps to the end, judged by us at each. */
async function promoted(cluster: TestCluster, engine: Engine, namespace: string): Promise<Report> {
  const bed = await setUp(cluster, engine, namespace);
  const { workspace } = bed;
  expectEnd('start', await workspace.run(['canary-deploy', 'start', '--image', image('v2')]), 'pass', 'STEP_IN_FORCE');
  expectEnd('analyze', await workspace.run(['canary-analyze']), 'pass');
  // Flagger goes on by itself, and may be past its steps.
  const stepped = await workspace.run(['canary-deploy', 'step']);
  assert.match(stepped.result?.outcome ?? '', /pass|skipped/, `step: ${stepped.result?.summary}\n${stepped.log}`);
  if (engine === 'argo-rollouts') expectEnd('analyze 50 %', await workspace.run(['canary-analyze']), 'pass');
  const end = await workspace.run(['canary-deploy', 'promote']);
  assert.match(end.result?.reason ?? '', /PROMOTED|ALREADY_RELEASED/, `promote: ${end.result?.summary}\n${end.log}`);
  const until = Date.now();
  await expectAtRest(bed, 'v2');
  const seen = await report(bed, 'v2', until, 'promoted');
  assert.ok(seen.users.met > 0, 'users never met the new version');
  assert.equal(seen.users.metFailed, 0, `a good release must not fail a request: ${JSON.stringify(seen.users)}`);
  return seen;
}

/** A bad image is caught by our judge, and the controller sends everybody back. */
async function aborted(cluster: TestCluster, engine: Engine, namespace: string, tag: string): Promise<Report> {
  const bed = await setUp(cluster, engine, namespace);
  const { workspace } = bed;
  expectEnd('start', await workspace.run(['canary-deploy', 'start', '--image', image(tag)]), 'pass', 'STEP_IN_FORCE');
  const analysis = await workspace.run(['canary-analyze', '--duration', '60s']);
  expectEnd('analyze', analysis, 'fail');
  assert.match(analysis.result?.reason ?? '', /ERROR_RATE_WORSE|ERROR_LIMIT/);
  expectEnd('rollback', await workspace.run(['auto-rollback', 'now']), 'skipped');
  const until = Date.now();
  await expectAtRest(bed, 'v1');
  const seen = await report(bed, tag, until, `aborted: ${analysis.result?.reason}`);
  assert.ok((seen.users.lastMet ?? 0) * 1000 < until, 'the bad version still gets requests');
  assert.equal(seen.users.unanswered, 0, 'the pods of a canary go after its users');
  return seen;
}

/** A version that cannot start is sent back at once, and not after the controller's deadline. */
async function crash(cluster: TestCluster, engine: Engine, namespace: string): Promise<Report> {
  const bed = await setUp(cluster, engine, namespace);
  const started = await bed.workspace.run(['canary-deploy', 'start', '--image', image('v2-crash')]);
  expectEnd('start', started, 'fail', 'CRASH_LOOP');
  const until = Date.now();
  await expectAtRest(bed, 'v1');
  const seen = await report(bed, 'v2-crash', until, `refused after ${started.seconds.toFixed(1)} s: CRASH_LOOP`);
  assert.equal(seen.users.met, 0);
  assert.equal(seen.users.failed, 0);
  return seen;
}

/** Need `WITH_ARGO=1 WITH_FLAGGER=1` of the test cluster. */
export const engineScenarios: Scenario[] = [
  { name: 'Argo Rollouts: good release', needs: 'WITH_ARGO', run: (cluster) => promoted(cluster, 'argo-rollouts', 'argo-good') },
  {
    name: 'Argo Rollouts: 5 % errors',
    needs: 'WITH_ARGO',
    run: (cluster) => aborted(cluster, 'argo-rollouts', 'argo-bad', 'v2-errors-5pct'),
  },
  { name: 'Argo Rollouts: crash loop', needs: 'WITH_ARGO', run: (cluster) => crash(cluster, 'argo-rollouts', 'argo-crash') },
  { name: 'Flagger: good release', needs: 'WITH_FLAGGER', run: (cluster) => promoted(cluster, 'flagger', 'flagger-good') },
  { name: 'Flagger: 5 % errors', needs: 'WITH_FLAGGER', run: (cluster) => aborted(cluster, 'flagger', 'flagger-bad', 'v2-errors-5pct') },
  { name: 'Flagger: crash loop', needs: 'WITH_FLAGGER', run: (cluster) => crash(cluster, 'flagger', 'flagger-crash') },
];
