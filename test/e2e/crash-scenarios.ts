import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCluster } from './cluster.js';
import type { Report, Scenario } from './scenarios.js';
import { shopConfig, shopManifest } from './shop.js';
import { type Ended, Workspace } from './slipway.js';

const image = (tag: string) => `registry.example/shop:${tag}`;
const replicas = 4;

/** Where a command dies: at its `n`th request, before that is forwarded or when its answer is there. */
interface Cut {
  n: number;
  when: 'before' | 'after';
}

/** One command, and where it dies one time after the other; each time it is run again as the next attempt of its job, at last to its end. */
interface Deaths {
  args: string[];
  cuts: readonly Cut[];
  outcome: string;
}

const before = (n: number): Cut => ({ n, when: 'before' });
const after = (n: number): Cut => ({ n, when: 'after' });

const good: Deaths[] = [
  { args: ['canary-deploy', 'start', '--image', image('v2')], cuts: [before(9), after(14)], outcome: 'pass' },
  { args: ['canary-deploy', 'step'], cuts: [after(8), before(10)], outcome: 'pass' },
  { args: ['canary-deploy', 'promote'], cuts: [before(9), after(11)], outcome: 'pass' },
];

const bad: Deaths[] = [
  { args: ['canary-deploy', 'start', '--image', image('v2-errors-60pct')], cuts: [after(17), before(12)], outcome: 'pass' },
  { args: ['canary-analyze', '--duration', '60s'], cuts: [before(6), after(15)], outcome: 'fail' },
];

const aborted: Deaths[] = [
  { args: ['canary-deploy', 'start', '--image', image('v2-errors-60pct')], cuts: [], outcome: 'pass' },
  { args: ['canary-deploy', 'abort'], cuts: [before(7), after(9)], outcome: 'pass' },
];

/** A sample of `test/acceptance/crash` on the real API server: there every request is a cut point, here some of each command. */
export const crashScenarios: Scenario[] = [
  {
    name: 'kill -9 again and again, good canary',
    run: (cluster) => crashed(cluster, 'crash-good', good, { tag: 'v2', phase: 'promoted' }),
  },
  { name: 'kill -9 again and again, bad canary', run: (cluster) => crashed(cluster, 'crash-bad', bad, { tag: 'v1', phase: 'aborted' }) },
  {
    name: 'kill -9 again and again, abort',
    run: (cluster) => crashed(cluster, 'crash-abort', aborted, { tag: 'v1', phase: 'aborted' }),
  },
];

async function crashed(
  cluster: TestCluster,
  namespace: string,
  commands: readonly Deaths[],
  end: { tag: string; phase: string },
): Promise<Report> {
  const workspace = await setUp(cluster, namespace);
  const from = Date.now();
  let attempt = 1;
  for (const { args, cuts, outcome } of commands) {
    for (const cut of cuts) await die(namespace, workspace, args, cut, attempt++);
    const ended = await workspace.run(args, { attempt });
    assert.equal(ended.result?.outcome, outcome, `${args.join(' ')}: ${toldBy(ended)}`);
  }
  const until = Date.now();
  await expectAtRest(cluster, namespace, end);
  await sleep(6000); // the data plane's time-out: by then the last request has an end
  const released = commands[0]?.args.at(-1)?.split(':').at(-1) ?? '';
  const users = await cluster.usersView(`${namespace}/shop`, released, from, Date.now());
  assert.ok(users.sent > 0, 'no user came: nothing is proved');
  assert.equal(users.unanswered, 0, `users were sent where nobody serves: ${JSON.stringify(users.kinds)}`);
  assert.equal(users.failed, users.metFailed, `requests failed that did not meet the new version: ${JSON.stringify(users)}`);
  if (end.phase === 'promoted') assert.equal(users.failed, 0);
  const deaths = commands.reduce((sum, { cuts }) => sum + cuts.length, 0);
  return { users, wallSeconds: (until - from) / 1000, ended: `${end.phase} after ${deaths} deaths` };
}

async function setUp(cluster: TestCluster, namespace: string): Promise<Workspace> {
  await cluster.apply(shopManifest({ namespace, router: 'istio', replicas, rps: 50, image: image('v1') }));
  await cluster.kube('-n', namespace, 'rollout', 'status', 'deploy/shop', '--timeout=60s');
  await cluster.apply(readFileSync(join('docs', 'rbac', 'slipway.yaml'), 'utf8').replaceAll('namespace: shop', `namespace: ${namespace}`));
  await sleep(2000); // users come
  return new Workspace(shopConfig({ namespace, router: 'istio' }), await cluster.kubeconfigOf(`${namespace}/slipway`));
}

/** Runs a command that gets SIGKILL at the cut. Requests are counted in its namespace, so that others may be at work in theirs. */
async function die(namespace: string, workspace: Workspace, args: string[], { n, when }: Cut, attempt: number): Promise<void> {
  const pidFile = join(workspace.directory, 'pid');
  const armed = await fetch(`${process.env.TESTCLUSTER_FAULTS}/faults`, {
    method: 'POST',
    body: JSON.stringify({ path: `/namespaces/${namespace}/`, skip: n - 1, times: 1, action: `kill-${when}`, pidFile }),
  });
  if (!armed.ok) throw new Error(`the fault was not armed: ${await armed.text()}`);
  const cut = await workspace.run(args, { pidFile, attempt });
  assert.equal(cut.signal, 'SIGKILL', `${args.join(' ')} should have died ${when} its request ${n}: ${toldBy(cut)}`);
}

async function expectAtRest(cluster: TestCluster, namespace: string, end: { tag: string; phase: string }): Promise<void> {
  const read = (...args: string[]) => cluster.kube('-n', namespace, 'get', ...args);
  const stable = JSON.parse(await read('deploy/shop', '-o', 'json'));
  assert.equal(stable.spec.template.spec.containers[0].image, image(end.tag));
  assert.equal(stable.status.readyReplicas, replicas);
  assert.equal(stable.status.updatedReplicas, replicas);
  assert.equal(await read('deploy', '-o', 'name'), 'deployment.apps/shop');
  const state = JSON.parse(await read('configmap/slipway-shop', '-o', 'jsonpath={.data.state\\.json}'));
  assert.equal(state.phase, end.phase);
  assert.equal(state.intent, null);
  assert.equal(await read('lease/slipway-shop', '-o', 'jsonpath={.spec.holderIdentity}'), '');
  const { spec } = JSON.parse(await read('virtualservice/shop', '-o', 'json'));
  const targets = spec.http.flatMap(({ route }: { route: { destination: { subset: string } }[] }) =>
    route.map((to) => to.destination.subset),
  );
  assert.deepEqual(targets, ['stable'], `the route is not as it was: ${JSON.stringify(spec.http)}`);
}

function toldBy({ code, signal, result, log }: Ended): string {
  return `${signal ?? `exit ${code}`} ${result ? `${result.reason}: ${result.summary}` : log.slice(-1000)}`;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
