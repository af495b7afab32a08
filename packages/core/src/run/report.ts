import type { Location } from '../context.js';
import type { Contract, Ending } from '../contract.js';
import { type Problem, UsageError } from '../errors.js';
import { mdText } from '../markdown.js';
import { problemSentence } from '../problems.js';
import type { Outcome, Result } from '../result.js';
import type { AnnotationKind } from '../runner/annotations.js';
import type { RunLog } from '../runner/log.js';
import { safeJson } from '../runner/safe-text.js';
import type { Settled } from './settle.js';

/** GitHub takes 1 MiB of outputs per job: a result larger than this goes without its details. */
const resultLimit = 256 * 1024;

const icons: Readonly<Record<Outcome, string>> = { pass: '✅', fail: '❌', hold: '⏸️', skipped: '⏭️', error: '⚠️' };

/** The job summary: what was decided, why, what next, then the action's own report. */
export function summaryMarkdown(result: Result, report: string | undefined): string {
  const parts = [
    `### ${icons[result.outcome]} ${mdText(result.action)}: ${result.outcome} (${mdText(result.reason)})`,
    mdText(result.summary),
    nextMarkdown(result.next),
    report?.trim(),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function nextMarkdown(next: readonly string[]): string {
  return next.length === 0 ? '' : `**Next**\n\n${next.map((step) => `- ${mdText(step)}`).join('\n')}`;
}

/** The outputs as strings: the common three, and those of its contract that the action gave. */
export function outputValues(contract: Contract, { result, ending }: Settled): Record<string, string> {
  const own = Object.keys(contract.outputs).flatMap((name) => {
    const value = ending?.outputs?.[name];
    return value === undefined ? [] : [[name, typeof value === 'string' ? value : JSON.stringify(value)] as const];
  });
  return { ...Object.fromEntries(own), outcome: result.outcome, reason: result.reason, result: resultJson(result) };
}

function resultJson(result: Result): string {
  const json = safeJson(result);
  return Buffer.byteLength(json) <= resultLimit ? json : safeJson({ ...result, details: { omitted: 'too large for an output' } });
}

/** Says in the log how it ended: one annotation unless all is well, then what next, then the stack of a defect. */
export function logEnding(log: RunLog, { result, error }: Settled): void {
  if (result.reason === 'DEFECT') log.info(stackOf(error));
  else if (error !== undefined && !isToldByProblems(error)) for (const line of causesOf(error)) log.info(line);
  const problems = error instanceof UsageError ? error.problems : [];
  const [only, ...others] = problems;
  if (others.length > 0) for (const problem of problems) log.error(problemSentence(problem), placeOf(problem));
  const single = only !== undefined && others.length === 0;
  conclude(log, result, single ? { text: problemSentence(only), at: placeOf(only) } : { text: headline(result, problems.length), at: {} });
  for (const step of result.next) log.info(`Next: ${step}`);
}

function conclude(log: RunLog, { action, outcome, reason }: Result, { text, at }: { text: string; at: Location }): void {
  const kind = annotationOf(outcome);
  if (kind) log.conclude(kind, `${text} [${reason}]`, { title: action, ...at });
  else log.info(`${text} [${reason}]`);
}

function headline(result: Result, problems: number): string {
  return problems > 1 ? `${problems} problems, listed above; nothing was done` : result.summary;
}

function annotationOf(outcome: Outcome): AnnotationKind | undefined {
  if (outcome === 'fail' || outcome === 'error') return 'error';
  return outcome === 'hold' ? 'warning' : undefined;
}

function placeOf({ file, line, column }: Problem): Location {
  return { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
}

/** The stack of an error and of its causes. */
export function stackOf(error: unknown): string {
  const first = error instanceof Error ? (error.stack ?? String(error)) : `thrown: ${String(error)}`;
  return [first, ...chain(error).map((cause) => `Caused by: ${cause instanceof Error ? (cause.stack ?? cause) : String(cause)}`)].join(
    '\n',
  );
}

/** One line per cause of an error that was expected to happen. */
function causesOf(error: unknown): string[] {
  return chain(error).map((cause) => `Caused by: ${cause instanceof Error ? cause.message || cause.name : String(cause)}`);
}

/** What Node said of a file (`ENOENT: no such file …`) is told in the user's words by the problem already. */
function isToldByProblems(error: unknown): boolean {
  const cause = error instanceof UsageError ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'syscall' in cause;
}

function chain(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let current = causeOf(error); current !== undefined && causes.length < 10; current = causeOf(current)) causes.push(current);
  return causes;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/** What a person reads who ran the command in a shell. */
export function plainReport(result: Result, ending: Ending<Contract> | undefined, plain: (markdown: string) => string): string {
  const next = result.next.map((step) => `  - ${step}`);
  const head = `${result.action}: ${result.outcome} (${result.reason})\n${result.summary}`;
  return [head, next.length > 0 ? `Next:\n${next.join('\n')}` : '', ending?.report ? plain(ending.report).trim() : '']
    .filter(Boolean)
    .join('\n\n');
}
