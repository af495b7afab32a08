import { ApiError } from '../kube/api-error.js';
import { kindNamed } from '../kube/kinds.js';
import type { KubeObject } from '../kube/object.js';
import { checkQuota, quotaUsage } from '../kube/quota.js';
import type { Store } from '../kube/store.js';
import { WorkQueue } from './work-queue.js';

/** Why a quota of the namespace does not admit this pod, in the API server's words; undefined when all do. */
export function refusedByQuota(store: Store, pod: KubeObject): string | undefined {
  try {
    checkQuota(store, kindNamed('Pod'), pod);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

/** Keeps `status.hard` and `status.used` of every ResourceQuota. */
export class ResourceQuotaController {
  private readonly queue = new WorkQueue((namespace) => this.count(namespace));
  private readonly unsubscribe: () => void;

  constructor(private readonly store: Store) {
    this.unsubscribe = store.onChange(({ kind, object }) => {
      if (kind.namespaced) this.queue.add(object.metadata.namespace ?? '');
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private count(namespace: string): void {
    for (const quota of this.store.list('ResourceQuota', namespace)) {
      const status = { hard: quota.spec?.hard ?? {}, used: quotaUsage(this.store, quota) };
      this.store.modify('ResourceQuota', quota, (draft) => Object.assign(draft, { status }));
    }
  }
}
