/** The runner keeps ten annotations of a kind per step and drops the rest without a word (actions/runner, ExecutionContext.cs). */
const kept = 10;

export type AnnotationKind = 'notice' | 'warning' | 'error';

/** Counts annotations, so that those which GitHub would drop become lines of the log instead. One of each kind is kept back for the result. */
export class AnnotationQuota {
  private readonly used: Record<AnnotationKind, number> = { notice: 0, warning: 0, error: 0 };

  /** Whether one more may be issued; counts it. */
  take(kind: AnnotationKind, options: { last?: boolean } = {}): boolean {
    if (options.last) return true;
    this.used[kind] += 1;
    return this.used[kind] < kept;
  }

  /** How many of each kind were refused. */
  refused(): Partial<Record<AnnotationKind, number>> {
    const over = Object.entries(this.used).map(([kind, used]) => [kind, used - (kept - 1)] as const);
    return Object.fromEntries(over.filter(([, count]) => count > 0));
  }
}
