import {
  type Contexts,
  evaluateBoolean,
  evaluateNumber,
  evaluateText,
  evaluateTexts,
  isTrue,
  type Scope,
  type Status,
} from './evaluate.js';
import type { Emit } from './events.js';
import type { Conclusion, StepDefinition } from './model.js';
import { runScript } from './run-script.js';
import type { Frame, JobRuntime } from './runtime.js';
import { runUses } from './uses.js';

/** What running a step needs to know of it, besides the job. */
export interface StepRun {
  job: JobRuntime;
  frame: Frame;
  step: StepDefinition;
  /** Its place in the job, e.g. `3` or `3.0`. */
  place: string;
  name: string;
  /** The whole environment that the workflow gives it: workflow, job, GITHUB_ENV, frame and step. */
  env: Record<string, string>;
  scope: Scope;
  signal: AbortSignal;
  outputs: Record<string, string>;
}

/** Runs the steps of a job or composite action in order; each looks at its own `if`. */
export async function runSteps(job: JobRuntime, frame: Frame, steps: readonly StepDefinition[]): Promise<void> {
  for (const [index, step] of steps.entries()) await runStep(job, frame, step, `${frame.place}${index}`);
}

async function runStep(job: JobRuntime, frame: Frame, step: StepDefinition, place: string): Promise<void> {
  const scope = scopeOf(job, frame);
  const name = nameOf(step, scope);
  const record = (outcome: Conclusion, conclusion: Conclusion, outputs: Record<string, string>) => {
    if (step.id !== undefined) frame.steps[step.id] = { outputs, outcome, conclusion };
    if (conclusion === 'failure' && frame.status === 'success') frame.status = 'failure';
    if (conclusion === 'cancelled') frame.status = 'cancelled';
    job.run.emit({ type: 'step-end', job: job.path, step: place, name, outcome, conclusion });
  };
  const outputs: Record<string, string> = {};
  try {
    const env = { ...job.env, ...frame.env, ...evaluateTexts(step.env, scope) };
    const withEnv: Scope = { ...scope, contexts: { ...scope.contexts, env } };
    if (!isTrue(step.if, withEnv)) return record('skipped', 'skipped', outputs);
    job.run.emit({ type: 'step-start', job: job.path, step: place, name });
    const limit = evaluateNumber(step.timeoutMinutes, withEnv);
    const outcome = await withSignal(
      job,
      () => isTrue(step.if, withEnv),
      limit,
      async (signal) => {
        const stepRun: StepRun = { job, frame, step, place, name, env, scope: withEnv, signal, outputs };
        await (step.run === undefined ? runUses(stepRun) : runScript(stepRun));
      },
      (message) => reportError(job.run.emit, job, place, message),
    );
    const forgiven = outcome === 'failure' && evaluateBoolean(step.continueOnError, withEnv, false);
    record(outcome, forgiven ? 'success' : outcome, outputs);
  } catch (error) {
    reportError(job.run.emit, job, place, messageOf(error));
    record('failure', 'failure', outputs);
  }
}

/**
 * Runs `body` with the signal that cancels it. A cancelled job interrupts a step only when the step's `if`, asked again, is false:
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation
 */
export async function withSignal(
  job: JobRuntime,
  mayStay: () => boolean,
  limitMinutes: number | undefined,
  body: (signal: AbortSignal) => Promise<void>,
  onError: (message: string) => void,
): Promise<Conclusion> {
  const controller = new AbortController();
  const startedCancelled = job.cancel.aborted;
  const onCancel = () => {
    if (!mayStay()) controller.abort('cancelled');
  };
  if (!startedCancelled) job.cancel.addEventListener('abort', onCancel);
  const timer = limitMinutes === undefined ? undefined : setTimeout(() => controller.abort('timeout'), limitMinutes * 60_000);
  try {
    await body(controller.signal);
    return controller.signal.aborted ? stopped(controller.signal, limitMinutes, onError) : 'success';
  } catch (error) {
    if (controller.signal.aborted) return stopped(controller.signal, limitMinutes, onError);
    onError(messageOf(error));
    return 'failure';
  } finally {
    clearTimeout(timer);
    job.cancel.removeEventListener('abort', onCancel);
  }
}

function stopped(signal: AbortSignal, limitMinutes: number | undefined, onError: (message: string) => void): Conclusion {
  if (signal.reason === 'timeout') {
    onError(`The step has timed out after ${limitMinutes} minutes.`);
    return 'failure';
  }
  onError('The operation was canceled.');
  return 'cancelled';
}

/** The contexts and status functions of a place between steps. */
export function scopeOf(job: JobRuntime, frame: Frame): Scope {
  const contexts: Contexts = {
    ...job.contexts,
    ...frame.contexts,
    env: { ...job.env, ...frame.env },
    steps: frame.steps,
    job: { status: statusOf(job, frame) },
  };
  const status: Status = {
    success: () => statusOf(job, frame) === 'success',
    failure: () => statusOf(job, frame) === 'failure',
    cancelled: () => statusOf(job, frame) === 'cancelled',
  };
  return { contexts, status };
}

/** A job that is being cancelled says so to its remaining steps, even when the step that ran meanwhile ended well. */
function statusOf(job: JobRuntime, frame: Frame): Frame['status'] {
  return job.cancel.aborted ? 'cancelled' : frame.status;
}

export function reportError(emit: Emit, job: JobRuntime, step: string, message: string): void {
  emit({ type: 'annotation', job: job.path, step, level: 'error', message: job.run.masks.hide(message), properties: {} });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nameOf(step: StepDefinition, scope: Scope): string {
  if (step.name !== undefined) {
    try {
      return evaluateText(step.name, scope);
    } catch {
      return step.name.toString();
    }
  }
  return step.uses === undefined ? `Run ${step.run?.toString().trim().split('\n')[0] ?? ''}` : `Run ${step.uses}`;
}
