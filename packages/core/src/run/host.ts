import { hostname, userInfo } from 'node:os';
import type { SignalSource } from '../cancellation.js';
import { type Clock, systemClock } from '../clock.js';

/** The process that an action runs in, as a port. */
export interface Host {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  clock: Clock;
  signals: SignalSource;
  stdout: OutputStream;
  stderr: OutputStream;
  /** `user@host/pid`. */
  identity: string;
  /** Ends the process; nothing after it is run. */
  exit(code: number): void;
}

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done?: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export function processHost(): Host {
  return {
    env: process.env,
    cwd: workingDirectory(),
    clock: systemClock,
    signals: process,
    stdout: process.stdout,
    stderr: process.stderr,
    identity: `${userName()}@${hostname()}/${process.pid}`,
    exit: (code) => process.exit(code),
  };
}

/**
 * Ends the process with `code` when all that was written has left it. It does end: a connection that is kept alive, or a timer left
 * behind, does not hold it.
 */
export async function endProcess(host: Host, code: number): Promise<void> {
  await Promise.all([flush(host.stdout), flush(host.stderr)]);
  host.exit(code);
}

/** A reader that went away (`slipway … | head -1`) is no failure of the command. */
export function ignoreBrokenPipes(host: Host): void {
  for (const stream of [host.stdout, host.stderr]) stream.on('error', () => {});
}

function flush(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/** Nothing can be resolved without it, not even where to report to: the one failure that is told before a log is there. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    process.stderr.write('slipway: the working directory does not exist any more; change into one that does and run this again\n');
    return process.exit(2);
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return 'unknown';
  }
}
