import { coerceInputs } from './call.js';
import { runnerGrace } from './child-process.js';
import type { Emit } from './events.js';
import { runJobs } from './jobs.js';
import { createMasks } from './masking.js';
import { type Conclusion, type Workflow, WorkflowError } from './model.js';
import { readWorkflow } from './parse.js';
import type { Run, RunOptions } from './runtime.js';

export interface RunResult {
  conclusion: Conclusion;
  /** Every job by its path, e.g. `release / production`; skipped ones too. */
  jobs: Map<string, { conclusion: Conclusion; outputs: Record<string, string> }>;
}

const fiveMinutes = 5 * 60_000;

/**
 * Runs a workflow file as GitHub would, job by job, on this machine. Resolves also when jobs fail; throws a WorkflowError for YAML
 * that GitHub would refuse and for an event that does not start it.
 */
export async function runWorkflow(options: RunOptions): Promise<RunResult> {
  const workflow = await readWorkflow(options.repository, options.workflow);
  if (!workflow.events.includes(options.event.name)) {
    throw new WorkflowError(`${options.workflow} is not started by ${options.event.name}, only by ${workflow.events.join(', ')}`);
  }
  const emit: Emit = (event) => options.onEvent?.({ ...event, at: Date.now() });
  const secrets = { ...options.secrets, GITHUB_TOKEN: options.token ?? '' };
  const cancel = options.signal ?? new AbortController().signal;
  const kill = new AbortController();
  let killTimer: NodeJS.Timeout | undefined;
  const onCancel = () => {
    killTimer = setTimeout(() => kill.abort('cancel timeout'), options.cancelTimeout ?? fiveMinutes);
  };
  cancel.addEventListener('abort', onCancel, { once: true });
  const grace = options.grace ?? runnerGrace;
  const run: Run = { options, emit, masks: createMasks(Object.values(secrets)), cancel, kill: kill.signal, grace, finished: new Map() };
  emit({ type: 'run-start', workflow: workflow.name });
  try {
    const github = githubOf(options, workflow);
    const given = new Map(Object.entries(options.inputs ?? {}));
    const inputs = options.event.name === 'workflow_dispatch' ? coerceInputs(workflow.dispatch, given, options.workflow, { github }) : {};
    const contexts = { github, inputs, secrets, vars: options.vars ?? {} };
    const { conclusion } = await runJobs({ run, workflow, prefix: '', contexts, cancel });
    emit({ type: 'run-end', conclusion });
    return { conclusion, jobs: run.finished };
  } finally {
    clearTimeout(killTimer);
    cancel.removeEventListener('abort', onCancel);
  }
}

/** https://docs.github.com/actions/reference/workflows-and-actions/contexts#github-context */
function githubOf(options: RunOptions, workflow: Workflow): Record<string, unknown> {
  const { repository, ref, sha, actor = 'octocat', runId = '1', runAttempt = 1 } = options;
  const [owner = ''] = repository.name.split('/');
  return {
    actor,
    triggering_actor: actor,
    api_url: options.apiUrl ?? 'https://api.github.com',
    server_url: options.serverUrl ?? 'https://github.com',
    graphql_url: `${options.apiUrl ?? 'https://api.github.com'}/graphql`,
    base_ref: '',
    head_ref: '',
    event: { repository: { full_name: repository.name }, ...options.event.payload },
    event_name: options.event.name,
    ref,
    ref_name: ref.replace(/^refs\/(heads|tags)\//, ''),
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    ref_protected: false,
    repository: repository.name,
    repository_owner: owner,
    run_id: runId,
    run_number: '1',
    run_attempt: String(runAttempt),
    sha,
    workflow: workflow.name,
    workflow_ref: `${repository.name}/${options.workflow}@${ref}`,
    workflow_sha: sha,
  };
}
