import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../../scripts/node24.mjs';
import { TestCluster } from '../../e2e/cluster.js';

const shared = join(root, '..', 'shared');
const starter = join(shared, 'testcluster', 'run.sh');

/** Folder of the peers' own bench; undefined where it is not there. */
export function peersFolder(): string | undefined {
  const folder = join(shared, 'peers');
  return existsSync(join(folder, 'bench.py')) ? folder : undefined;
}

/** What of the test cluster a measurement uses. */
export interface TestBed {
  cluster: TestCluster;
  statsUrl: string;
  faultsUrl: string;
  auditLog: string;
  kubectl: string;
  kubeconfig: string;
  prometheusUrl: string | undefined;
}

/** The test cluster that this process runs in; undefined outside of one. */
export function testBed(env = process.env): TestBed | undefined {
  const cluster = TestCluster.fromEnvironment();
  const { TESTCLUSTER_STATS: statsUrl, TESTCLUSTER_FAULTS: faultsUrl, AUDIT_LOG: auditLog, KUBECONFIG: kubeconfig } = env;
  const { KUBECTL: kubectl = 'kubectl' } = env;
  if (!cluster || !statsUrl || !faultsUrl || !auditLog || !kubeconfig) return undefined;
  return { cluster, statsUrl, faultsUrl, auditLog, kubectl, kubeconfig, prometheusUrl: env.PROMETHEUS_URL };
}

/**
 * Runs the same measurement again inside a test cluster made for it, and takes over its exit code. Where there is none to make it says so and
 * passes: nothing was measured, and nothing is claimed.
 */
export async function againInTestCluster(
  file: string,
  args: readonly string[],
  companions: Readonly<Record<string, string>> = {},
): Promise<number> {
  if (!existsSync(starter)) {
    console.log('SKIPPED: there is no test cluster: neither TESTCLUSTER_STATS and KUBECONFIG are set, nor is one beside this project.');
    return 0;
  }
  const command = ['--', process.execPath, join(root, 'scripts', 'run-ts.mjs'), relative(process.cwd(), file), ...args];
  const child = spawn(starter, command, { stdio: 'inherit', env: { ...process.env, ...companions } });
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => done(code ?? 1));
  });
}

/** Applies a manifest, waits until its Deployment `shop` serves, and for users to come. */
export async function openShop({ cluster }: TestBed, namespace: string, manifest: string): Promise<void> {
  await cluster.apply(manifest);
  await cluster.kube('-n', namespace, 'rollout', 'status', 'deploy/shop', '--timeout=120s');
  await sleep(5_000);
}
