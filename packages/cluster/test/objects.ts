import type { KubeObject } from '../src/kube.js';

/** A Deployment as an API server would answer it. */
export function deployment(
  name = 'shop',
  options: { replicas?: number; labels?: Record<string, string>; image?: string; namespace?: string } = {},
): KubeObject {
  const { replicas = 3, labels = { app: 'shop' }, image = 'registry.example/shop:v1', namespace = 'shop' } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, uid: `uid-${name}`, generation: 1, annotations: { 'deployment.kubernetes.io/revision': '1' } },
    spec: {
      replicas,
      selector: { matchLabels: { ...labels } },
      template: {
        metadata: { labels: { ...labels } },
        spec: { containers: [{ name: 'web', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
      },
    },
    status: {
      observedGeneration: 1,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
    },
  };
}
