/**
 * How good the judge is, and how fast: `node scripts/run-ts.mjs test/bench/judge.ts [RUNS]` (default 60 simulated rollouts per family).
 * Every judge sees the same traces. Ends with exit code 1 when a budget is missed.
 */
import { addCounts, type Counts, createJudge, latencyQuantile, noCounts, replay, type Trace } from '@slipway/analysis';
import { upperBound } from '../../packages/analysis/src/clopper-pearson.js';
import { replayTrace } from '../../packages/analysis/src/replay.js';
import { type Behaviour, simulate, traceText, type World } from '../../packages/analysis/test/simulate.js';

const fastest = { traces: 60, perSecond: 200 };
const mostFalse = 0.05;

type Family = [name: string, changes: Partial<World>];
const always =
  (errors: number, median = 0.1) =>
  (): Behaviour => ({ errors, median });
const drift = (t: number): Behaviour => ({ errors: 0.01 + (0.03 * Math.max(0, t)) / 900, median: 0.1 * (1 + Math.max(0, t) / 1800) });
const outage = (t: number): Behaviour => ({ errors: t > 200 && t < 440 ? 0.2 : 0.01, median: 0.1 });

const good: Family[] = [
  ['healthy, 0.1 %', { stable: always(0.001), canary: always(0.001) }],
  ['healthy, 1 %', {}],
  ['healthy, 1 %, 5 rps', { rps: 5 }],
  ['healthy, 1 %, 0.2 rps', { rps: 0.2 }],
  ['drift of both tracks', { stable: drift, canary: drift }],
  ['outage of both tracks', { stable: outage, canary: outage }],
  ['30 % scrapes missing, 20 rps', { rps: 20, missing: 0.3 }],
  ['cold start 50 s: 4× errors, 2× latency', { canary: (t) => (t < 50 ? { errors: 0.04, median: 0.2 } : { errors: 0.01, median: 0.1 }) }],
  ['errors in groups of 8', { burst: 8 }],
  ['errors in groups of 8, no history', { burst: 8, history: 0 }],
];

const bad: Family[] = [
  ['errors 20 × 1 %', { canary: always(0.2) }],
  ['errors 5 × 1 %', { canary: always(0.05) }],
  ['errors 2 × 1 %', { canary: always(0.02) }],
  ['errors 20 × 0.1 %', { stable: always(0.001), canary: always(0.02) }],
  ['errors 5 × 1 %, 5 rps', { rps: 5, canary: always(0.05) }],
  ['errors 5 × 1 % from minute 7', { canary: (t) => ({ errors: t > 420 ? 0.05 : 0.01, median: 0.1 }) }],
  ['one of 4 pods 6 × 1 %', { pods: 4, canary: (_, pod) => ({ errors: pod === 0 ? 0.06 : 0.01, median: 0.1 }) }],
  ['latency + 100 %', { canary: always(0.01, 0.2) }],
  ['latency + 30 %', { canary: always(0.01, 0.13) }],
];

interface Outcome {
  at: number | null;
  verdict: string;
}
type Rule = (trace: Trace) => Outcome;

const rules: Record<string, Rule> = {
  'anytime-valid': (trace) => replayTrace(trace, createJudge()),
  threshold: (trace) => replayTrace(trace, createJudge({ judge: 'threshold' })),
  'canary > 2 × stable': relativeRule,
};

/**
 * What practitioners write: every minute, over the last five, canary error rate above twice stable's (and above 0.01 %) or p99 above 1.3
 * times, from 100 canary requests on; the fourth such minute rolls back.
 */
function relativeRule({ plan, windows }: Trace): Outcome {
  let failures = 0;
  for (const { t } of windows) {
    if (t % 60 !== 0) continue;
    const last = windows.filter((window) => window.t > t - 300 && window.t <= t);
    const total = (track: 'stable' | 'canary') =>
      last.reduce((sum, window) => (window[track] ? addCounts(sum, window[track]) : sum), noCounts(plan.bounds.length));
    if (breaksRelativeRule(total('stable'), total('canary'), plan.bounds)) failures++;
    if (failures > 3) return { at: t, verdict: 'fail' };
  }
  return { at: null, verdict: 'pass' };
}

function breaksRelativeRule(stable: Counts, canary: Counts, bounds: readonly number[]): boolean {
  if (canary.n < 100 || stable.n === 0) return false;
  const p99 = (counts: Counts) => latencyQuantile(counts, bounds, 0.99)?.seconds ?? 0;
  return canary.e / canary.n > Math.max(0.0001, (2 * stable.e) / stable.n) || p99(canary) > 1.3 * p99(stable);
}

