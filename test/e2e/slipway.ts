import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Result } from '@slipway/core';

/** How one command ended. `code` is null when it was killed. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Absent when the command was killed before it could say. */
  result: Result | undefined;
  log: string;
  seconds: number;
}

/** The committed bundles, or another build of them in `SLIPWAY_DIST`. */
const cli = resolve(process.env.SLIPWAY_DIST ?? 'dist', 'cli', 'main.js');

/** A checkout with a slipway.yml, and the committed bundle run in it as a team would from a shell. */
export class Workspace {
  readonly directory = mkdtempSync(join(tmpdir(), 'slipway-e2e-'));
  private readonly kubeconfig = join(this.directory, 'kubeconfig');

  constructor(config: string, kubeconfig: string) {
    mkdirSync(join(this.directory, '.github'));
    writeFileSync(join(this.directory, '.github', 'slipway.yml'), config);
    writeFileSync(this.kubeconfig, kubeconfig, { mode: 0o600 });
  }

  /** Runs `slipway ARGS --json`. `pidFile` gets the process id, for a fault that kills it. */
  run(args: string[], options: { pidFile?: string; attempt?: number } = {}): Promise<Ended> {
    const started = Date.now();
    const child = spawn(process.execPath, [cli, ...args, '--json'], {
      cwd: this.directory,
      env: {
        PATH: process.env.PATH,
        HOME: this.directory,
        KUBECONFIG: this.kubeconfig,
        // Who holds the lease: a later attempt of the same job takes it over at once.
        GITHUB_REPOSITORY: 'acme/shop',
        GITHUB_RUN_ID: '1',
        GITHUB_RUN_ATTEMPT: String(options.attempt ?? 1),
        GITHUB_JOB: 'production',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (options.pidFile) writeFileSync(options.pidFile, String(child.pid));
    let stdout = '';
    let log = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      log += chunk;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ code, signal, result: lastResult(stdout), log, seconds: (Date.now() - started) / 1000 });
      });
    });
  }
}

function lastResult(stdout: string): Result | undefined {
  const line = stdout.trim().split('\n').at(-1);
  return line?.startsWith('{') ? (JSON.parse(line) as Result) : undefined;
}
