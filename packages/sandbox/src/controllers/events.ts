import type { KubeObject } from '../kube/object.js';
import { timestamp } from '../kube/object.js';
import type { Store } from '../kube/store.js';
import type { SeededRandom } from '../seeded-random.js';

/** Events are kept an hour, as the API server does by default; here by number. */
const keep = 2000;

/** Writes Events as client-go's recorder does: a repeated one is counted up, not written again. */
export class EventRecorder {
  private readonly known = new Map<string, KubeObject>();

  constructor(
    private readonly store: Store,
    private readonly random: SeededRandom,
    private readonly now: () => number,
  ) {}

  normal(about: KubeObject, component: string, reason: string, message: string): void {
    this.record(about, component, 'Normal', reason, message);
  }

  warning(about: KubeObject, component: string, reason: string, message: string): void {
    this.record(about, component, 'Warning', reason, message);
  }

  private record(about: KubeObject, component: string, type: string, reason: string, message: string): void {
    const key = [about.metadata.uid, component, type, reason, message].join('\n');
    const at = timestamp(this.now());
    const known = this.known.get(key);
    const counted =
      known && this.store.modify('Event', known, (draft) => Object.assign(draft, { count: draft.count + 1, lastTimestamp: at }));
    if (counted) return;
    const { namespace = 'default', name, uid, resourceVersion } = about.metadata;
    const event = this.store.create('Event', {
      metadata: { name: `${name}.${this.random.suffix(16)}`, namespace },
      involvedObject: { kind: about.kind, namespace, name, uid, apiVersion: about.apiVersion, resourceVersion },
      reason,
      message,
      type,
      source: { component },
      reportingComponent: component,
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    });
    this.known.set(key, event);
    if (this.known.size > keep) this.forgetOldest();
  }

  private forgetOldest(): void {
    const [key, event] = this.known.entries().next().value as [string, KubeObject];
    this.known.delete(key);
    this.store.remove('Event', event);
  }
}
