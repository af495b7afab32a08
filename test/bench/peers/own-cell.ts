import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../../scripts/node24.mjs';
import { type Ended, Workspace } from '../../e2e/slipway.js';
import { type Cell, releases } from './cells.js';
import { configuration } from './configuration.js';
import { bedManifest } from './manifest.js';
import { rescueOf } from './rescue.js';
import type { CellResult } from './result.js';
import { openShop, type TestBed } from './test-bed.js';
import { type Course, failedLately, requestsTo, tail, truthOf } from './truth.js';

/** Seconds from the first request to the bad version until its runner is killed. */
const killedAfter = 5;

/** Releases with our own commands, as the jobs of a workflow run them one after the other, and says what users met. */
export async function releaseByUs(bed: TestBed, cell: Cell): Promise<CellResult> {
  const { namespace } = cell;
  await openShop(bed, namespace, bedManifest(namespace));
  await bed.cluster.apply(
    readFileSync(join(root, 'docs', 'rbac', 'slipway.yaml'), 'utf8').replaceAll('namespace: shop', `namespace: ${namespace}`),
  );
  const workspace = new Workspace(configuration(cell, bed.prometheusUrl), await bed.cluster.kubeconfigOf(`${namespace}/slipway`));
  if (cell.release === 'killed') await rescueOf(cell.variant).prepare(bed, namespace, workspace);
  const failedBefore = await failedLately(bed.statsUrl, `${namespace}/shop`, 4);

  const start = Date.now() / 1000;
  const commands = cell.release === 'killed' ? await killedRelease(bed, cell, workspace) : await release(cell, workspace);
  const ended = Date.now() / 1000;
  const last = commands.at(-1);
  const course: Course = { start, ended, said: saidBy(commands) };
  await sleep((tail + 2) * 1_000);
  const truth = await truthOf(bed.statsUrl, `${namespace}/shop`, cell.release, course);
  await bed.cluster.kube('delete', 'namespace', namespace, '--wait=false');
  return {
    cell: `${cell.tool}:${cell.release}${cell.variant ? `:${cell.variant}` : ''}`,
    ...cell,
    ...course,
    ...truth,
    failedBefore,
    commands: commands.map(wordsOf),
    log: last?.log.split('\n').slice(-40) ?? [],
  };
}

async function release({ release }: Cell, workspace: Workspace): Promise<Ran[]> {
  const image = `registry.example/shop:${releases[release]}`;
  const jobs = [
    ['canary-deploy', 'start', '--image', image],
    ['canary-analyze'],
    ['canary-deploy', 'step'],
    ['canary-analyze'],
    ['canary-deploy', 'promote'],
  ];
  const ran: Ran[] = [];
  for (const args of jobs) {
    const ended = await workspace.run(args);
    ran.push({ args, ...ended });
    if (ended.code !== 0) break;
  }
  // What a workflow has as `if: failure()`: finds nothing to do where the analysis has sent users back.
  if (ran.at(-1)?.code !== 0) ran.push({ args: ['auto-rollback'], ...(await workspace.run(['auto-rollback', 'now'])) });
  return ran;
}

async function killedRelease(bed: TestBed, { namespace, release, variant }: Cell, workspace: Workspace): Promise<Ran[]> {
  const version = releases[release];
  const args = ['canary-deploy', 'start', '--image', `registry.example/shop:${version}`];
  const started = await workspace.run(args);
  const pidFile = join(workspace.directory, 'pid');
  const from = Date.now() / 1000 - 5;
  const watching = workspace.run(['canary-analyze'], { pidFile });
  while ((await requestsTo(bed.statsUrl, `${namespace}/shop`, version, from)).sent === 0) await sleep(200);
  await sleep(killedAfter * 1_000);
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  const killed = await watching;
  const rescued = await rescueOf(variant).run(bed, namespace, workspace);
  return [
    { args, ...started },
    { args: ['canary-analyze'], ...killed },
    { args: [`rescue by ${rescueOf(variant).words}`], ...rescued },
  ];
}

interface Ran extends Ended {
  args: string[];
}

function saidBy(commands: readonly Ran[]): Course['said'] {
  if (commands.every(({ code }) => code === 0) && commands.at(-1)?.args[1] === 'promote') return 'ok';
  return commands.at(-1)?.code === 0 ? 'failed' : 'limit';
}

function wordsOf({ args, code, signal, seconds, result }: Ran): string {
  return `${args.slice(0, 2).join(' ')}: ${signal ?? code} ${result?.reason ?? ''} in ${seconds.toFixed(1)} s: ${result?.summary ?? ''}`;
}
