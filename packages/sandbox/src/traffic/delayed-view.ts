import type { KubeObject } from '../kube/object.js';
import type { Change, Store } from '../kube/store.js';

/** Objects as a distant reader knows them: every change arrives `delay` milliseconds late, in order. */
export class DelayedView {
  private readonly objects = new Map<string, KubeObject>();
  private readonly underway: { at: number; change: Change }[] = [];
  private readonly unsubscribe: () => void;
  /** Raised with every change that arrived. */
  version = 0;

  constructor(
    store: Store,
    private readonly kinds: readonly string[],
    delay: number,
    now: () => number,
  ) {
    this.unsubscribe = store.onChange((change) => {
      if (this.kinds.includes(change.kind.kind)) this.underway.push({ at: now() + delay, change });
    });
  }

  stop(): void {
    this.unsubscribe();
  }

  /** Takes in what has arrived by now. */
  advance(now: number): void {
    while (this.underway[0] && this.underway[0].at <= now) {
      const { change } = this.underway.shift() as { change: Change };
      const { kind, metadata } = change.object;
      const key = `${kind} ${metadata.namespace}/${metadata.name}`;
      if (change.type === 'DELETED') this.objects.delete(key);
      else this.objects.set(key, change.object);
      this.version += 1;
    }
  }

  /** Objects of a kind, the oldest first. */
  list(kind: string): KubeObject[] {
    const all = [...this.objects.values()].filter((object) => object.kind === kind);
    return all.sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  }

  find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.objects.get(`${kind} ${namespace}/${name}`);
  }
}
