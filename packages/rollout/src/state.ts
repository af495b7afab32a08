/** Where a rollout stands. `promoted`, `aborted` and `none` are at rest: nothing of it is in the cluster but the record. */
export type Phase = 'none' | 'starting' | 'progressing' | 'promoting' | 'promoted' | 'aborting' | 'aborted';

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
  /** Raised with every write. */
  generation: number;
  /** Fencing number of the lease under which it was written; a write with a lower one is refused. */
  fencing: number;
  phase: Phase;
  /** Index into `steps` of the step in force; -1 before the first. */
  step: number;
  /** Weight that users meet, percent. */
  weight: number;
  intent: Intent | null;
  image: { from: string; to: string };
  version: string | null;
  /** Replicas of stable when the rollout began. */
  replicas: number;
  /** Pod-template hash or ReplicaSet revision that serves when promoted. */
  revision: { from: string; to: string | null };
  /** ConfigMap key and checksum of what an abort or rollback restores. */
  snapshot: { name: string; sha256: string } | null;
  /** The judge's state, so that a re-run continues the test. */
  evidence: { judge: string; state: unknown; judgement: unknown } | null;
  /** sha256 of the resolved target and judge configuration: frozen for the rollout. */
  configHash: string;
  runUrl: string | null;
  startedAt: string;
  /** When the step in force began to be watched (its split in place), RFC 3339. */
  stepStartedAt: string | null;
  finishedAt: string | null;
  /** Why it was aborted: a reason code and one sentence. */
  ended: { reason: string; summary: string } | null;
  /** Last decisions and changes, newest last, at most 50: `{ at, what }`. */
  log: { at: string; what: string }[];
}
