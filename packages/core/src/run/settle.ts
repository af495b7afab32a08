import { CancelledError, isCancellation } from '../cancellation.js';
import type { Context, Handler } from '../context.js';
import type { Contract, Ending } from '../contract.js';
import { OperationError, type Problem, UsageError } from '../errors.js';
import { parseInputs, type RawInputs } from '../inputs.js';
import { describeProblem } from '../problems.js';
import type { Result } from '../result.js';

/** How a run ended. `error` is what was thrown, `ending` what the handler returned: one of them is there. */
export interface Settled {
  result: Result;
  ending?: Ending<Contract>;
  error?: unknown;
}

/** Reasons that every action can end with, beside those of its contract. */
export const commonReasons = {
  USAGE: 'An input, an option or slipway.yml is wrong; every problem is listed. Nothing was done.',
  CANCELLED: 'The run was cancelled before it came to a decision.',
  DEFECT: 'Slipway itself failed; the log has the stack.',
} as const;

/**
 * Parses the inputs and runs the handler. Never rejects: whatever happens becomes a result. `wordProblem` puts a problem into the words of
 * the place where the user gave the inputs.
 */
export async function settle<C extends Contract>(
  contract: C,
  handler: Handler<C>,
  raw: RawInputs,
  context: Context,
  wordProblem: (problem: Problem) => Problem = (problem) => problem,
): Promise<Settled> {
  const startedAt = context.clock.now();
  const settled = await attempt(contract, handler, raw, context, wordProblem);
  const times = { startedAt: new Date(startedAt).toISOString(), finishedAt: new Date(context.clock.now()).toISOString() };
  const { outcome, reason, summary, next = [], details = {} } = settled.ending;
  const result: Result = { schema: 1, action: contract.name, outcome, reason, summary, next, details, ...times };
  return 'error' in settled ? { result, error: settled.error } : { result, ending: settled.ending };
}

type Attempt = { ending: Ending<Contract> } | { ending: Ending<Contract>; error: unknown };

async function attempt<C extends Contract>(
  contract: C,
  handler: Handler<C>,
  raw: RawInputs,
  context: Context,
  wordProblem: (problem: Problem) => Problem,
): Promise<Attempt> {
  try {
    return { ending: (await handler(parseInputs(contract, raw), context)) as Ending<Contract> };
  } catch (thrown) {
    const error = thrown instanceof UsageError ? new UsageError(thrown.problems.map(wordProblem), { cause: thrown.cause }) : thrown;
    return { ending: endingOf(error, context.signal), error };
  }
}

function endingOf(error: unknown, signal: AbortSignal): Ending<Contract> {
  if (isCancellation(error, signal)) return cancelled(signal);
  if (error instanceof UsageError) return misused(error.problems);
  if (error instanceof OperationError) {
    const { reason, message, next, details } = error;
    return { outcome: 'fail', reason, summary: message, next: [...next], details: { ...details } };
  }
  return {
    outcome: 'error',
    reason: 'DEFECT',
    summary: `Slipway failed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    next: ['This is a defect of Slipway, not of your release: report it with the stack in the log.'],
  };
}

function cancelled(signal: AbortSignal): Ending<Contract> {
  const by = signal.reason instanceof CancelledError ? ` by ${signal.reason.signal}` : '';
  return { outcome: 'error', reason: 'CANCELLED', summary: `The run was cancelled${by} before it came to a decision.` };
}

function misused(problems: readonly Problem[]): Ending<Contract> {
  const sentences = problems.map(describeProblem);
  const summary = sentences.length === 1 ? (sentences[0] ?? '') : `${sentences.length} problems: ${sentences.join('; ')}`;
  return { outcome: 'error', reason: 'USAGE', summary, next: problems.map(advice), details: { problems } };
}

function advice({ where, file, allowed, example }: Problem): string {
  const place = file === undefined ? where : where === '' ? file : `${where} in ${file}`;
  if (example !== undefined) return `Correct ${place}, e.g. ${example}`;
  return allowed === undefined ? `Correct ${place}` : `Correct ${place}: ${allowed}`;
}
