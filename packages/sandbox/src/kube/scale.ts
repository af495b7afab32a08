import type { Kind } from './kinds.js';
import type { KubeObject } from './object.js';

/** The `Scale` form of a workload (autoscaling/v1). A Rollout's names where in its status the counts are. */
export function toScale({ kind, metadata, spec, status }: KubeObject): KubeObject {
  const labels: Record<string, string> = spec.selector?.matchLabels ?? {};
  const selector =
    kind === 'Rollout'
      ? status?.selector
      : Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(',');
  const replicas = (kind === 'Rollout' ? status?.HPAReplicas : status?.replicas) ?? 0;
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
    status: { replicas, ...(selector ? { selector } : {}) },
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
