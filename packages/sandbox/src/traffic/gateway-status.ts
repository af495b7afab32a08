import { type KubeObject, timestamp } from '../kube/object.js';
import type { Store } from '../kube/store.js';

/** Whose word the status of an HTTPRoute is. */
const controllerName = 'sandbox.slipway.dev/data-plane';

/**
 * Says in an HTTPRoute that this generation of it has taken effect, as implementations of Gateway API do: tools wait for `Accepted` with
 * the newest `observedGeneration`. `unresolved`: why one of its backends cannot be reached.
 */
export function reportTakenEffect(store: Store, route: KubeObject, unresolved: string | undefined, now: number): void {
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    observedGeneration: route.metadata.generation,
    lastTransitionTime: timestamp(now),
  });
  const resolved = unresolved
    ? condition('ResolvedRefs', 'False', 'BackendNotFound', unresolved)
    : condition('ResolvedRefs', 'True', 'ResolvedRefs', '');
  const conditions = [condition('Accepted', 'True', 'Accepted', ''), resolved];
  const parents = (route.spec?.parentRefs ?? []).map((parentRef: object) => ({ parentRef, controllerName, conditions }));
  store.modify('HTTPRoute', route, (draft) => Object.assign(draft, { status: { parents } }));
}