/** Failed requests of the canary beyond what stable's rate explains, until the rollback (or the end). */
function excess(trace: Trace, at: number | null): number {
  let sum = 0;
  for (const { t, stable, canary } of trace.windows) {
    if (at !== null && t > at) break;
    if (stable && canary && stable.n > 0) sum += canary.e - (canary.n * stable.e) / stable.n;
  }
  return sum;
}

function measure(family: Family, runs: number): Record<string, { outcomes: Outcome[]; excess: number }> {
  const traces = Array.from({ length: runs }, (_, i) => simulate(i * 7919 + 17, { history: 360, ...family[1] }));
  const entries = Object.entries(rules).map(([name, rule]) => {
    const outcomes = traces.map(rule);
    const wasted = outcomes.reduce((sum, { at }, i) => sum + excess(traces[i] as Trace, at), 0) / runs;
    return [name, { outcomes, excess: wasted }] as const;
  });
  return Object.fromEntries(entries);
}

function quantile(values: number[], q: number): string {
  const sorted = values.sort((x, y) => x - y);
  return sorted.length === 0 ? '–' : String(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
}

function rolledBack(outcomes: Outcome[]): number[] {
  return outcomes.flatMap(({ at }) => (at === null ? [] : [at]));
}

function table(title: string, head: string[], rows: string[][]): void {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  console.log(`\n${title}`);
  for (const row of all)
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '));
}

function benchGood(runs: number): boolean {
  let kept = true;
  const rows = good.map((family) => {
    const cells = Object.entries(measure(family, runs)).map(([name, { outcomes }]) => {
      const count = rolledBack(outcomes).length;
      if (name === 'anytime-valid' && count / runs > mostFalse) kept = false;
      const passed = outcomes.filter(({ verdict }) => verdict === 'pass').length;
      const share = `${((100 * count) / runs).toFixed(1)} (≤ ${(100 * upperBound(count, runs, 0.95)).toFixed(1)})`;
      return name === 'anytime-valid' ? [share, ((100 * passed) / runs).toFixed(0)] : [share];
    });
    return [family[0], ...cells.flat()];
  });
  table(
    `Good releases rolled back, % of ${runs} (95 % Clopper-Pearson bound); the budget is ${100 * mostFalse} %`,
    ['', 'anytime-valid', 'passed', 'threshold', 'canary > 2 × stable'],
    rows,
  );
  return kept;
}

function benchBad(runs: number): void {
  const rows = bad.map((family) => {
    const cells = Object.values(measure(family, runs)).map(({ outcomes, excess: wasted }) => {
      const delays = rolledBack(outcomes);
      const found = ((100 * delays.length) / runs).toFixed(0);
      return `${found} / ${quantile(delays, 0.5)} / ${quantile(delays, 0.9)} / ${wasted.toFixed(0)}`;
    });
    return [family[0], ...cells];
  });
  table('Bad releases: % found / median / p90 seconds until then / excess failed requests', ['', ...Object.keys(rules)], rows);
}

/** Whole files through the public interface, parsing and formatting included. */
function benchSpeed(): boolean {
  const text = Array.from({ length: fastest.traces }, (_, i) => traceText(simulate(i, { history: 90, pods: i % 3 === 0 ? 4 : 0 }))).join(
    '',
  );
  const judge = createJudge();
  replay(text, 'warm-up', judge);
  const began = process.cpuUsage();
  const results = replay(text, 'bench', judge);
  const { user, system } = process.cpuUsage(began);
  const perSecond = results.length / ((user + system) / 1e6);
  const megabytes = (text.length / 1e6).toFixed(1);
  console.log(`Replay: ${results.length} traces of 90 windows (${megabytes} MB, a third with 4 pods)`);
  console.log(`${perSecond.toFixed(0)} traces per second of CPU; at least ${fastest.perSecond}`);
  return perSecond >= fastest.perSecond;
}

const runs = Math.max(1, Number(process.argv[2] ?? 60));
const fast = benchSpeed();
const kept = benchGood(runs);
benchBad(runs);
const state = createJudge();
const trace = simulate(1, { history: 360, pods: 4 });
const size = JSON.stringify(trace.windows.reduce((s, window) => state.observe(s, window), state.start(trace.plan))).length;
console.log(`\nEvidence after 90 windows with 4 pods: ${(size / 1024).toFixed(1)} KiB of JSON`);
if (!fast) console.log('MISSED: the speed of replay');
if (!kept) console.log('MISSED: the false-rollback budget');
process.exitCode = fast && kept ? 0 : 1;
