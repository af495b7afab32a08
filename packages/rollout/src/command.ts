/** What a person or a workflow asks for. */
export type Command =
  /** `supersede`: a rollout of another image is sent back first. */
  | { kind: 'start'; image: string; version: string | null; weight?: number; supersede?: boolean }
  | { kind: 'step'; weight?: number }
  | { kind: 'promote'; image?: string; version: string | null; weight?: number }
  /** From now on nothing moves forward, until `resume`. */
  | { kind: 'pause'; why: string }
  | { kind: 'resume' }
  /** `reason`: a code of the running action's contract; `summary`: why, one sentence. */
  | { kind: 'abort'; reason: string; summary: string }
  | RollBack;

/**
 * Back to the last good version: aborts what is on its way, or takes back what was promoted last. `onlyUnfinished`: what is at rest stays.
 * `generation`: only if the state is still the one that was seen.
 */
export interface RollBack {
  kind: 'roll-back';
  reason: string;
  summary: string;
  image?: string;
  onlyUnfinished?: boolean;
  generation?: number;
}

/** What is known when a command is to be accepted, besides the state. */
export interface Circumstances {
  /** Image that the stable Deployment has now. */
  stableImage: string;
  /** Images of the revisions before the present one that need no steps. */
  recentImages: readonly string[];
  /** The routing that the state says is what the router's objects say. */
  inForce: boolean;
  /** Hash of the service's settings as slipway.yml says now. */
  configHash: string;
  /** Who asks, `owner/repo/run_id/attempt/job` or `user@host/pid`. */
  holder: string;
  /** RFC 3339. */
  now: string;
}
