import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { TestCluster } from './cluster.js';
import type { Report, Scenario } from './scenarios.js';
import { shopConfig, shopManifest } from './shop.js';
import { Workspace } from './slipway.js';

type Router = 'istio' | 'replicas';

const image = (tag: string) => `registry.example/shop:${tag}`;
const replicas = 10;
const bad = 'v2-errors-5pct';
/** The default is 90; what is shown here is who acts, not how long it waits. */
const QUIET_SECONDS = 15;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Nobody but the watchdog sends users back: the analysis of a bad release gets SIGKILL, and nothing of Slipway runs until it has acted. */
export const watchdogScenarios: Scenario[] = [
  { name: 'runner lost, watchdog, Istio', run: (cluster) => runnerLost(cluster, 'watchdog-istio', 'istio') },
  { name: 'runner lost, watchdog, replicas', run: (cluster) => runnerLost(cluster, 'watchdog-replicas', 'replicas') },
];

async function runnerLost(cluster: TestCluster, namespace: string, router: Router): Promise<Report> {
  const workspace = await setUp(cluster, namespace, router);
  const from = Date.now();
  const started = await workspace.run(['canary-deploy', 'start', '--image', image(bad)]);
  assert.equal(started.result?.outcome, 'pass', started.result?.summary ?? started.log);
  const watchdog = await startWatchdog(cluster, namespace, workspace.directory);
  await killAnalysis(cluster, namespace, workspace);
  const diedAt = Date.now();
  const { code, said } = await watchdog.ended;
  const until = Date.now();
  assert.equal(code, 0, said);
  assert.match(said, /RUNNER_LOST|the watchdog sent them back/);
  await sleep(6000); // the data plane's time-out: by then the last request has an end
  const users = await cluster.usersView(`${namespace}/shop`, bad, from, Date.now());
  assert.ok(users.metFailed > 0, 'the bad release failed nobody: nothing is proved');
  assert.equal(users.unanswered, 0, `users were sent where nobody serves: ${JSON.stringify(users.kinds)}`);
  const exposed = (users.lastMet ?? 0) - diedAt / 1000;
  assert.ok(exposed < QUIET_SECONDS + 10, `users met the bad release until ${exposed.toFixed(0)} s after its run had died`);
  await expectMarked(cluster, namespace);
  // What comes next, here a person's abort in another attempt of the job, puts the canary away.
  const abort = await workspace.run(['canary-deploy', 'abort'], { attempt: 2 });
  assert.equal(abort.result?.outcome, 'pass', abort.result?.summary ?? abort.log);
  assert.equal(await cluster.kube('-n', namespace, 'get', 'deploy', '-o', 'name'), 'deployment.apps/shop');
  return {
    users,
    wallSeconds: (until - from) / 1000,
    ended: `users back ${exposed.toFixed(0)} s after SIGKILL (quiet: ${QUIET_SECONDS} s)`,
  };
}

async function setUp(cluster: TestCluster, namespace: string, router: Router): Promise<Workspace> {
  await cluster.apply(shopManifest({ namespace, router, replicas, rps: 100, image: image('v1') }));
  await cluster.kube('-n', namespace, 'rollout', 'status', 'deploy/shop', '--timeout=60s');
  const rights = (file: string) =>
    readFileSync(join('docs', 'rbac', file), 'utf8').replaceAll('namespace: shop', `namespace: ${namespace}`);
  await cluster.apply(rights('slipway.yaml'));
  // The process runs beside the cluster, so of the watchdog's objects only its rights are needed.
  const own = parseAllDocuments(rights('watchdog.yaml')).filter((each) => !['CronJob', 'ConfigMap'].includes(String(each.get('kind'))));
  await cluster.apply(own.map(String).join('---\n'));
  await sleep(3000); // users come
  return new Workspace(shopConfig({ namespace, router }), await cluster.kubeconfigOf(`${namespace}/slipway`));
}

/** The script with a token of its ServiceAccount, as the CronJob would run it. */
async function startWatchdog(cluster: TestCluster, namespace: string, directory: string) {
  const { clusters, users } = parse(await cluster.kubeconfigOf(`${namespace}/slipway-watchdog-shop`));
  const { server, 'certificate-authority-data': authority } = clusters[0].cluster;
  const [tokenFile, caFile] = [join(directory, 'token'), join(directory, 'ca.crt')];
  writeFileSync(tokenFile, users[0].user.token, { mode: 0o600 });
  if (authority) writeFileSync(caFile, Buffer.from(authority, 'base64'));
  const child = spawn(process.execPath, [join('watchdog', 'watchdog.mjs')], {
    env: {
      PATH: process.env.PATH,
      NAMESPACE: namespace,
      WORKLOAD: 'shop',
      API_SERVER: server,
      TOKEN_FILE: tokenFile,
      QUIET_SECONDS: String(QUIET_SECONDS),
      ...(authority ? { NODE_EXTRA_CA_CERTS: caFile } : {}),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => child.on('close', (code) => resolve({ code, said })));
  return { ended };
}

/** SIGKILL as soon as the analysis is seen to be at work. */
async function killAnalysis(cluster: TestCluster, namespace: string, workspace: Workspace): Promise<void> {
  const pidFile = join(workspace.directory, 'pid');
  const running = workspace.run(['canary-analyze', '--duration', '60s'], { pidFile });
  for (let looks = 0; ; looks++) {
    assert.ok(looks < 60, 'the analysis wrote no window within 30 s');
    const state = JSON.parse(await cluster.kube('-n', namespace, 'get', 'configmap/slipway-shop', '-o', 'jsonpath={.data.state\\.json}'));
    if (state.evidence?.watched >= 1) break;
    await sleep(500);
  }
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  const { signal, result } = await running;
  assert.equal(signal, 'SIGKILL', `the analysis was faster: ${result?.summary}`);
}

async function expectMarked(cluster: TestCluster, namespace: string): Promise<void> {
  const state = JSON.parse(await cluster.kube('-n', namespace, 'get', 'configmap/slipway-shop', '-o', 'jsonpath={.data.state\\.json}'));
  assert.deepEqual([state.phase, state.ended?.reason, state.wayOut], ['aborting', 'RUNNER_LOST', []]);
}
