/**
 * Keys waiting to be reconciled, each at most once. Work begins in a later turn of the event loop, so that a controller sees the settled
 * outcome of a burst of changes, never its own half-made write.
 */
export class WorkQueue {
  private readonly waiting = new Set<string>();
  private readonly delayed = new Map<string, NodeJS.Timeout>();
  private scheduled: NodeJS.Immediate | undefined;
  private stopped = false;

  constructor(private readonly reconcile: (key: string) => void) {}

  add(key: string): void {
    if (this.stopped) return;
    this.waiting.add(key);
    this.scheduled ??= setImmediate(() => this.drain());
  }

  /** Adds the key later; a second call for the same key replaces the first. */
  addAfter(key: string, ms: number): void {
    clearTimeout(this.delayed.get(key));
    const timer = setTimeout(() => {
      this.delayed.delete(key);
      this.add(key);
    }, ms);
    timer.unref();
    this.delayed.set(key, timer);
  }

  stop(): void {
    this.stopped = true;
    if (this.scheduled) clearImmediate(this.scheduled);
    for (const timer of this.delayed.values()) clearTimeout(timer);
  }

  private drain(): void {
    this.scheduled = undefined;
    const keys = [...this.waiting];
    this.waiting.clear();
    for (const key of keys) if (!this.stopped) this.reconcile(key);
  }
}
