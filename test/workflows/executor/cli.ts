import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { node24, root } from '../../../scripts/node24.mjs';
import type { RunEvent } from './events.js';
import { runWorkflow } from './run.js';
import { createStandIns } from './stand-ins.js';

const usage = `Runs a workflow file on this machine, with GitHub's own parser and expressions.

  node scripts/run-ts.mjs test/workflows/executor/cli.ts FILE [options]

  --repository DIR   the repository that FILE belongs to (default: this directory)
  --event NAME       push (default), workflow_dispatch …
  --ref REF          default refs/heads/main
  --input NAME=VALUE, --secret NAME=VALUE, --env NAME=VALUE   may be repeated
  --json             one event a line`;

/** Exit 0: the run succeeded; 1: it did not; 2: FILE cannot be run. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      repository: { type: 'string', default: '.' },
      event: { type: 'string', default: 'push' },
      ref: { type: 'string', default: 'refs/heads/main' },
      input: { type: 'string', multiple: true, default: [] },
      secret: { type: 'string', multiple: true, default: [] },
      env: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  if (file === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const repository = { name: 'local/repository', directory: resolve(values.repository) };
  const directory = mkdtempSync(join(tmpdir(), 'workflow-'));
  const cancel = new AbortController();
  process.once('SIGINT', () => cancel.abort('SIGINT'));
  try {
    const { conclusion } = await runWorkflow({
      repository,
      workflow: relative(repository.directory, resolve(file)),
      repositories: { 'slipway/slipway': { name: 'slipway/slipway', directory: root } },
      event: { name: values.event },
      ref: values.ref,
      sha: execFileSync('git', ['-C', repository.directory, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
      inputs: named(values.input),
      secrets: named(values.secret),
      env: named(values.env),
      node: node24(),
      directory,
      standIns: createStandIns(),
      signal: cancel.signal,
      onEvent: values.json ? (event) => process.stdout.write(`${JSON.stringify(event)}\n`) : print,
    });
    return conclusion === 'success' ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function named(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(items.map((item) => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)]));
}

function print(event: RunEvent): void {
  const text = describe(event);
  if (text !== undefined) process.stdout.write(`${text}\n`);
}

function describe(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'step-start':
      return `${event.job}: ▶ ${event.name}`;
    case 'line':
      return `${event.job}:   ${event.text}`;
    case 'annotation':
      return `${event.job}: ${event.level}: ${event.message}`;
    case 'step-end':
      return event.outcome === 'success' ? undefined : `${event.job}: ${event.name}: ${event.outcome}`;
    case 'job-end':
    case 'run-end':
      return `${event.type === 'job-end' ? event.job : 'run'}: ${event.conclusion}`;
    default:
      return undefined;
  }
}

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  return 2;
});
