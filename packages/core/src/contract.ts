import type { Outcome } from './result.js';

/**
 * The kinds of input. Each is parsed from the string that a runner or a shell gives:
 * `duration` (`90s`, `5m`, `1h30m`) to milliseconds; `percent` (`0.5%`, or `0.005`) to a fraction; `list` one item per line or comma.
 */
export interface InputTypes {
  string: string;
  integer: number;
  percent: number;
  duration: number;
  boolean: boolean;
  choice: string;
  list: string[];
  json: unknown;
}

export interface InputSpec {
  kind: keyof InputTypes;
  description: string;
  example: string;
  /** As a user would write it. Absent: the input is `undefined` when not given. */
  default?: string;
  required?: boolean;
  /** For `choice`. */
  values?: readonly string[];
  /** For `integer`, `percent` and `duration` (milliseconds): bounds, both included. */
  min?: number;
  max?: number;
  /** A credential: masked in logs and never printed back in an error. */
  secret?: boolean;
}

export interface OutputSpec {
  description: string;
}

/** One typed table per action: action.yml, the README table, the command's help and parsing are all made from it. */
export interface Contract {
  /** Name of the action and of the command, e.g. `canary-deploy`. */
  name: string;
  /** Which bundle it is built into. */
  family: 'gates' | 'cluster';
  /** One sentence. */
  description: string;
  inputs: Readonly<Record<string, InputSpec>>;
  outputs: Readonly<Record<string, OutputSpec>>;
  /** The closed list of reasons this action ends with, and what each means. */
  reasons: Readonly<Record<string, string>>;
  /** GitHub token permissions and Kubernetes verbs that it needs, for its README. */
  permissions: readonly string[];
  /** Has a `post` step. */
  post?: boolean;
  /**
   * How the CLI names it: other names of the command; inputs that may be given by position; commands of their own that stand for this one with
   * first arguments, e.g. `{ plan: ['plan'] }`.
   */
  cli?: { aliases?: readonly string[]; positionals?: readonly string[]; shortcuts?: Readonly<Record<string, readonly string[]>> };
}

/** `result` and `outcome` are outputs of every action. */
export const commonOutputs = {
  outcome: { description: '`pass`, `fail`, `hold`, `skipped` or `error`.' },
  reason: { description: 'Why, as one of the reason codes listed below.' },
  result: { description: 'The whole result as JSON (`schema`, `action`, `outcome`, `reason`, `summary`, `next`, `details`, …).' },
} as const satisfies Record<string, OutputSpec>;

type InputValue<S extends InputSpec> = S['kind'] extends 'choice'
  ? S extends { values: readonly (infer V extends string)[] }
    ? V
    : string
  : InputTypes[S['kind']];

/** The parsed inputs of a contract: required or defaulted ones are always there, others may be `undefined`. */
export type Inputs<C extends Contract> = {
  -readonly [K in keyof C['inputs']]: C['inputs'][K] extends { required: true } | { default: string }
    ? InputValue<C['inputs'][K]>
    : InputValue<C['inputs'][K]> | undefined;
};

/** Declares a contract; keeps the literal types so that `Inputs<typeof x>` is exact. */
export function defineContract<const C extends Contract>(contract: C): C {
  return contract;
}

/** What a handler returns; the runner part adds action name and times and turns it into the Result. */
export interface Ending<C extends Contract> {
  outcome: Outcome;
  reason: keyof C['reasons'] & string;
  summary: string;
  next?: string[];
  details?: Record<string, unknown>;
  /** Values of the contract's own outputs (strings as they are, everything else as JSON). */
  outputs?: { [K in keyof C['outputs']]?: string | number | boolean | object };
  /** Markdown for the job summary, below the standard head (outcome, sentence, next). */
  report?: string;
  /** What the CLI prints with `--json` in place of the result (e.g. one line per replayed trace). */
  stdout?: string;
}
