import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** How long a cancelled process may go on, milliseconds: GitHub's runner gives 7.5 s after SIGINT and 2.5 s after SIGTERM. */
export interface Grace {
  interrupt: number;
  terminate: number;
}

export const runnerGrace: Grace = { interrupt: 7_500, terminate: 2_500 };

export interface ProcessOptions {
  cwd: string;
  env: Record<string, string>;
  onLine(text: string, stream: 'stdout' | 'stderr'): void;
  /** Aborted: SIGINT, then SIGTERM, then SIGKILL. */
  cancel: AbortSignal;
  /** Aborted: SIGKILL. */
  kill: AbortSignal;
  grace: Grace;
  /** Takes the process group when the program left something running behind: killed with the job, as on a runner. */
  leftovers: Set<number>;
}

/** Runs a program to its end and resolves with its exit code (128 + n for signal n); rejects when it cannot be started. */
export async function runProcess(command: string, args: readonly string[], options: ProcessOptions): Promise<number> {
  // A group of its own: the terminal's Ctrl-C must reach the run, which then decides, and whatever is left over can be killed whole.
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const timers: NodeJS.Timeout[] = [];
  const later = (ms: number, action: () => void) => timers.push(setTimeout(action, ms));
  const onKill = () => child.pid !== undefined && killGroup(child.pid);
  const onCancel = () => {
    child.kill('SIGINT');
    later(options.grace.interrupt, () => child.kill('SIGTERM'));
    later(options.grace.interrupt + options.grace.terminate, onKill);
  };
  listen(options.cancel, onCancel);
  listen(options.kill, onKill);
  try {
    const read = [readLines(child.stdout, 'stdout', options.onLine), readLines(child.stderr, 'stderr', options.onLine)];
    const code = await exitOf(child);
    // A background process may hold the pipes open for ever; what it prints after the step's own end is not waited for.
    await Promise.race([Promise.all(read), new Promise((resolve) => later(500, () => resolve(undefined)))]);
    return code;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    options.cancel.removeEventListener('abort', onCancel);
    options.kill.removeEventListener('abort', onKill);
    if (child.pid !== undefined && isGroupAlive(child.pid)) options.leftovers.add(child.pid);
  }
}

function listen(signal: AbortSignal, action: () => void): void {
  if (signal.aborted) action();
  else signal.addEventListener('abort', action, { once: true });
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

async function readLines(stream: Readable, name: 'stdout' | 'stderr', onLine: ProcessOptions['onLine']): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) onLine(line, name);
}

export function killGroup(group: number): void {
  if (isGroupAlive(group)) process.kill(-group, 'SIGKILL');
}

function isGroupAlive(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}
