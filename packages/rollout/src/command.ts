/** What a person or a workflow asks for. */
export type Command =
  | { kind: 'start'; image: string; version: string | null; weight?: number }
  | { kind: 'step'; weight?: number }
  | { kind: 'promote'; image?: string; version: string | null; weight?: number }
  /** `reason`: a code of the running action's contract; `summary`: why, one sentence. */
  | { kind: 'abort'; reason: string; summary: string }
  /** Back to the last good version: aborts what is on its way, or takes back what was promoted last. */
  | { kind: 'roll-back'; reason: string; summary: string; image?: string };

/** What is known when a command is to be accepted, besides the state. */
export interface Circumstances {
  /** Image that the stable Deployment has now. */
  stableImage: string;
  /** Hash of the service's settings as slipway.yml says now. */
  configHash: string;
  /** Who asks, `owner/repo/run_id/attempt/job` or `user@host/pid`. */
  holder: string;
  /** RFC 3339. */
  now: string;
}
