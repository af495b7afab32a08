import type { KubeObject } from '../kube/object.js';
import type { Change, Store } from '../kube/store.js';

/** Objects as a distant reader knows them: every change arrives `delay` milliseconds late, in order. */
export class DelayedView {
  private readonly objects = new Map<string, KubeObject>();
  private readonly underway: { at: number; change: Change }[] = [];
  private readonly unsubscribe: () => void;
  private lists = new Map<string, KubeObject[]>();
  /** Raised with every change that arrived. */
  version = 0;

  /** Changes that do not `concern` the reader never arrive. */
  constructor(
    store: Store,
    private readonly kinds: readonly string[],
    delay: number,
    now: () => number,
    concern: (change: Change) => boolean = () => true,
  ) {
    this.unsubscribe = store.onChange((change) => {
      if (this.kinds.includes(change.kind.kind) && concern(change)) this.underway.push({ at: now() + delay, change });
    });
  }

  stop(): void {
    this.unsubscribe();
  }

  /** Takes in what has arrived by now, and answers it. */
  advance(now: number): Change[] {
    const arrived: Change[] = [];
    while (this.underway[0] && this.underway[0].at <= now) {
      const { change } = this.underway.shift() as { change: Change };
      const { kind, metadata } = change.object;
      const key = `${kind} ${metadata.namespace}/${metadata.name}`;
      if (change.type === 'DELETED') this.objects.delete(key);
      else this.objects.set(key, change.object);
      this.lists = new Map();
      this.version += 1;
      arrived.push(change);
    }
    return arrived;
  }

  /** Objects of a kind, the oldest first. */
  list(kind: string): KubeObject[] {
    let list = this.lists.get(kind);
    if (!list) {
      list = [...this.objects.values()].filter((object) => object.kind === kind).sort(oldestFirst);
      this.lists.set(kind, list);
    }
    return list;
  }

  find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.objects.get(`${kind} ${namespace}/${name}`);
  }
}

function oldestFirst({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number {
  return compare(a.creationTimestamp, b.creationTimestamp) || compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
