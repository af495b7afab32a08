import { stringify } from 'yaml';

/** A kubeconfig for a plain-HTTP API server and a bearer token. */
export function kubeconfigText(options: { server: string; user: string; token: string; namespace?: string }): string {
  const { server, user, token, namespace } = options;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster: { server } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user, ...(namespace ? { namespace } : {}) } }],
    'current-context': 'sandbox',
  });
}
