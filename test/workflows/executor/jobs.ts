import { inputsOfCall, locateWorkflow, secretsOfCall } from './call.js';
import { type Contexts, child, evaluate, evaluateBoolean, evaluateNumber, evaluateText, isTrue, type Scope } from './evaluate.js';
import { type JobResult, runStepsJob } from './job.js';
import { expandMatrix } from './matrix.js';
import type { CallJob, Conclusion, JobDefinition, Workflow } from './model.js';
import { readWorkflow } from './parse.js';
import type { Run } from './runtime.js';

/** One workflow being run: the top one, or one that a job calls. */
export interface WorkflowCall {
  run: Run;
  workflow: Workflow;
  /** Before the names of its jobs: '' or `release / `. */
  prefix: string;
  /** `github`, `inputs`, `secrets`, `vars`. */
  contexts: Contexts;
  cancel: AbortSignal;
}

export interface WorkflowResult extends JobResult {
  jobs: Map<string, JobResult>;
}

/** Runs every job as soon as those it needs have ended, and gives the conclusion and outputs of the whole. */
export async function runJobs(call: WorkflowCall): Promise<WorkflowResult> {
  const { workflow } = call;
  const started = new Map<string, Promise<JobResult>>();
  const ended = new Map<string, JobResult>();
  const start = (id: string): Promise<JobResult> => {
    const job = workflow.jobs.get(id);
    if (job === undefined) throw new Error(`there is no job ${id}`);
    const running = started.get(id) ?? afterNeeds(job);
    started.set(id, running);
    return running;
  };
  const afterNeeds = async (job: JobDefinition): Promise<JobResult> => {
    await Promise.all(job.needs.map(start));
    const result = await runJob(call, job, ended);
    ended.set(job.id, result);
    return result;
  };
  await Promise.all([...workflow.jobs.keys()].map(start));
  return { conclusion: conclude([...ended.values()]), outputs: outputsOf(call, ended), jobs: ended };
}

async function runJob(call: WorkflowCall, job: JobDefinition, ended: ReadonlyMap<string, JobResult>): Promise<JobResult> {
  const { run, workflow, prefix, cancel } = call;
  const path = `${prefix}${job.id}`;
  const scope: Scope = {
    contexts: { ...call.contexts, needs: needsOf(job, ended) },
    status: jobStatus(ancestorsOf(job, workflow), ended, cancel),
  };
  const finish = (result: JobResult) => {
    run.finished.set(path, result);
    return result;
  };
  const fail = (error: unknown) => {
    const message = run.masks.hide(error instanceof Error ? error.message : String(error));
    run.emit({ type: 'annotation', job: path, step: '', level: 'error', message, properties: {} });
    run.emit({ type: 'job-end', job: path, conclusion: 'failure', outputs: {} });
    return finish({ conclusion: 'failure', outputs: {} });
  };
  try {
    if (!isTrue(job.if, scope)) {
      run.emit({ type: 'job-end', job: path, conclusion: 'skipped', outputs: {} });
      return finish({ conclusion: 'skipped', outputs: {} });
    }
    // A running job is left alone by a cancellation when its `if`, asked again, is still true (`always()`).
    const own = new AbortController();
    const onCancel = () => isTrue(job.if, scope) || own.abort('cancelled');
    if (!cancel.aborted) cancel.addEventListener('abort', onCancel, { once: true });
    return finish(await runLegs(call, job, path, scope, own));
  } catch (error) {
    return fail(error);
  }
}

/** Runs the combinations of the job's matrix, or the one job without. The outputs of the last leg to set them win, as on GitHub. */
async function runLegs(call: WorkflowCall, job: JobDefinition, path: string, scope: Scope, own: AbortController): Promise<JobResult> {
  const matrix = child(job.strategy, 'matrix');
  const legs = expandMatrix(matrix && evaluate(matrix, scope));
  const failFast = evaluateBoolean(child(job.strategy, 'fail-fast'), scope, true);
  const limit = evaluateNumber(child(job.strategy, 'max-parallel'), scope) ?? legs.length;
  const queue = legs.map((values, index) => ({ values, index }));
  const results: JobResult[] = [];
  const worker = async () => {
    for (let leg = queue.shift(); leg !== undefined; leg = queue.shift()) {
      const name = matrix === undefined ? path : `${path} (${Object.values(leg.values).map(legText).join(', ')})`;
      const strategy = { 'fail-fast': failFast, 'job-index': leg.index, 'job-total': legs.length, 'max-parallel': limit };
      const contexts = { ...scope.contexts, matrix: leg.values, strategy };
      const started = !own.signal.aborted;
      const result: JobResult = started ? await runLeg(call, job, name, contexts, own.signal) : { conclusion: 'cancelled', outputs: {} };
      if (!started) call.run.emit({ type: 'job-end', job: name, conclusion: 'cancelled', outputs: {} });
      const forgiven = result.conclusion === 'failure' && evaluateBoolean(job.continueOnError, { contexts }, false);
      if (result.conclusion === 'failure' && !forgiven && failFast) own.abort('fail-fast');
      if (matrix !== undefined) call.run.finished.set(name, result);
      results.push(forgiven ? { ...result, conclusion: 'success' } : result);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, legs.length)) }, worker));
  return { conclusion: conclude(results), outputs: Object.assign({}, ...results.map(({ outputs }) => outputs)) };
}

