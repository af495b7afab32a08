import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TestCluster } from './cluster.js';
import { type Report, scenarios } from './scenarios.js';

/**
 * `npm run test:e2e [-- NAME]`: the committed bundles against a real Kubernetes API server and controllers with living pods and traffic.
 * Inside a test cluster it runs the scenarios; outside it starts one, or says loudly that it cannot.
 */
async function main(): Promise<number> {
  const cluster = TestCluster.fromEnvironment();
  if (cluster) return runScenarios(cluster, process.argv.slice(2).join(' '));
  const bed = resolve('..', 'shared', 'testcluster', 'run.sh');
  if (!existsSync(bed)) {
    console.log(
      'SKIPPED: e2e. No test cluster: neither TESTCLUSTER_STATS, TESTCLUSTER_FAULTS and KUBECONFIG are set, nor is one beside this project.',
    );
    console.log('What was not tested: releases on a real API server with real traffic. The same scenarios ran on the sandbox (npm test).');
    console.log('0 passed, 0 failed, 1 skipped');
    return 0;
  }
  return new Promise((done, reject) => {
    const command = ['--', process.execPath, join('scripts', 'run-ts.mjs'), join('test', 'e2e', 'main.ts'), ...process.argv.slice(2)];
    const child = spawn(bed, command, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => done(code ?? 1));
  });
}

async function runScenarios(cluster: TestCluster, only: string): Promise<number> {
  const chosen = scenarios.filter((scenario) => scenario.name.includes(only));
  const rows: { name: string; report?: Report; error?: unknown }[] = [];
  for (const scenario of chosen) {
    console.log(`… ${scenario.name}`);
    try {
      rows.push({ name: scenario.name, report: await scenario.run(cluster) });
    } catch (error) {
      console.log(error instanceof Error ? error.message : error);
      rows.push({ name: scenario.name, error });
    }
  }
  printTable(rows);
  const failures = rows.filter((row) => row.error).length;
  console.log(`${rows.length - failures} passed, ${failures} failed`);
  return failures === 0 && rows.length > 0 ? 0 : 1;
}

function printTable(rows: { name: string; report?: Report; error?: unknown }[]): void {
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
