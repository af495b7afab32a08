/**
 * What a runner downloads and reads: the bytes of dist by folder, of the archive of the last commit, and what the bundles are made of.
 * `npm run bench size`. Fails when a budget is passed: bytes are the same on every machine.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { families } from '../../scripts/build/dist.js';
import { bytesByPackage } from '../../scripts/build/family-bundle.js';
import { root } from '../../scripts/node24.mjs';
import budgets from './budgets.json' with { type: 'json' };
import { printTable } from './table/print-table.js';

const dist = join(root, 'dist');
const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(dist, file)).isFile());
const total = sum(files.map(bytesOf));
const archive = archiveBytes();

const bundles = [...families.map((family) => `${family}/index.js`), 'cli/index.js'];
const rest = files.filter((file) => !bundles.includes(file));
printTable(
  ['dist', 'bytes', 'gzip', 'budget', ''],
  [
    ...bundles.map((file) => [file, count(bytesOf(file)), count(gzipSync(readFileSync(join(dist, file)), { level: 9 }).length), '', '']),
    [`${rest.length} stubs and licences`, count(sum(rest.map(bytesOf))), '', '', ''],
    ['all of dist', count(total), '', count(budgets.bytes.dist), verdict(total, budgets.bytes.dist)],
    [
      'git archive HEAD',
      '',
      archive === undefined ? 'no commit' : count(archive),
      count(budgets.bytes.archive),
      verdict(archive, budgets.bytes.archive),
    ],
  ],
);

for (const family of families) {
  console.log(`\n${family}: what the bytes are`);
  const packages = [...(await bytesByPackage(family))].sort(([, a], [, b]) => b - a);
  const shown = packages.slice(0, 12);
  const others = packages.slice(12);
  if (others.length > 0) shown.push([`${others.length} others`, sum(others.map(([, bytes]) => bytes))]);
  printTable(
    ['package', 'bytes'],
    shown.map(([name, bytes]) => [name, count(bytes)]),
  );
}
process.exitCode = total <= budgets.bytes.dist && (archive ?? 0) <= budgets.bytes.archive ? 0 : 1;

function bytesOf(file: string): number {
  return statSync(join(dist, file)).size;
}

/** Size of what GitHub gives a runner for a tag; undefined outside a repository with a commit. */
function archiveBytes(): number | undefined {
  const tar = spawnSync('git', ['archive', '--format=tar', 'HEAD'], { cwd: root, maxBuffer: 1 << 30 });
  return tar.status === 0 ? gzipSync(tar.stdout).length : undefined;
}

function verdict(bytes: number | undefined, budget: number): string {
  return bytes === undefined ? '' : bytes <= budget ? 'ok' : 'OVER';
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function count(value: number): string {
  return value.toLocaleString('en');
}
