/** Counts of one track (or pod) in one closed window. `b[i]` is the number of requests with latency ≤ `bounds[i]` seconds, cumulative. */
export interface Counts {
  n: number;
  e: number;
  b: readonly number[];
  /** Requests whose latency was measured, when that is another counter than `n` (a histogram's `+Inf` bucket); absent: `n`. */
  timed?: number;
}

/** One pod of the canary in one window. `age`: seconds since the pod became ready, at the window's end. */
export interface PodCounts extends Counts {
  id: string;
  age: number;
}

/**
 * One closed, disjoint window. `null`: the scrape is missing for that track, which is not the same as zero.
 * `t` is the end of the window in seconds since the analysis began (0 = first request to the canary).
 */
export interface Window {
  t: number;
  stable: Counts | null;
  canary: Counts | null;
  pods?: readonly PodCounts[];
}

/** A weight in force from `at` (seconds) on. */
export interface WeightStep {
  at: number;
  weight: number;
  /** Absolute limit on the canary's error rate while this weight holds, a fraction; absent: the comparison alone decides. */
  maxErrorRate?: number;
}

/** What is known before the first window. */
export interface AnalysisPlan {
  /** Seconds. */
  window: number;
  /** Steps whose time is known already; later ones are told by `Judge.step`. */
  steps: readonly WeightStep[];
  /** Latency bucket bounds, seconds, ascending. */
  bounds: readonly number[];
  /** Planned end in seconds, for the prior over start times. */
  end: number;
  /** Stable's closed windows before the canary, oldest first. */
  history: readonly Counts[];
}

export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'nodata';

/** A verdict with the numbers behind it; plain JSON. */
export interface Judgement {
  verdict: Verdict;
  /** `errors`, `latency`, `error-limit` …: which metric decided; null while undecided. */
  metric: string | null;
  /** Seconds since the analysis began at which a `fail` was reached; absent otherwise. */
  at?: number;
  /** `release`, or `pod:<id>` when one pod alone carries the evidence. */
  scope: string;
  /** Whether the judge would roll back on this. */
  rollback: boolean;
  /** One sentence with the numbers. */
  explanation: string;
  /** Evidence against the limit, per metric: `{ errors: { evidence: 3.2, limit: 20 } }`, both as e-values (not logs). */
  evidence: Record<string, { evidence: number; limit: number }>;
  totals: { stable: Counts; canary: Counts };
  windows: { judged: number; dropped: number };
}

/** A judge is a fold over windows. Its state is plain JSON, so it survives the process. */
export interface Judge<S = unknown> {
  readonly name: string;
  start(plan: AnalysisPlan): S;
  /** Pure: returns the next state. */
  observe(state: S, window: Window): S;
  /** The verdict on all that was observed so far. `atEnd`: no more windows will come. */
  judge(state: S, atEnd: boolean): Judgement;
  /** Says that a new weight holds from `at` (seconds) on: new cold pods, new exposure. */
  step(state: S, step: WeightStep): S;
}

/**
 * Where counts come from. Returns cumulative, monotone counters per pod (or series) at one instant; `windows.ts` differences them into
 * windows, aware of resets. Absent track: the key is missing.
 */
export interface CounterSample {
  /** Milliseconds since the epoch, when it was read. */
  at: number;
  bounds: readonly number[];
  /** Keyed by series id (pod name, or the track when the source sums over pods). */
  series: readonly CounterSeries[];
  /** What could not be read, in words. */
  problems: readonly string[];
}

/** One pod's (or track's) counters since they began to count. */
export interface CounterSeries {
  id: string;
  track: 'stable' | 'canary';
  /** When the counters began at zero (the process started), milliseconds since the epoch; absent: unknown. */
  startedAt?: number;
  /** When the pod became ready, milliseconds since the epoch, if that was later. */
  readyAt?: number;
  counters: Counts;
}

export interface MetricsSource {
  readonly name: string;
  sample(signal: AbortSignal): Promise<CounterSample>;
  /** Stable's windows of the last `seconds`, oldest first; empty when the source keeps no history. */
  history?(seconds: number, window: number, signal: AbortSignal): Promise<{ bounds: readonly number[]; windows: Counts[] }>;
}
