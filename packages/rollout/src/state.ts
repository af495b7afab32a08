import type { Counts, Judgement } from '@slipway/analysis';
import type { PreparedPatch, Routing, TrafficSnapshot } from '@slipway/cluster';
import type { RolloutTarget } from './target.js';

/**
 * Where a rollout stands. `none`, `promoted`, `aborted` and `undone` are at rest: nothing of it is in the cluster but the record. `progressing`
 * rests too when its step is in force. `undoing` and `undone`: a promoted release is (was) taken back.
 */
export type Phase = 'none' | 'starting' | 'progressing' | 'promoting' | 'promoted' | 'aborting' | 'aborted' | 'undoing' | 'undone';

/** The lower limit that an autoscaler had before the rollout kept stable from shrinking. */
export interface Floor {
  kind: 'hpa' | 'keda';
  name: string;
  /** Null: the field was not set. */
  original: number | null;
  raised: number;
}

/** A change that is about to be made, written down before it is. */
export interface Intent {
  /** E.g. `scale-canary`, `route`, `update-stable`, `remove-canary`. */
  change: string;
  /** What it sets, e.g. `{ weight: 10 }`. */
  to: Record<string, unknown>;
  /** RFC 3339. */
  at: string;
}

/** What is stored in ConfigMap `slipway-<workload>`, key `state.json`. Readers refuse a newer `schema`. */
export interface RolloutState {
  schema: 1;
  /** Unique for this rollout, e.g. `shop-20261122T190501Z-4f2a`. */
  id: string;
  /** `canary`, or `rolling`: an image set on the Deployment at once, verified, undone on failure. */
  kind: 'canary' | 'rolling';
  /** Raised with every write. */
  generation: number;
  /** Fencing number of the lease under which it was written; a write with a lower one is refused. */
  fencing: number;
  phase: Phase;
  /** Index into `steps` of the step in force; -1 before the first. */
  step: number;
  /** Weight that users meet, percent; while `stepStartedAt` is null, the weight that is being brought about. */
  weight: number;
  /** Percent of requests that are mirrored to the canary, and whether those with the header or cookie meet it; absent: none. */
  mirror?: number;
  match?: boolean;
  /** How requests were split when the weight was read back; by pods it is seldom the weight that was asked for. */
  split?: { weight: number; words: string; measured?: string };
  /** Since when nothing moves forward, who paused it, and why; absent: it is not paused. */
  paused?: { at: string; by: string; why: string };
  /** The patches that send everybody to stable from the route that is in force: what a watchdog sends. Absent: nobody meets the canary. */
  wayOut?: PreparedPatch[];
  /** What the scaler's lower limit was before the rollout raised it; absent: it was not raised. */
  floor?: Floor | null;
  intent: Intent | null;
  image: { from: string; to: string };
  version: string | null;
  /** Replicas of stable when the rollout began. */
  replicas: number;
  /** The deployment controller's revision before the rollout and, when promoted, after it. */
  revision: { from: string | null; to: string | null };
  /** ConfigMap and checksum of what an abort or rollback restores. */
  snapshot: { name: string; sha256: string } | null;
  /** The router's objects as they were. */
  traffic: TrafficSnapshot | null;
  /** The judge's state, so that a re-run continues the test. */
  evidence: Evidence | null;
  /** The target as it was resolved when the rollout began: what every later command goes by. */
  target: RolloutTarget;
  /** sha256 of the service's settings (target, steps, judge): frozen for the rollout. */
  configHash: string;
  runUrl: string | null;
  /** Who brought about the step in force (`owner/repo/run_id/attempt/job`): tells a re-run from the next step. */
  stepBy: string | null;
  startedAt: string;
  /** When the step in force began to be watched (its split in place), RFC 3339; null while it is being brought about. */
  stepStartedAt: string | null;
  finishedAt: string | null;
  /** Why it was aborted or undone: a reason code and one sentence. */
  ended: { reason: string; summary: string } | null;
  /** Last decisions and changes, newest last, at most 50: `{ at, what }`. */
  log: { at: string; what: string }[];
}

/** What the judge knows, kept over processes and steps. */
export interface Evidence {
  judge: string;
  /** Zero of the judge's time: when the first step's split was in place, RFC 3339. */
  origin: string;
  /** The step (index) that is being watched, and for how many windows it was: a re-run goes on from here. */
  step: number;
  watched: number;
  /** The judge's own state; null before the first window. */
  state: unknown;
  judgement: Judgement | null;
  /** An analysis is at work, and writes with every window; absent or false: none is. */
  running?: boolean;
  /** Stable's latest windows while it still had users, oldest first, at most 60: what a bake at 100 % compares with. */
  past?: Counts[];
  /** The last windows, newest last, at most 12, for the report. */
  windows: WindowRow[];
}

/** One window as the report shows it; null: the scrape is missing. */
export interface WindowRow {
  /** Seconds since `origin`, at the window's end. */
  t: number;
  /** Percent of requests that the canary got, as read back when the step came into force. */
  weight: number;
  stable: { n: number; e: number } | null;
  canary: { n: number; e: number } | null;
  /** Evidence per metric after this window, and its limit. */
  evidence: Record<string, { evidence: number; limit: number }>;
}

/** How requests meet the canary, as the state says. */
export function routingIn({ weight, mirror = 0, match = false }: RolloutState): Routing {
  return { weight, mirror, match };
}

/** A rollout of which something is in the cluster. */
export type ActiveRollout = RolloutState & { phase: Exclude<Phase, 'none' | 'promoted' | 'aborted' | 'undone'> };

const resting: readonly Phase[] = ['none', 'promoted', 'aborted', 'undone'];

/** True while something of the rollout is in the cluster. */
export function isActive(state: RolloutState | undefined): state is ActiveRollout {
  return state !== undefined && !resting.includes(state.phase);
}

/** True while users are on their way back to the former version. */
export function isGoingBack(state: RolloutState): boolean {
  return state.phase === 'aborting' || state.phase === 'undoing';
}
