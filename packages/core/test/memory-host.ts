import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../src/index.js';
import type { Host, OutputStream } from '../src/run/host.js';

/** A process that only remembers: what was written, and the code it ended with. */
export class MemoryHost implements Host {
  env: Record<string, string | undefined>;
  cwd = '/repository';
  identity = 'dev@laptop/1';
  clock: Clock = fixedClock();
  signals = new EventEmitter();
  out = '';
  err = '';
  exitCode: number | undefined;
  stdout: OutputStream;
  stderr: OutputStream;

  constructor(env: Record<string, string | undefined> = {}) {
    this.env = env;
    this.stdout = memoryStream((text) => {
      this.out += text;
    });
    this.stderr = memoryStream((text) => {
      this.err += text;
    });
  }

  exit(code: number): void {
    this.exitCode ??= code;
  }
}

export function memoryStream(take: (text: string) => void): OutputStream {
  return {
    write(text, done) {
      take(text);
      done?.();
      return true;
    },
    on: () => undefined,
  };
}

/** Moves on by itself when somebody sleeps. */
export function fixedClock(start = Date.parse('2026-11-22T10:00:00Z')): Clock & { slept: number[] } {
  let now = start;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

/** The runner's files for one step. */
export function runnerFiles() {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-core-'));
  const file = (name: string) => {
    const path = join(directory, name);
    writeFileSync(path, '');
    return path;
  };
  const env = { GITHUB_OUTPUT: file('output'), GITHUB_STATE: file('state'), GITHUB_STEP_SUMMARY: file('summary') };
  return {
    env,
    directory,
    read: (name: keyof typeof env) => readFileSync(env[name], 'utf8'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Reads heredocs as the runner does; anything else in the file is an error. */
export function parseHeredocs(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split('\n');
  for (let index = 0; index < lines.length - 1; index++) {
    const [, name, delimiter] = /^(.+?)<<(.+)$/.exec(lines[index] ?? '') ?? [];
    if (name === undefined || delimiter === undefined) throw new Error(`not a heredoc: ${lines[index]}`);
    const end = lines.indexOf(delimiter, index + 1);
    if (end < 0) throw new Error(`no end of ${name}`);
    values[name] = lines.slice(index + 1, end).join('\n');
    index = end;
  }
  return values;
}
