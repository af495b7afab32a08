import type { Kind } from './kinds.js';
import type { KubeObject } from './object.js';

/** The `Scale` form of a workload (autoscaling/v1). */
export function toScale({ metadata, spec, status }: KubeObject): KubeObject {
  const labels: Record<string, string> = spec.selector?.matchLabels ?? {};
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name: metadata.name,
      ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: metadata.creationTimestamp,
    },
    spec: spec.replicas > 0 ? { replicas: spec.replicas } : {},
    status: { replicas: status?.replicas ?? 0, selector: selector.join(',') },
  };
}

export const scaleKind: Kind = { group: 'autoscaling', version: 'v1', plural: 'scales', kind: 'Scale', namespaced: true };

/** The workload with what a Scale sets. */
export function fromScale(workload: KubeObject, scale: KubeObject): KubeObject {
  const resourceVersion = scale.metadata?.resourceVersion ?? '';
  return {
    ...workload,
    metadata: { ...workload.metadata, resourceVersion },
    spec: { ...workload.spec, replicas: scale.spec?.replicas ?? 0 },
  };
}
