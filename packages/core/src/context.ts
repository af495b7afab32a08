import type { Clock } from './clock.js';
import type { Contract, Ending, Inputs } from './contract.js';
import type { Problem } from './errors.js';

/** Prints to the runner's log or the terminal. Whatever it is given cannot make the runner issue a command. */
export interface Log {
  debug(text: string): void;
  info(text: string): void;
  notice(text: string, at?: Location): void;
  warning(text: string, at?: Location): void;
  error(text: string, at?: Location): void;
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
}

export interface Location {
  file?: string;
  line?: number;
  column?: number;
  title?: string;
}

/** Everything a handler may know of the process it runs in. */
export interface Context {
  log: Log;
  clock: Clock;
  /** Aborts on SIGINT or SIGTERM. */
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Link to this run, or undefined outside GitHub Actions. */
  runUrl: string | undefined;
  /** `owner/repo/run_id/attempt/job`, or `user@host/pid` outside: who holds a lease. */
  holder: string;
  /** Values carried from main to post (runner state). */
  state: { get(name: string): string | undefined; set(name: string, value: string): void };
  /** Hides the value in every later line of the log. Never mask what must travel in an output. */
  mask(value: string): void;
  /** Prints progress for people: one line, repeated lines replace each other in a terminal. */
  progress(text: string): void;
}

export type Handler<C extends Contract> = (inputs: Inputs<C>, context: Context) => Promise<Ending<C>>;

/** An action: its contract and what it does. `post` runs after the job's steps, also after a cancellation. */
export interface Action<C extends Contract = Contract> {
  contract: C;
  main: Handler<C>;
  post?: Handler<C>;
}

/** Throw as `new UsageError(problems)`. */
export type { Problem };
