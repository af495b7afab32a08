/** Reasons with which commands of a rollout end, besides those of the cluster package; for the `reasons` of the actions' contracts. */
export const rolloutReasons = {
  STEP_IN_FORCE: 'The wanted share of users meets the canary, and the split was read back.',
  PROMOTED: 'All users meet the new version; the canary is gone.',
  PROMOTING: 'The rollout is past its last step and is being promoted.',
  ABORTED: 'All users meet the former version; the canary is gone.',
  ROLLED_BACK: 'All users are back on the last good version, and it was seen to serve.',
  STATUS: 'Where the rollout stands; nothing was changed.',
  ALREADY_RELEASED: 'The image is what all users meet already.',
  ALREADY_GOOD: 'The last good version serves already.',
  LAST_STEP: 'There is no further step; `promote` comes next.',
  NOTHING_TO_DO: 'There is no rollout to send back.',
  NO_ROLLOUT: 'No rollout has begun.',
  ROLLOUT_IN_PROGRESS: 'A rollout of another image is on its way.',
  ROLLOUT_ABORTED: 'The rollout was aborted or rolled back.',
  ROLLOUT_SUPERSEDED: 'Another run wrote the rollout’s state meanwhile; this one stopped.',
  ROLLOUT_RESTLESS: 'Something undoes what the rollout does.',
  STEPS_REMAINING: 'Steps are still to come before `promote`.',
  STEP_NOT_IN_FORCE: 'The step was not brought about yet.',
  WEIGHT_NOT_FORWARD: 'The weight asked for is not larger than the one in force.',
  CONFIG_CHANGED: 'The service’s settings are not those with which the rollout began.',
  RECREATE_STRATEGY: 'The Deployment stops all pods before new ones start, so a canary of it cannot be promoted without downtime.',
  UNEXPECTED_SPLIT: 'Traffic goes to a canary although no rollout is on record.',
  NO_LAST_GOOD: 'What was good before can no longer be restored.',
  SNAPSHOT_TAMPERED: 'The snapshot was changed, or is of another Deployment.',
  CANCELLED: 'The run was cancelled; by default users were sent back at once.',
} as const satisfies Record<string, string>;

/** Reasons of an analysis. */
export const analysisReasons = {
  ANALYSIS_PASSED: 'The judge has evidence that the canary is not worse.',
  INCONCLUSIVE: 'The evidence decides neither way.',
  INCONCLUSIVE_CONTINUED: 'The evidence decides neither way, and `on-inconclusive: continue` goes on.',
  NO_DATA: 'Nothing could be seen of the canary; never a pass.',
  ERROR_RATE_WORSE: 'The canary fails more requests than stable.',
  ERROR_LIMIT: 'The canary fails more requests than the step’s `max-error-rate`.',
  LATENCY_WORSE: 'The canary is slower than stable.',
  CANARY_WORSE: 'The canary is worse than stable.',
  CANARY_UNHEALTHY: 'The canary’s pods crash, restart or are no longer ready.',
  OBSERVED_FAIL: 'In `mode: observe`: users would have been sent back.',
  REPLAYED: 'The traces were judged; no cluster was touched.',
} as const satisfies Record<string, string>;

/** Reasons of watching the absolute limits. */
export const triggerReasons = {
  WATCH_PASSED: 'No trigger fired.',
  SHARED_INCIDENT: 'Stable breaches the limit as well, so the release is not the cause.',
  TRIGGER_ERROR_RATE: 'Too many requests failed for too long; users were sent back to the last good version.',
  TRIGGER_LATENCY_P99: 'Requests were too slow for too long; users were sent back to the last good version.',
  TRIGGER_HEALTH_FAILURES: 'Too many health checks failed; users were sent back to the last good version.',
  TRIGGER_RESTARTS: 'Too many restarts; users were sent back to the last good version.',
} as const satisfies Record<string, string>;
