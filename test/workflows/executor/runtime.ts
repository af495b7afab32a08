import type { Grace } from './child-process.js';
import type { Emit, RunEvent } from './events.js';
import type { Masks } from './masking.js';
import type { Conclusion, Repository } from './model.js';

/** Plays a third-party action: its outputs, or a rejection when it fails. Named in `RunOptions.standIns` by `owner/name`. */
export type StandIn = (call: StandInCall) => Promise<Record<string, string> | undefined>;

export interface StandInCall {
  /** As written, with its ref. */
  uses: string;
  inputs: Record<string, string>;
  env: Readonly<Record<string, string>>;
  workspace: string;
  /** The repository that the run belongs to, and the commit it runs for. */
  repository: Repository;
  ref: string;
  sha: string;
  log(text: string): void;
  signal: AbortSignal;
}

export interface RunOptions {
  /** The repository that the run belongs to: what `./` and actions/checkout mean. */
  repository: Repository;
  /** Path of the workflow file in it. */
  workflow: string;
  /** Other repositories by `owner/name`, for `uses: owner/name/…@ref`. The ref is not looked at: the directory is what it is. */
  repositories?: Record<string, Repository>;
  event: { name: string; payload?: Record<string, unknown> };
  /** `refs/tags/v1.4.0`, `refs/heads/main`. */
  ref: string;
  sha: string;
  actor?: string;
  runId?: string;
  runAttempt?: number;
  apiUrl?: string;
  serverUrl?: string;
  /** Inputs of a workflow_dispatch. */
  inputs?: Record<string, unknown>;
  secrets?: Record<string, string>;
  vars?: Record<string, string>;
  token?: string;
  /** What the machine sets for every step. Nothing else is inherited. */
  env?: Record<string, string>;
  standIns?: Record<string, StandIn>;
  /** Node 24, for actions and as `node` on the PATH. */
  node: string;
  /** Where the jobs work; removed by the caller. */
  directory: string;
  onEvent?: (event: RunEvent) => void;
  /** Cancels the run as the button on the website does. */
  signal?: AbortSignal;
  grace?: Grace;
  /** How long a cancelled run may go on before everything is killed, milliseconds; GitHub: 5 minutes. */
  cancelTimeout?: number;
}

/** What all jobs of a run share. */
export interface Run {
  options: RunOptions;
  emit: Emit;
  masks: Masks;
  cancel: AbortSignal;
  kill: AbortSignal;
  grace: Grace;
  /** Conclusions and outputs of finished jobs by their path. */
  finished: Map<string, { conclusion: Conclusion; outputs: Record<string, string> }>;
}

/** One running job. */
export interface JobRuntime {
  run: Run;
  path: string;
  /** The repository of the workflow file: what `$/` means. */
  repository: Repository;
  workspace: string;
  temp: string;
  /** `github`, `needs`, `inputs`, `secrets`, `vars`, `matrix`, `strategy`, `runner`. */
  contexts: Record<string, unknown>;
  /** From the workflow, the job, and what steps wrote to GITHUB_ENV. */
  env: Record<string, string>;
  /** What steps wrote to GITHUB_PATH, latest first. */
  paths: string[];
  cancel: AbortSignal;
  /** Post steps of the actions that ran, run in reverse order. */
  posts: Post[];
  leftovers: Set<number>;
}

export interface Post {
  name: string;
  step: string;
  condition: string;
  run(signal: AbortSignal): Promise<void>;
  frame: Frame;
}

export interface StepRecord {
  outputs: Record<string, string>;
  outcome: Conclusion;
  conclusion: Conclusion;
}

/** A list of steps in progress: a job's, or a composite action's, which has inputs, step ids and a status of its own. */
export interface Frame {
  repository: Repository;
  steps: Record<string, StepRecord>;
  status: 'success' | 'failure' | 'cancelled';
  /** Overrides the job's contexts: `inputs` and `github.action_path` of a composite action. */
  contexts: Record<string, unknown>;
  env: Record<string, string>;
  defaults: { shell: string | undefined; workingDirectory: string | undefined };
  /** Prefix of the places of its steps. */
  place: string;
}
