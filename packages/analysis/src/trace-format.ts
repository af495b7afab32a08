import { type Problem, UsageError } from '@slipway/core';
import { countsProblem } from './counts.js';
import type { AnalysisPlan, Counts, PodCounts, WeightStep, Window } from './types.js';

/** A recorded rollout: what was known before it and every window of it. */
export interface Trace {
  id: string;
  plan: AnalysisPlan;
  windows: Window[];
}

/** A line longer than this is no window of a rollout. */
const longestLine = 4_000_000;

/**
 * Reads JSON lines: for each trace a header `{"trace", "window", "steps", "bounds", "end"}`, then stable's past `{"h": counts}`, then
 * windows `{"t", "stable", "canary", "pods"?}` with `counts = {"n", "e", "b"}` or null where the scrape is missing. Several traces may
 * follow one another; empty lines are skipped. Throws UsageError naming `file:line` and the field for the first bad line: a damaged trace
 * must not be judged by half.
 */
export function* readTraces(lines: Iterable<string>, file: string): Generator<Trace> {
  let trace: (Trace & { plan: { history: Counts[] } }) | null = null;
  let number = 0;
  for (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const reader = new LineReader(file, number);
    const value = reader.parse(number === 1 ? line.replace(/^\uFEFF/, '') : line);
    if ('trace' in value) {
      if (trace) yield finish(trace);
      trace = readHeader(reader, value);
    } else if (!trace) {
      throw reader.bad(
        'the line',
        'comes before any trace header',
        'a line {"trace": "id", "window": 10, "steps": [...], "bounds": [...], "end": 900} first',
      );
    } else if ('h' in value) {
      if (trace.windows.length > 0) throw reader.bad('h', 'history after the first window', 'all "h" lines right after the header');
      const past = reader.counts('h', value.h, trace.plan.bounds.length);
      if (past) trace.plan.history.push(past);
    } else {
      trace.windows.push(readWindow(reader, value, trace));
    }
  }
  if (trace) yield finish(trace);
  else throw new LineReader(file, Math.max(1, number)).bad('the file', 'holds no trace', 'JSON lines, the first one a trace header');
}

/** Without an `end` in its header a trace was planned to last as long as it did. */
function finish(trace: Trace): Trace {
  const end = trace.plan.end > 0 ? trace.plan.end : (trace.windows.at(-1)?.t ?? trace.plan.window);
  return { ...trace, plan: { ...trace.plan, end } };
}

function readHeader(reader: LineReader, value: Record<string, unknown>): Trace & { plan: { history: Counts[] } } {
  const id = value.trace;
  if (typeof id !== 'string' && typeof id !== 'number') throw reader.bad('trace', `is ${show(id)}`, 'the name of the trace');
  const window = reader.number('window', value.window);
  if (window <= 0) throw reader.bad('window', `is ${window}`, 'seconds, above 0');
  const bounds = reader.list('bounds', value.bounds ?? []).map((bound, i) => reader.number(`bounds[${i}]`, bound));
  if (bounds.some((bound, i) => bound <= (bounds[i - 1] ?? 0)))
    throw reader.bad('bounds', 'are not ascending and above 0', 'seconds, ascending');
  const steps = reader.list('steps', value.steps ?? []).map((step, i) => readStep(reader, step, `steps[${i}]`));
  const end = value.end === undefined || value.end === null ? 0 : reader.number('end', value.end);
  return { id: String(id), plan: { window, steps, bounds, end, history: [] }, windows: [] };
}

function readStep(reader: LineReader, value: unknown, where: string): WeightStep {
  const step = reader.object(where, value);
  const at = reader.number(`${where}.at`, step.at);
  const weight = reader.number(`${where}.weight`, step.weight);
  if (weight < 0 || weight > 100) throw reader.bad(`${where}.weight`, `is ${weight}`, 'percent, 0 to 100');
  return step.maxErrorRate === undefined
    ? { at, weight }
    : { at, weight, maxErrorRate: reader.number(`${where}.maxErrorRate`, step.maxErrorRate) };
}

function readWindow(reader: LineReader, value: Record<string, unknown>, trace: Trace): Window {
  const buckets = trace.plan.bounds.length;
  const t = reader.number('t', value.t);
  const last = trace.windows.at(-1)?.t ?? Number.NEGATIVE_INFINITY;
  if (t <= last) throw reader.bad('t', `is ${t}, not after ${last}`, 'the end of the window in seconds, ascending');
  const window = { t, stable: reader.counts('stable', value.stable, buckets), canary: reader.counts('canary', value.canary, buckets) };
  if (value.pods === undefined || value.pods === null) return window;
  return { ...window, pods: reader.list('pods', value.pods).map((pod, i) => readPod(reader, pod, `pods[${i}]`, buckets)) };
}

function readPod(reader: LineReader, value: unknown, where: string, buckets: number): PodCounts {
  const pod = reader.object(where, value);
  if (typeof pod.id !== 'string') throw reader.bad(`${where}.id`, `is ${show(pod.id)}`, "the pod's name");
  const counts = reader.counts(where, pod, buckets);
  if (!counts) throw reader.bad(where, 'is null', 'counts; leave out a pod that was not seen');
  return { ...counts, id: pod.id, age: reader.number(`${where}.age`, pod.age) };
}

class LineReader {
  constructor(
    private readonly file: string,
    private readonly line: number,
  ) {}

  bad(where: string, what: string, allowed: string): UsageError {
    const problem: Problem = { where: '', message: `${where} ${what}`, allowed, file: this.file, line: this.line };
    return new UsageError([problem]);
  }

  parse(line: string): Record<string, unknown> {
    if (line.length > longestLine) throw this.bad('the line', `is ${line.length} characters long`, `at most ${longestLine}`);
    try {
      return this.object('the line', JSON.parse(line));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw this.bad('the line', `is not JSON (${(error as Error).message.slice(0, 120)})`, 'one JSON object per line');
    }
  }

  object(where: string, value: unknown): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.bad(where, `is ${show(value)}`, 'a JSON object');
  }

  list(where: string, value: unknown): unknown[] {
    if (Array.isArray(value)) return value;
    throw this.bad(where, `is ${show(value)}`, 'a list');
  }

  number(where: string, value: unknown): number {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.bad(where, `is ${show(value)}`, 'a number');
  }

  /** Null for a missing scrape, which must be written as null: a forgotten field is an error. */
  counts(where: string, value: unknown, buckets: number): Counts | null {
    if (value === null) return null;
    const { n, e, b, timed } = this.object(where, value);
    const cumulative = this.list(`${where}.b`, b ?? (buckets === 0 ? [] : b)) as number[];
    const read = { n: this.number(`${where}.n`, n), e: this.number(`${where}.e`, e), b: cumulative };
    const counts: Counts = timed === undefined ? read : { ...read, timed: this.number(`${where}.timed`, timed) };
    const problem = countsProblem(counts, buckets);
    if (problem) throw this.bad(where, `cannot be: ${problem}`, 'counts n ≥ e ≥ 0 and cumulative buckets up to n');
    return counts;
  }
}

function show(value: unknown): string {
  // 1e999 is JSON, and infinity.
  if (typeof value === 'number') return String(value);
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);
}
