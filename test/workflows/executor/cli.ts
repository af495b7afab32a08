import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { node24, root } from '../../../scripts/node24.mjs';
import type { RunEvent } from './events.js';
import { runWorkflow } from './run.js';
import { createStandIns } from './stand-ins.js';

const usage = `Runs a workflow file on this machine, with GitHub's own parser and expressions.

  node scripts/run-ts.mjs test/workflows/executor/cli.ts FILE [options]

  --repository DIR   the repository that FILE belongs to (default: the git repository around FILE)
  --event NAME       push (default), workflow_dispatch …
  --ref REF          default refs/heads/main
  --input NAME=VALUE, --secret NAME=VALUE, --env NAME=VALUE   may be repeated
  --json             one event a line
  --help             this

The environment of steps is empty but for --env. GITHUB_API_URL and GITHUB_REPOSITORY in it, and the secret GITHUB_TOKEN, are those of
the run, for a GitHub API of your own. slipway/slipway/…@REF is this clone, whatever REF is.`;

/** Exit 0: the run succeeded; 1: it did not; 2: FILE cannot be run. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      repository: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      event: { type: 'string', default: 'push' },
      ref: { type: 'string', default: 'refs/heads/main' },
      input: { type: 'string', multiple: true, default: [] },
      secret: { type: 'string', multiple: true, default: [] },
      env: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (file === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const env = named(values.env);
  const secrets = named(values.secret);
  const { workflow, home } = locate(file, values.repository);
  const repository = { name: env.GITHUB_REPOSITORY ?? 'local/repository', directory: home };
  const directory = mkdtempSync(join(tmpdir(), 'workflow-'));
  const cancel = new AbortController();
  process.once('SIGINT', () => cancel.abort('SIGINT'));
  try {
    const { conclusion } = await runWorkflow({
      repository,
      workflow,
      repositories: { 'slipway/slipway': { name: 'slipway/slipway', directory: root } },
      event: { name: values.event },
      ref: values.ref,
      sha: execFileSync('git', ['-C', repository.directory, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
      inputs: named(values.input),
      secrets,
      env,
      ...(env.GITHUB_API_URL ? { apiUrl: env.GITHUB_API_URL } : {}),
      ...(secrets.GITHUB_TOKEN ? { token: secrets.GITHUB_TOKEN } : {}),
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

/** FILE is relative to the working directory; its repository is the one around it, unless it is named. */
function locate(file: string, repository: string | undefined): { workflow: string; home: string } {
  const path = resolve(file);
  if (!existsSync(path)) throw new Error(`there is no file ${path}`);
  const home = realpathSync(repository ?? repositoryAround(path));
  const workflow = relative(home, realpathSync(path));
  if (workflow.startsWith('..')) throw new Error(`${path} is not in the repository ${home}: name its own with --repository`);
  return { workflow, home };
}

function repositoryAround(path: string): string {
  try {
    return execFileSync('git', ['-C', dirname(path), 'rev-parse', '--show-toplevel'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch (cause) {
    throw new Error(`${path} is in no git repository: name the one it belongs to with --repository`, { cause });
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
