import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../kube.js';

interface ParentRef {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  sectionName?: string;
  port?: number;
}

interface Condition {
  type: string;
  status: string;
  observedGeneration?: number;
  reason?: string;
  message?: string;
}

interface ParentStatus {
  parentRef: ParentRef;
  controllerName?: string;
  conditions?: Condition[];
}

/** What controllers say of an HTTPRoute as it is now. */
export type RouteStatus =
  | { state: 'in-force' }
  /** No controller has written a status for a parent: none is installed for it, or none has looked yet. */
  | { state: 'unreported'; words: string }
  | { state: 'not-accepted'; words: string };

/**
 * Whether each parent of the route has a controller that has seen its newest generation, accepts it and, with `backends`, knows where to send
 * requests. Pure.
 */
export function routeStatus({ metadata, spec, status }: KubeObject, wanted: { backends: boolean }): RouteStatus {
  const parents: ParentRef[] = spec?.parentRefs ?? [];
  const reports: ParentStatus[] = status?.parents ?? [];
  const generation = metadata.generation ?? 0;
  const types = wanted.backends ? ['Accepted', 'ResolvedRefs'] : ['Accepted'];
  if (parents.length === 0) return { state: 'unreported', words: 'it has no parentRefs, so it is attached to nothing' };
  for (const parent of parents) {
    const ofParent = reports.filter(({ parentRef }) => sameParent(parentRef, parent, metadata.namespace));
    if (ofParent.length === 0) return { state: 'unreported', words: `no controller reports on its parent ${parentWords(parent)}` };
    const complaints = ofParent.map((report) => complaint(report, types, generation));
    // Reports of controllers that were taken away stay behind; one that is content is enough.
    const [first] = complaints;
    if (first !== undefined && !complaints.includes(undefined)) return { state: 'not-accepted', words: `${parentWords(parent)}: ${first}` };
  }
  return { state: 'in-force' };
}

function complaint({ conditions = [], controllerName }: ParentStatus, types: string[], generation: number): string | undefined {
  for (const wanted of types) {
    const condition = conditions.find(({ type }) => type === wanted);
    if (!condition) return `${controllerName} does not say ${wanted}`;
    const { status, observedGeneration = 0, reason, message } = condition;
    if (observedGeneration < generation) return `${controllerName} has seen generation ${observedGeneration} of ${generation}`;
    if (status !== 'True') return `${controllerName} says ${wanted}=${status}, ${reason}${message ? `: ${message}` : ''}`;
  }
  return undefined;
}

function sameParent(a: ParentRef, b: ParentRef, own: string | undefined): boolean {
  return isDeepStrictEqual(key(a, own), key(b, own));
}

function key(
  { group = 'gateway.networking.k8s.io', kind = 'Gateway', namespace, name, sectionName, port }: ParentRef,
  own: string | undefined,
) {
  return [group, kind, namespace ?? own, name, sectionName, port];
}

function parentWords({ kind = 'Gateway', name, sectionName }: ParentRef): string {
  return `${kind} ${name}${sectionName === undefined ? '' : `/${sectionName}`}`;
}
