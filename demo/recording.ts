import type { RunEvent } from '../test/workflows/executor/events.js';
import type { Conclusion } from '../test/workflows/executor/model.js';
import type { Scenario } from './scenarios.js';

/** One line of a scenario's timeline: what the run did, what came of it in the world. `at`: milliseconds since the epoch. */
export type Entry =
  | RunEvent
  /** A write that the Kubernetes API was asked for; `body`: the patch or object as JSON, cut when it is long. */
  | {
      type: 'write';
      at: number;
      verb: string;
      resource: string;
      namespace: string;
      name: string;
      dryRun: boolean;
      status: number;
      body: string;
    }
  /** A write that the GitHub API was asked for. */
  | { type: 'github-write'; at: number; method: string; path: string; status: number }
  /** The share of users that the route sends to the canary has changed. */
  | { type: 'weight'; at: number; weight: number }
  | ({ type: 'traffic'; at: number } & Traffic)
  | { type: 'evidence'; at: number; evidence: Evidence[]; verdict: string }
  | { type: 'cancel'; at: number; reason: string };

/** What users met during the last seconds. */
export interface Traffic {
  /** Percent of users that the route sends to the canary. */
  weight: number;
  stable: TrackView | null;
  canary: TrackView | null;
}

export interface TrackView {
  version: string;
  perSecond: number;
  /** Fraction of the requests. */
  errorRate: number;
  /** Milliseconds. */
  p99: number | undefined;
}

/** Evidence that the canary is worse, and the limit at which it is believed; both as e-values. */
export interface Evidence {
  metric: string;
  evidence: number;
  limit: number;
}

export interface Recording {
  scenario: Scenario;
  startedAt: number;
  endedAt: number;
  conclusion: Conclusion;
  /** By path, e.g. `release / production`. */
  jobs: ReadonlyMap<string, { conclusion: Conclusion }>;
  timeline: readonly Entry[];
  /** Percent of users on the canary in the end. */
  finalWeight: number;
}

/** What an action ended with: its `result` output. */
export interface Decision {
  at: number;
  job: string;
  action: string;
  outcome: string;
  reason: string;
  summary: string;
}

/** The decision in an entry, if it is one. */
export function decisionOf(entry: Entry): Decision | undefined {
  if (entry.type !== 'output' || entry.name !== 'result') return undefined;
  const { action, outcome, reason, summary } = JSON.parse(entry.value) as Decision;
  return { at: entry.at, job: entry.job, action, outcome, reason, summary };
}

export function decisionsOf(timeline: readonly Entry[]): Decision[] {
  return timeline.flatMap((entry) => decisionOf(entry) ?? []);
}

/** The largest share of users that the canary got, percent. */
export function largestWeight({ timeline }: Recording): number {
  return timeline.reduce((most, entry) => (entry.type === 'weight' ? Math.max(most, entry.weight) : most), 0);
}
