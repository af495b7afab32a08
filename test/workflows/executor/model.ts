import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';

/** A repository whose files a run may use: the caller's own, or one that `uses: owner/name/…@ref` leads to. */
export interface Repository {
  /** `owner/name`. */
  name: string;
  directory: string;
}

/** A workflow file, read and checked. Tokens still hold their expressions: they are evaluated where GitHub would. */
export interface Workflow {
  /** Path inside its repository, e.g. `.github/workflows/release.yml`. */
  path: string;
  repository: Repository;
  name: string;
  /** Events it listens to: `push`, `workflow_call` … */
  events: string[];
  /** `on.workflow_call`. */
  call: CallDefinition;
  /** `on.workflow_dispatch`. */
  dispatch: CallDefinition;
  env: TemplateToken | undefined;
  defaults: TemplateToken | undefined;
  concurrency: TemplateToken | undefined;
  jobs: Map<string, JobDefinition>;
}

export interface CallDefinition {
  inputs: Map<string, InputDefinition>;
  secrets: Map<string, { required: boolean }>;
  outputs: Map<string, TemplateToken>;
}

export interface InputDefinition {
  type: 'string' | 'number' | 'boolean';
  required: boolean;
  default: TemplateToken | undefined;
}

interface JobBase {
  id: string;
  name: TemplateToken | undefined;
  needs: string[];
  if: string;
  strategy: TemplateToken | undefined;
  concurrency: TemplateToken | undefined;
  continueOnError: TemplateToken | undefined;
}

/** A job with steps of its own. */
export interface StepsJob extends JobBase {
  kind: 'steps';
  env: TemplateToken | undefined;
  defaults: TemplateToken | undefined;
  environment: TemplateToken | undefined;
  timeoutMinutes: TemplateToken | undefined;
  outputs: TemplateToken | undefined;
  steps: StepDefinition[];
}

/** A job that calls a reusable workflow. */
export interface CallJob extends JobBase {
  kind: 'call';
  uses: string;
  with: TemplateToken | undefined;
  secrets: TemplateToken | undefined;
}

export type JobDefinition = StepsJob | CallJob;

export interface StepDefinition {
  id: string | undefined;
  name: TemplateToken | undefined;
  if: string;
  env: TemplateToken | undefined;
  continueOnError: TemplateToken | undefined;
  timeoutMinutes: TemplateToken | undefined;
  /** Exactly one of `run` and `uses`. */
  run: TemplateToken | undefined;
  uses: string | undefined;
  with: TemplateToken | undefined;
  shell: TemplateToken | undefined;
  workingDirectory: TemplateToken | undefined;
}

/** What an action.yml says. */
export interface ActionDefinition {
  directory: string;
  repository: Repository;
  inputs: Map<string, { required: boolean; default: TemplateToken | undefined }>;
  outputs: Map<string, TemplateToken | undefined>;
  runs: { using: 'node'; main: string; post: string | undefined; postIf: string } | { using: 'composite'; steps: StepDefinition[] };
}

/** What a finished step, job or run came to. */
export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped';

/** The YAML cannot be run: every reason the parser gives, with file, line and column. */
export class WorkflowError extends Error {
  override readonly name = 'WorkflowError';
}
