/**
 * What canary-analyze needs of a runner while it watches 10 replicas for a minute with windows of 10 s: peak memory above an idle Node's, and
 * CPU: `npm run bench -- watching`. On the sandbox, and on a test cluster when there is one. Prints and compares with limits; never decides.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/node24.mjs';
import { world } from '../acceptance/cluster/release.js';
import { Workspace } from '../e2e/slipway.js';
import { bedManifest } from './peers/manifest.js';
import { type Usage, usageOf } from './peers/process-usage.js';
import { againInTestCluster, openShop, type TestBed, testBed } from './peers/test-bed.js';
import { printTable } from './table/print-table.js';

const megabyte = 1024 * 1024;
const limits = { memory: 100 * megabyte, share: 0.05 };
/** The first seconds are the program's start, not its watching. */
const steadyAfter = 5;

const slipwayYml = (namespace: string) => `version: 1
environments:
  production: { namespace: ${namespace} }
services:
  shop:
    traffic: { router: istio, route: primary }
    steps: [{ weight: 10, duration: 60s }, { weight: 50, duration: 60s }]
    drain: 1s
    analysis: { window: 10s, on-inconclusive: continue }
`;

async function main(args: readonly string[]): Promise<number> {
  if (!existsSync('/proc/self/status')) {
    console.log('SKIPPED: there is no /proc here, which has the figures.');
    return 0;
  }
  const bed = testBed();
  if (bed) await report('test cluster', await watchedOnCluster(bed));
  if (bed || args.includes('--cluster')) return 0;
  await report('sandbox', await watchedOnSandbox());
  return againInTestCluster(join(root, 'test', 'bench', 'watching.ts'), ['--cluster']);
}

async function watchedOnSandbox(): Promise<Usage> {
  const shop = await world({ shop: { replicas: 10 } });
  try {
    return await watched('shop', readFileSync(shop.sandbox.writeKubeconfig(join(shop.cwd, 'kubeconfig')), 'utf8'));
  } finally {
    await shop.end();
  }
}

async function watchedOnCluster(bed: TestBed): Promise<Usage> {
  await openShop(bed, 'watching', bedManifest('watching'));
  return watched('watching', readFileSync(bed.kubeconfig, 'utf8'));
}

async function watched(namespace: string, kubeconfig: string): Promise<Usage> {
  const workspace = new Workspace(slipwayYml(namespace), kubeconfig);
  const started = await workspace.run(['canary-deploy', 'start', '--image', 'registry.example/shop:v2']);
  if (started.code !== 0) throw new Error(`start ended with ${started.code}\n${started.log}`);
  const pidFile = join(workspace.directory, 'pid');
  const watching = workspace.run(['canary-analyze'], { pidFile });
  const usage = await usageOf(Number(readFileSync(pidFile, 'utf8')), steadyAfter);
  const { code, log } = await watching;
  if (code !== 0) throw new Error(`canary-analyze ended with ${code}\n${log}`);
  return usage;
}

/** Peak of a Node that does nothing. */
async function idle(): Promise<Usage> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 3000)'], { stdio: 'ignore' });
  return usageOf(child.pid ?? 0, 1);
}

async function report(where: string, watching: Usage): Promise<void> {
  const bare = await idle();
  const above = watching.peak - bare.peak;
  const row = (name: string, { peak, startUp, share, seconds }: Usage) => [
    name,
    (peak / megabyte).toFixed(0),
    startUp.toFixed(2),
    `${(100 * share).toFixed(1)} %`,
    seconds.toFixed(0),
  ];
  printTable(
    [where, 'peak MiB', `CPU s in the first ${steadyAfter} s`, 'CPU after', 'seconds'],
    [row('node, idle', bare), row('canary-analyze', watching)],
  );
  console.log(`above idle: ${(above / megabyte).toFixed(0)} MiB, limit 100: ${above <= limits.memory ? 'kept' : 'MISSED'}`);
  console.log(
    `CPU while watching: ${(100 * watching.share).toFixed(1)} %, limit 5 %: ${watching.share <= limits.share ? 'kept' : 'MISSED'}\n`,
  );
}

process.exitCode = await main(process.argv.slice(2));
