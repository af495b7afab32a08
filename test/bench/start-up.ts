/**
 * How long a user waits for an action to start: from the process's start to the complaint about missing inputs, against bare Node.
 * `npm run bench start-up [-- -- RUNS]`. Prints and never decides: the box that measures is not the box that runs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readContracts } from '../../scripts/contracts.js';
import { node24, root } from '../../scripts/node24.mjs';
import budgets from './budgets.json' with { type: 'json' };
import { printTable } from './table/print-table.js';

const runs = Math.max(9, Number(process.argv[2] ?? 9) || 9);
const node = node24();
const folder = mkdtempSync(join(tmpdir(), 'slipway-start-'));

interface Program {
  name: string;
  args: readonly string[];
  /** Longest start allowed, in times of bare Node; undefined: not limited. */
  limit: number | undefined;
  times: number[];
}

const contracts = await readContracts();
const bare: Program = { name: 'node -e 0', args: ['-e', '0'], limit: undefined, times: [] };
const programs: Program[] = [
  bare,
  ...contracts.map(({ name, family }) => entry(`${name}/main.js`, budgets.startUpRatio[family])),
  entry('slipway/main.js', budgets.startUpRatio.gates),
  entry('cli/main.js', budgets.startUpRatio.gates),
];

for (let run = 0; run <= runs; run++) for (const program of programs) measure(program, run === 0);
rmSync(folder, { recursive: true, force: true });

const base = median(bare.times);
printTable(
  ['start', 'median', 'least', 'over bare', 'ratio', 'limit', ''],
  programs.map(({ name, times, limit }) => {
    const time = median(times);
    const ratio = time / base;
    const verdict = limit === undefined ? '' : ratio <= limit ? 'ok' : 'OVER';
    return [
      name,
      ms(time),
      ms(Math.min(...times)),
      ms(time - base),
      `${ratio.toFixed(2)}x`,
      limit === undefined ? '' : `${limit}x`,
      verdict,
    ];
  }),
);
console.log(`Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}, ${runs} interleaved runs each, the first dropped`);

function entry(file: string, limit: number): Program {
  return { name: file, args: [join(root, 'dist', file)], limit, times: [] };
}

/** Runs the program once, without inputs. The very first run fills the disk cache and is not counted. */
function measure({ args, times }: Program, warmUp: boolean) {
  const start = process.hrtime.bigint();
  spawnSync(node, args, { cwd: folder, env: { HOME: folder, GITHUB_ACTIONS: 'true' }, stdio: 'ignore' });
  if (!warmUp) times.push(Number(process.hrtime.bigint() - start) / 1e6);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
