/**
 * Releases on the test cluster, ours beside other tools', in one run: `npm run bench -- peers [TOOL:RELEASE[:VARIANT] …]`; without cells, all
 * of them (about half an hour, with nothing else on the machine). Tools, releases: peers/cells.ts; our settings: peers/configuration.ts.
 *
 * Prints a line of JSON per cell and one table. Exits with 1 when a release of ours did not end as it should, or requests failed by our own
 * hand; figures are compared with limits and never decide.
 */
import { join } from 'node:path';
import { root } from '../../scripts/node24.mjs';
import { countOurs, countPeers } from './peers/audit.js';
import { allCells, batches, type Cell, isPeer, parseCell } from './peers/cells.js';
import { stated } from './peers/configuration.js';
import { releaseByUs } from './peers/own-cell.js';
import { releaseByPeers } from './peers/peer-cells.js';
import type { CellResult } from './peers/result.js';
import { markdownTable } from './peers/table.js';
import { againInTestCluster, peersFolder, type TestBed, testBed } from './peers/test-bed.js';

async function main(words: readonly string[]): Promise<number> {
  const asked = words.length > 0 ? words.map(parseCell) : allCells();
  const folder = peersFolder();
  const cells = folder ? asked : asked.filter(({ tool }) => !isPeer(tool));
  if (cells.length < asked.length)
    console.log('PEERS SKIPPED: their bench is not beside this project. What follows is Slipway alone, and compares nothing.');
  if (cells.length === 0) return 0;
  const bed = testBed();
  if (!bed) return againInTestCluster(join(root, 'test', 'bench', 'peers.ts'), words, companionsOf(cells));
  const results: CellResult[] = [];
  for (const batch of batches(cells)) {
    console.log(`… ${batch.map(({ tool, release, variant }) => [tool, release, variant].filter(Boolean).join(':')).join(', ')}`);
    results.push(...(await runBatch(bed, folder, batch)));
  }
  return report(bed, results, cells.length);
}

/** All at the same time. */
async function runBatch(bed: TestBed, folder: string | undefined, batch: readonly Cell[]): Promise<CellResult[]> {
  const ours = batch.filter(({ tool }) => !isPeer(tool)).map(async (cell) => [await releaseByUs(bed, cell)]);
  const theirs = folder
    ? [
        releaseByPeers(
          folder,
          batch.filter(({ tool }) => isPeer(tool)),
        ),
      ]
    : [];
  const ended = await Promise.allSettled([...ours, ...theirs]);
  return ended.flatMap((each) => {
    if (each.status === 'fulfilled') return each.value;
    console.log(each.reason);
    return [];
  });
}

async function report({ auditLog, faultsUrl }: TestBed, results: readonly CellResult[], wanted: number): Promise<number> {
  const ours = results.filter(({ tool }) => !isPeer(tool));
  const theirs = results.filter(({ tool }) => isPeer(tool));
  const requests = new Map([...(await countOurs(faultsUrl, ours)), ...(await countPeers(auditLog, theirs))]);
  const counted = results.map((cell) => ({ ...cell, requests: requests.get(cell.namespace) ?? { all: 0, writes: 0 } }));
  for (const { log, ...cell } of counted) console.log(JSON.stringify(cell.right || log.length === 0 ? cell : { ...cell, log }));
  console.log(
    `\n100 requests a second, 10 replicas, a route takes 1 s to apply. Slipway: steps 10 % for 60 s, 50 % for 120 s; ${settings()}`,
  );
  console.log(`\n${markdownTable(counted)}\n`);
  const wrong = counted.filter(({ tool, right, own }) => !isPeer(tool) && (!right || own > 0));
  console.log(`${counted.length} of ${wanted} cells measured; of ours ${wrong.length} ended wrong or failed requests by their own hand`);
  return wrong.length === 0 && counted.length === wanted ? 0 : 1;
}

function settings(): string {
  return Object.entries(stated)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}

function companionsOf(cells: readonly Cell[]): Record<string, string> {
  const uses = (...tools: string[]) => cells.some(({ tool }) => tools.includes(tool));
  return {
    ...(uses('argo') ? { WITH_ARGO: '1' } : {}),
    ...(uses('flagger') ? { WITH_FLAGGER: '1' } : {}),
    ...(uses('argo', 'source', 'plain', 'slipway-prometheus') ? { WITH_PROMETHEUS: '1' } : {}),
  };
}

process.exitCode = await main(process.argv.slice(2));