async function runLeg(call: WorkflowCall, job: JobDefinition, path: string, contexts: Contexts, cancel: AbortSignal): Promise<JobResult> {
  const { run, workflow } = call;
  if (job.kind === 'steps') return runStepsJob({ run, workflow, job, path, contexts, cancel });
  const name = job.name === undefined ? job.id : evaluateText(job.name, { contexts });
  run.emit({ type: 'job-start', job: path, name, steps: [], environment: undefined, concurrency: undefined });
  const result = await runCalled(call, job, path, contexts, cancel);
  run.emit({ type: 'job-end', job: path, ...result });
  return result;
}

async function runCalled(call: WorkflowCall, job: CallJob, path: string, contexts: Contexts, cancel: AbortSignal): Promise<JobResult> {
  const { run, workflow } = call;
  const target = locateWorkflow(job.uses, workflow.repository, run.options);
  const called = await readWorkflow(target.repository, target.path);
  if (!called.events.includes('workflow_call')) throw new Error(`${target.path} cannot be called: it has no \`on: workflow_call\``);
  const inputs = inputsOfCall(called.call, job, { contexts });
  const secrets = secretsOfCall(called.call, job, { contexts });
  const inner = { github: contexts.github, vars: contexts.vars, inputs, secrets };
  const { conclusion, outputs } = await runJobs({ run, workflow: called, prefix: `${path} / `, contexts: inner, cancel });
  return { conclusion, outputs };
}

function outputsOf({ workflow, contexts }: WorkflowCall, ended: ReadonlyMap<string, JobResult>): Record<string, string> {
  const jobs = Object.fromEntries([...ended].map(([id, { conclusion, outputs }]) => [id, { result: conclusion, outputs }]));
  return Object.fromEntries(
    [...workflow.call.outputs].map(([name, token]) => [name, evaluateText(token, { contexts: { ...contexts, jobs } })]),
  );
}

function needsOf(job: JobDefinition, ended: ReadonlyMap<string, JobResult>): Record<string, { result: Conclusion; outputs: object }> {
  return Object.fromEntries(
    job.needs.map((id) => {
      const { conclusion = 'skipped', outputs = {} } = ended.get(id) ?? {};
      return [id, { result: conclusion, outputs }];
    }),
  );
}

/** `success()` and `failure()` of a job look at all its ancestors, not only at what it needs directly. */
function jobStatus(ancestors: ReadonlySet<string>, ended: ReadonlyMap<string, JobResult>, cancel: AbortSignal) {
  const conclusions = () => [...ancestors].map((id) => ended.get(id)?.conclusion);
  return {
    success: () => !cancel.aborted && conclusions().every((conclusion) => conclusion === 'success'),
    failure: () => !cancel.aborted && conclusions().includes('failure'),
    cancelled: () => cancel.aborted,
  };
}

function ancestorsOf(job: JobDefinition, workflow: Workflow, found = new Set<string>()): Set<string> {
  for (const id of job.needs) {
    const parent = workflow.jobs.get(id);
    if (parent === undefined || found.has(id)) continue;
    found.add(id);
    ancestorsOf(parent, workflow, found);
  }
  return found;
}

function conclude(results: readonly JobResult[]): Conclusion {
  const conclusions = results.map(({ conclusion }) => conclusion);
  if (conclusions.includes('failure')) return 'failure';
  if (conclusions.includes('cancelled')) return 'cancelled';
  return conclusions.every((conclusion) => conclusion === 'skipped') ? 'skipped' : 'success';
}

function legText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
