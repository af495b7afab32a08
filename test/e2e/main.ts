import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inParallel } from '@slipway/cluster';
import { TestCluster } from './cluster.js';
import { crashScenarios } from './crash-scenarios.js';
import { engineScenarios } from './engine-scenarios.js';
import { routerScenarios } from './router-scenarios.js';
import { type Report, type Scenario, scenarios } from './scenarios.js';
import { strategyScenarios } from './strategy-scenarios.js';
import { watchdogScenarios } from './watchdog-scenarios.js';

/** Scenarios that run at the same time: they mostly wait, and two cores serve two shops without a late request. */
const AT_ONCE = 2;

/** One of each kind, for `.ci/run`, which has 25 minutes for everything. */
const core = new Set([
  'good release, Istio',
  'good release, replicas',
  '5 % errors, Istio',
  'latency tripled, Istio',
  'crash loop',
  'kill -9 in mid-step, re-run',
  'good release, HTTPRoute',
  'header route, nginx',
  'blue/green by Service, promoted',
  'blue/green by Istio, switched back',
  'rolling, crash loop undone',
  'shadow, 5 % errors',
  'superseded',
  'Argo Rollouts: 5 % errors',
  'Flagger: good release',
  'runner lost, watchdog, Istio',
  'kill -9 again and again, abort',
]);

const suites: Scenario[] = [
  ...scenarios,
  ...routerScenarios,
  ...strategyScenarios,
  ...engineScenarios,
  ...watchdogScenarios,
  ...crashScenarios,
];

/**
 * `npm run test:e2e [-- NAME | --core]`: the committed bundles against a real Kubernetes API server and controllers with living pods and traffic.
 * Inside a test cluster it runs the scenarios; with another cluster's `KUBECONFIG` the contract that the sandbox is held to; outside both it
 * starts a test cluster, or says loudly that it cannot.
 */
async function main(): Promise<number> {
  const only = process.argv.slice(2).join(' ');
  const cluster = TestCluster.fromEnvironment();
  if (cluster) return runScenarios(cluster, only);
  if (process.env.KUBECONFIG) {
    console.log('SKIPPED: releases under traffic. This cluster has no data plane that counts requests; what runs is the API contract.');
    return runContract();
  }
  const bed = resolve('..', 'shared', 'testcluster', 'run.sh');
  if (!existsSync(bed)) {
    console.log(
      'SKIPPED: e2e. No test cluster: neither TESTCLUSTER_STATS, TESTCLUSTER_FAULTS and KUBECONFIG are set, nor is one beside this project.',
    );
    console.log('What was not tested: releases on a real API server with real traffic. The same scenarios ran on the sandbox (npm test).');
    console.log('0 passed, 0 failed, 1 skipped');
    return 0;
  }
  const script = ['--', process.execPath, join('scripts', 'run-ts.mjs'), join('test', 'e2e', 'main.ts'), ...process.argv.slice(2)];
  return run(bed, script, { WITH_ARGO: '1', ...(hasPrometheus() ? { WITH_FLAGGER: '1', WITH_PROMETHEUS: '1' } : {}) });
}

/** Flagger's metrics come from one; the test cluster uses an installed server. */
function hasPrometheus(): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, 'prometheus')));
}

/** A cluster of one's own (kind) has no users whose requests could be counted, so what is tested there is the API. */
async function runContract(): Promise<number> {
  return run(process.execPath, [join('scripts', 'run-ts.mjs'), join('test', 'e2e', 'contract.ts')], {});
}

function run(command: string, args: string[], env: Record<string, string>): Promise<number> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('close', (code) => done(code ?? 1));
  });
}

interface Row {
  name: string;
  report?: Report;
  error?: unknown;
}

async function runScenarios(cluster: TestCluster, only: string): Promise<number> {
  const asked = suites.filter(({ name }) => (only === '--core' ? core.has(name) : name.includes(only)));
  const chosen = asked.filter(({ needs }) => needs === undefined || process.env[needs] === '1');
  const skipped = asked.filter((scenario) => !chosen.includes(scenario)).map(({ name, needs }) => `${name} (${needs} is not set)`);
  if (skipped.length > 0) console.log(`SKIPPED, because the test cluster was started without it: ${skipped.join(', ')}`);
  const rows: Row[] = [];
  const play = async (scenario: Scenario) => {
    console.log(`… ${scenario.name}`);
    try {
      rows.push({ name: scenario.name, report: await scenario.run(cluster) });
    } catch (error) {
      console.log(`FAILED ${scenario.name}:`, error instanceof Error ? error.message : error);
      rows.push({ name: scenario.name, error });
    }
  };
  const wholeSuite = only === '' || only === '--core';
  await inParallel(
    AT_ONCE,
    chosen.filter(({ alone }) => !alone),
    play,
  );
  await inParallel(
    1,
    chosen.filter(({ alone }) => alone),
    play,
  );
  printTable(rows);
  const contract = wholeSuite ? await runContract() : 0;
  const failures = rows.filter((row) => row.error).length + (contract === 0 ? 0 : 1);
  console.log(`${chosen.length + (wholeSuite ? 1 : 0) - failures} passed, ${failures} failed`);
  return failures === 0 && chosen.length > 0 ? 0 : 1;
}

function printTable(rows: readonly Row[]): void {
  console.log(
    '\n| release | ended | wall s | users: sent | failed | of these unanswered | met new version | failed there | bad traffic s |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const { name, report, error } of rows) {
    if (!report) {
      console.log(`| ${name} | FAILED: ${String((error as Error)?.message ?? error).split('\n')[0]} | | | | | | | |`);
      continue;
    }
    const { users, wallSeconds, ended } = report;
    const cells = [
      name,
      ended,
      wallSeconds.toFixed(1),
      users.sent,
      users.failed,
      users.unanswered,
      users.met,
      users.metFailed,
      users.badSeconds,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log('');
}

process.exitCode = await main();
