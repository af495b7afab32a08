import { planOf, recordAll } from './plan.js';
import { runCells, sample } from './points.js';
import { nameOf } from './releases.js';
import { tableOf } from './table.js';

/** Worlds at a time: most of the time each waits for its pods. */
const inFlight = 8;

/**
 * `node scripts/run-ts.mjs test/acceptance/crash/main.ts [--sample N] [--only TEXT]`: records every release, then disturbs it at every request in
 * every way. `--sample N`: at most N cells of each kind; `--only TEXT`: the kinds whose name has the text.
 */
async function main(): Promise<number> {
  const began = performance.now();
  const recordings = await recordAll();
  let requests = 0;
  for (const { release, commands } of recordings.values()) {
    console.log(`${release.name}: ${commands.map(({ command, requests: own }) => `${nameOf(command)} ${own.length}`).join(', ')} requests`);
    for (const { command, requests: own } of commands) if (!command.prelude) requests += own.length;
  }
  const cells = chosen(planOf(recordings));
  console.log(`${requests} requests, each of which a run may die before and after; ${cells.length} worlds to run\n`);
  const groups = await runCells(cells, inFlight, (_, points) => {
    for (const { what, problems } of points) if (problems.length > 0) console.log(`WRONG ${what}\n  ${problems.join('\n  ')}`);
  });
  const points = [...groups.values()].flat();
  const cuts = [...groups].filter(([group]) => group.startsWith('SIGKILL')).flatMap(([, of]) => of).length;
  const failed = points.filter(({ problems }) => problems.length > 0).length;
  console.log(`\n${tableOf(groups)}\n`);
  console.log(`${cuts} cut points with SIGKILL, ${points.length} points in all, ${((performance.now() - began) / 1000).toFixed(0)} s`);
  console.log(`${points.length - failed} passed, ${failed} failed`);
  return failed === 0 && points.length > 0 ? 0 : 1;
}

function chosen(cells: ReturnType<typeof planOf>): ReturnType<typeof planOf> {
  const only = option('--only') ?? '';
  const most = Number(option('--sample') ?? Number.POSITIVE_INFINITY);
  const groups = [...new Set(cells.map(({ group }) => group))].filter((group) => group.includes(only));
  return groups.flatMap((group) =>
    sample(
      cells.filter((cell) => cell.group === group),
      most,
    ),
  );
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

process.exitCode = await main();
