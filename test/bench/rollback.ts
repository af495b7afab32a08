/**
 * How long a way back takes on one API server and one Deployment of 10 pods: ours against `kubectl rollout undo` with `kubectl rollout status`,
 * in turn, 5 times each: `npm run bench -- rollback [RUNS]`. Process start-up is part of the time, and shown apart. Prints and never decides.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../scripts/node24.mjs';
import { Workspace } from '../e2e/slipway.js';
import { requestsBetween } from './peers/audit.js';
import { bedManifest } from './peers/manifest.js';
import { againInTestCluster, openShop, type TestBed, testBed } from './peers/test-bed.js';
import { requestsTo } from './peers/truth.js';
import { printTable } from './table/print-table.js';

const namespace = 'rollback';
const image = 'registry.example/shop:v2';
const aim = 1.1;

interface Took {
  /** From the start of the (first) process to the end of the (last). Seconds. */
  wall: number;
  /** From the start of the first process to its first request. */
  startUp: number;
  /** From the start to the last request of a user that met the new version; in whole seconds, as the bed counts. */
  users: number;
  requests: number;
}

interface Way {
  name: string;
  /** Brings the new version about. */
  forward(): Promise<void>;
  back(): Promise<void>;
  took: Took[];
}

async function main(args: readonly string[]): Promise<number> {
  const bed = testBed();
  if (!bed) return againInTestCluster(join(root, 'test', 'bench', 'rollback.ts'), args);
  const runs = Math.max(1, Number(args.find((word) => /^\d+$/.test(word)) ?? 5));
  const profile = args.includes('--profile');
  await openShop(bed, namespace, bedManifest(namespace));
  const ways = waysOf(bed);
  for (let run = 0; run < runs; run++) for (const way of ways) way.took.push(await measure(bed, way, profile && run === runs - 1));
  print(ways, runs);
  return 0;
}

function waysOf(bed: TestBed): Way[] {
  const workspace = new Workspace(slipwayYml, readFileSync(bed.kubeconfig, 'utf8'));
  const slipway = async (...words: string[]) => {
    const { code, log } = await workspace.run(words);
    if (code !== 0) throw new Error(`slipway ${words.join(' ')} ended with ${code}\n${log}`);
  };
  const kubectl = (...words: string[]) => run(bed, ['-n', namespace, ...words]);
  return [
    {
      name: 'kubectl rollout undo + status',
      forward: async () => {
        await kubectl('set', 'image', 'deploy/shop', `web=${image}`);
        await kubectl('rollout', 'status', 'deploy/shop', '--timeout=120s');
      },
      back: async () => {
        await kubectl('rollout', 'undo', 'deploy/shop');
        await kubectl('rollout', 'status', 'deploy/shop', '--timeout=120s');
      },
      took: [],
    },
    {
      name: 'auto-rollback now, after a release',
      forward: () => slipway('canary-deploy', 'promote', '--image', image),
      back: () => slipway('auto-rollback', 'now'),
      took: [],
    },
    {
      name: 'canary-deploy abort, at 50 %',
      forward: () => slipway('canary-deploy', 'start', '--image', image),
      back: () => slipway('canary-deploy', 'abort'),
      took: [],
    },
  ];
}

const slipwayYml = `version: 1
environments:
  production: { namespace: ${namespace} }
services:
  shop:
    traffic: { router: istio, route: primary }
    steps: [{ weight: 50, duration: 60s }]
    drain: 1s
`;

async function run({ kubectl, kubeconfig }: TestBed, words: readonly string[]): Promise<void> {
  const child = spawn(kubectl, words, { stdio: 'ignore', env: { ...process.env, KUBECONFIG: kubeconfig } });
  const code = await new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', done);
  });
  if (code !== 0) throw new Error(`kubectl ${words.join(' ')} ended with ${code}`);
}

async function measure(bed: TestBed, way: Way, profile: boolean): Promise<Took> {
  await way.forward();
  await sleep(2_000);
  const start = Date.now();
  await way.back();
  const end = Date.now();
  await gone(bed);
  const { last } = await requestsTo(bed.statsUrl, `${namespace}/shop`, 'v2', start / 1000);
  const seen = await requestsBetween(bed.auditLog, namespace, start, end, ({ userAgent }) => /^(kubectl|slipway)/.test(userAgent));
  const began = (at: number) => ((at - start) / 1000).toFixed(2).padStart(6);
  if (profile) {
    console.log(`\n${way.name}: ${((end - start) / 1000).toFixed(2)} s`);
    for (const { at, verb, what, milliseconds } of seen) console.log(`${began(at)} s  ${verb} ${what} (${milliseconds} ms)`);
  }
  return {
    wall: (end - start) / 1000,
    startUp: ((seen[0]?.at ?? end) - start) / 1000,
    users: last === null ? 0 : Math.max(0, last + 1 - start / 1000),
    requests: seen.length,
  };
}

/** Neither the former measurement's pods nor its audit events shall be part of the next. */
async function gone({ cluster }: TestBed): Promise<void> {
  await sleep(2_000);
  await cluster.kube('-n', namespace, 'wait', '--for=delete', 'pod', '-l', 'track=canary', '--timeout=30s').catch(() => undefined);
}

function print(ways: readonly Way[], runs: number): void {
  const median = (way: Way | undefined, key: keyof Took) => middle((way?.took ?? []).map((took) => took[key]));
  const base = median(ways[0], 'wall');
  const head = [
    'way back, 10 replicas',
    'median s',
    'of these start-up',
    'users safe after s',
    'requests (no leases)',
    'ratio',
    'all runs',
  ];
  printTable(
    head,
    ways.map((way) => [
      way.name,
      median(way, 'wall').toFixed(2),
      median(way, 'startUp').toFixed(2),
      median(way, 'users').toFixed(1),
      String(median(way, 'requests')),
      `${(median(way, 'wall') / base).toFixed(2)}x`,
      way.took.map(({ wall }) => wall.toFixed(2)).join(' '),
    ]),
  );
  console.log(
    `median of ${runs} each, in turn; aimed at: ${aim}x or less after a release. An abort waits for routes (1 s here) and drain (1 s).`,
  );
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
}

process.exitCode = await main(process.argv.slice(2));
