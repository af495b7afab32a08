import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '@slipway/core';
import { node24 } from '../node24.mjs';

/** A file of dist to be run as a runner or a shell would, and what it must come to. */
interface Entry {
  file: string;
  args?: readonly string[];
  exitCode: number;
  /** What it must print. */
  prints?: RegExp;
}

/** Every entry of dist. Without inputs an action ends with 2 and names what is missing; `post` has nothing to do. */
export function entriesOf(contracts: readonly Contract[]): Entry[] {
  const actions = contracts.flatMap(({ name, inputs, post }): Entry[] => [
    { file: `${name}/main.js`, exitCode: 2, prints: new RegExp(`^::error.*\\b(${missing(inputs).join('|')})\\b`, 'm') },
    ...(post ? [{ file: `${name}/post.js`, exitCode: 0 }] : []),
  ]);
  return [
    ...actions,
    { file: 'slipway/main.js', exitCode: 2, prints: /^::error.*::.*\bcommand\b/m },
    { file: 'slipway/post.js', exitCode: 0 },
    {
      file: 'cli/main.js',
      args: ['--help'],
      exitCode: 0,
      prints: new RegExp(contracts.map(({ name }) => `(?=[^]*\\b${name}\\b)`).join('')),
    },
    { file: 'cli/main.js', args: ['--version'], exitCode: 0, prints: /^\d+\.\d+\.\d+$/m },
    ...contracts.map(({ name }) => ({ file: 'cli/main.js', args: [name, '--help'], exitCode: 0, prints: new RegExp(name) })),
  ];
}

/** What an action without inputs in an empty folder must complain about: its required inputs, else the configuration file. */
function missing(inputs: Contract['inputs']): string[] {
  const required = Object.keys(inputs).filter((name) => inputs[name]?.required);
  return required.length > 0 ? required : ['slipway.yml'];
}

/** Runs the entry in an empty folder, with nothing but what a runner sets. Returns what is wrong, or undefined. */
export function problemOf(dist: string, { file, args = [], exitCode, prints }: Entry): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-entry-'));
  try {
    const files = Object.fromEntries(
      ['OUTPUT', 'STATE', 'STEP_SUMMARY', 'ENV', 'PATH'].map((name) => [`GITHUB_${name}`, join(folder, name)]),
    );
    for (const path of Object.values(files)) writeFileSync(path, '');
    const runner = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder, RUNNER_TEMP: folder, HOME: folder, ...files };
    const env = file.startsWith('cli/') ? { HOME: folder } : runner;
    const run = spawnSync(node24(), [join(dist, file), ...args], { cwd: folder, env, encoding: 'utf8', timeout: 30_000 });
    const output = `${run.stdout}${run.stderr}`;
    if (run.status !== exitCode) return `ended with ${run.status ?? run.signal}, not ${exitCode}:\n${output.slice(0, 2000)}`;
    if (/^ {4}at /m.test(output)) return `printed a stack trace:\n${output.slice(0, 2000)}`;
    if (/Warning: /.test(run.stderr)) return `printed a warning of Node's own:\n${run.stderr.slice(0, 2000)}`;
    if (prints && !prints.test(output)) return `did not print ${prints}:\n${output.slice(0, 2000)}`;
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
