/** Inputs that every action of a rollout has: what is released where, and how the cluster is reached. */
export const targetInputs = {
  service: { kind: 'string', description: 'Service in slipway.yml. May be left out when there is only one.', example: 'shop' },
  environment: {
    kind: 'string',
    description: 'Environment in slipway.yml. May be left out when there is only one.',
    example: 'production',
  },
  config: {
    kind: 'string',
    description: 'Path of slipway.yml. When there is no such file, `namespace` and `workload` are enough; everything else has its default.',
    default: '.github/slipway.yml',
    example: 'deploy/slipway.yml',
  },
  kubeconfig: {
    kind: 'string',
    description:
      'Path of a kubeconfig, or its content (from a secret). Default: `KUBECONFIG`, then `~/.kube/config`, then the pod’s service account.',
    example: '${{ secrets.KUBECONFIG }}',
    secret: true,
  },
  context: { kind: 'string', description: 'kubeconfig context. Default: the environment’s, else the current one.', example: 'production' },
  namespace: { kind: 'string', description: 'Namespace, in place of the environment’s.', example: 'shop' },
  workload: { kind: 'string', description: 'Name of the Deployment, in place of the service’s.', example: 'shop' },
  container: { kind: 'string', description: 'Container whose image is released, in place of the service’s.', example: 'web' },
} as const;

export const onCancelInput = {
  kind: 'choice',
  values: ['rollback', 'hold'],
  description:
    'What a cancellation does while the canary has users: `rollback` sends them back within 2 s; `hold` leaves the split as it is.',
  default: 'rollback',
  example: 'hold',
} as const;

/** What the actions need of the cluster. */
export const clusterPermissions = ['Kubernetes: the Role in docs/rbac/slipway.yaml, in the namespace of the service.'] as const;
