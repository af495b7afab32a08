import type { Trace } from './trace-format.js';
import { readTraces } from './trace-format.js';
import type { Judge, Verdict } from './types.js';

/** What a judge would have done with one recorded rollout. */
export interface ReplayResult {
  trace: string;
  verdict: Verdict;
  /** Seconds at which it would have rolled back; null: never. */
  at: number | null;
  metric: string | null;
  scope: string;
  rollback: boolean;
}

/** Judges one trace as if it were live: window by window, stopping at the rollback. */
export function replayTrace(trace: Trace, judge: Judge): ReplayResult {
  let state = judge.start(trace.plan);
  for (const window of trace.windows) state = judge.observe(state, window);
  const { verdict, metric, scope, rollback, at } = judge.judge(state, true);
  return { trace: trace.id, verdict, at: rollback ? (at ?? trace.windows.at(-1)?.t ?? null) : null, metric, scope, rollback };
}

/** Judges every trace of a file's text, in order. Throws UsageError with `file:line` for a bad line. */
export function replay(text: string, file: string, judge: Judge): ReplayResult[] {
  return Array.from(readTraces(linesOf(text), file), (trace) => replayTrace(trace, judge));
}

/** One line of JSON per result, each ended by a newline. */
export function formatReplay(results: readonly ReplayResult[]): string {
  return results.map((result) => `${JSON.stringify(result)}\n`).join('');
}

function* linesOf(text: string): Generator<string> {
  let from = 0;
  while (from < text.length) {
    const end = text.indexOf('\n', from);
    yield end < 0 ? text.slice(from) : text.slice(from, end);
    from = end < 0 ? text.length : end + 1;
  }
}
