/** What an action came to. `hold`: undecided, nothing moved, a person is told. */
export type Outcome = 'pass' | 'fail' | 'hold' | 'skipped' | 'error';

/**
 * The one record that every action and command ends in; also its `result` output, as JSON.
 * `reason` is one of the reasons its contract lists.
 */
export interface Result {
  schema: 1;
  action: string;
  outcome: Outcome;
  reason: string;
  /** One sentence a person can act on. */
  summary: string;
  /** What to do now, most useful first. */
  next: string[];
  details: Record<string, unknown>;
  /** RFC 3339, UTC. */
  startedAt: string;
  finishedAt: string;
}

/** Exit code of a process that ended with this outcome. */
export function exitCode(outcome: Outcome): 0 | 1 | 2 | 3 {
  switch (outcome) {
    case 'pass':
    case 'skipped':
      return 0;
    case 'fail':
      return 1;
    case 'error':
      return 2;
    case 'hold':
      return 3;
  }
}
