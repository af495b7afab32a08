import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killGroup } from './child-process.js';
import { type Contexts, child, evaluate, evaluateNumber, evaluateText, evaluateTexts, pairs } from './evaluate.js';
import type { JobStart } from './events.js';
import type { Conclusion, StepsJob, Workflow } from './model.js';
import type { Frame, JobRuntime, Post, Run } from './runtime.js';
import { messageOf, reportError, runSteps, scopeOf, withSignal } from './step.js';
import { runPosts } from './uses.js';

export interface JobCall {
  run: Run;
  workflow: Workflow;
  job: StepsJob;
  path: string;
  /** `github`, `needs`, `inputs`, `secrets`, `vars`, `matrix`, `strategy`. */
  contexts: Contexts;
  cancel: AbortSignal;
}

export interface JobResult {
  conclusion: Conclusion;
  outputs: Record<string, string>;
}

/** Runs one job with steps on a machine of its own: a fresh workspace, temp and home, and an environment built from nothing. */
export async function runStepsJob(call: JobCall): Promise<JobResult> {
  const { run, job, path } = call;
  const limit = new AbortController();
  const runtime = prepare(call, AbortSignal.any([call.cancel, limit.signal]));
  const frame = frameOf(call, runtime);
  run.emit(startOf(call, runtime));
  const minutes = evaluateNumber(job.timeoutMinutes, { contexts: runtime.contexts }) ?? 360;
  const timer = setTimeout(() => {
    reportError(run.emit, runtime, '', `The job has exceeded the maximum execution time of ${minutes} minutes.`);
    limit.abort('timeout');
  }, minutes * 60_000);
  try {
    runtime.env = environmentOf(call, runtime);
    await runSteps(runtime, frame, job.steps);
    const well = await runPosts(runtime, (post) => runPost(runtime, post));
    if (!well && frame.status === 'success') frame.status = 'failure';
  } finally {
    clearTimeout(timer);
    for (const group of runtime.leftovers) killGroup(group);
  }
  const conclusion = runtime.cancel.aborted && frame.status === 'success' ? 'cancelled' : frame.status;
  const outputs = outputsOf(call, runtime, frame);
  run.emit({ type: 'job-end', job: path, conclusion, outputs });
  return { conclusion, outputs };
}

function prepare({ run, workflow, path, contexts }: JobCall, signal: AbortSignal): JobRuntime {
  const machine = mkdtempSync(join(run.options.directory, 'job-'));
  const name = run.options.repository.name.split('/')[1] ?? 'repository';
  const workspace = join(machine, 'work', name, name);
  const temp = join(machine, 'temp');
  for (const directory of [workspace, join(temp, 'home'), join(temp, 'tools'), join(temp, 'cache')])
    mkdirSync(directory, { recursive: true });
  symlinkSync(run.options.node, join(temp, 'tools', 'node'));
  const github = contexts.github as Record<string, unknown>;
  const eventPath = join(temp, 'event.json');
  writeFileSync(eventPath, JSON.stringify(github.event));
  const id = path.split(' / ').at(-1);
  return {
    run,
    path,
    repository: workflow.repository,
    workspace,
    temp,
    contexts: {
      ...contexts,
      github: { ...github, job: id, workspace, event_path: eventPath, token: run.options.token ?? '' },
      runner: { os: 'Linux', arch: 'X64', name: 'executor', environment: 'self-hosted', temp, tool_cache: join(temp, 'cache') },
    },
    env: {},
    paths: [],
    cancel: signal,
    posts: [],
    leftovers: new Set(),
  };
}

function environmentOf({ workflow, job }: JobCall, runtime: JobRuntime): Record<string, string> {
  const fromWorkflow = evaluateTexts(workflow.env, { contexts: runtime.contexts });
  const contexts = { ...runtime.contexts, env: fromWorkflow };
  return { ...fromWorkflow, ...evaluateTexts(job.env, { contexts }) };
}

function frameOf({ workflow, job }: JobCall, runtime: JobRuntime): Frame {
  const setting = (key: string) => {
    const token = child(job.defaults, 'run', key) ?? child(workflow.defaults, 'run', key);
    return token === undefined ? undefined : evaluateText(token, { contexts: runtime.contexts });
  };
  return {
    repository: workflow.repository,
    steps: {},
    status: 'success',
    contexts: {},
    env: {},
    defaults: { shell: setting('shell'), workingDirectory: setting('working-directory') },
    place: '',
  };
}

function startOf({ job, path }: JobCall, runtime: JobRuntime): JobStart {
  const scope = { contexts: runtime.contexts };
  const environment = job.environment && evaluate(job.environment, scope);
  const concurrency = job.concurrency && evaluate(job.concurrency, scope);
  return {
    type: 'job-start',
    job: path,
    name: job.name === undefined ? job.id : evaluateText(job.name, scope),
    steps: job.steps.map((step) => step.name?.toString() ?? step.uses ?? String(step.run)),
    environment: typeof environment === 'object' ? String((environment as { name?: unknown }).name) : (environment as string | undefined),
    concurrency: concurrencyOf(concurrency),
  };
}

/** The group of a job or workflow; that only one of a group runs at a time is GitHub's part and not played here. */
function concurrencyOf(value: unknown): JobStart['concurrency'] {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') return { group: String(value), cancelInProgress: false };
  const { group, 'cancel-in-progress': cancelInProgress } = value as Record<string, unknown>;
  return { group: String(group), cancelInProgress: cancelInProgress === true };
}

async function runPost(runtime: JobRuntime, post: Post): Promise<boolean> {
  const place = { job: runtime.path, step: post.step };
  runtime.run.emit({ type: 'step-start', ...place, name: post.name });
  const report = (message: string) => reportError(runtime.run.emit, runtime, post.step, message);
  // A post step that was told to run always is not interrupted by the cancellation that it cleans up after.
  const outcome = await withSignal(runtime, () => true, undefined, post.run, report);
  runtime.run.emit({ type: 'step-end', ...place, name: post.name, outcome, conclusion: outcome });
  return outcome === 'success';
}

/** Outputs that hold a secret are dropped, as GitHub does. */
function outputsOf({ run, job, path }: JobCall, runtime: JobRuntime, frame: Frame): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [name, token] of pairs(job.outputs)) {
    try {
      const value = evaluateText(token, scopeOf(runtime, frame));
      if (run.masks.holds(value)) {
        const message = `Skip output '${name}' since it may contain secret.`;
        run.emit({ type: 'annotation', job: path, step: '', level: 'warning', message, properties: {} });
      } else outputs[name] = value;
    } catch (error) {
      reportError(run.emit, runtime, '', `output ${name}: ${messageOf(error)}`);
    }
  }
  return outputs;
}
