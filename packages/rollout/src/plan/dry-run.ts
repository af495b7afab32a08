import type { KubeClient } from '@slipway/cluster';

/**
 * The same client, all of whose writes are dry runs: the API server checks and admits them, and keeps nothing. What has no dry run (replace,
 * remove) throws. So nothing that is given this client can change anything, whatever it is asked to do.
 */
export function dryRunOnly(client: KubeClient): KubeClient {
  const never = (verb: string) => async (): Promise<never> => {
    throw new Error(`plan: ${verb} has no dry run here`);
  };
  return {
    get: client.get,
    find: client.find,
    list: client.list,
    ...(client.watch ? { watch: client.watch } : {}),
    create: (resource, namespace, object) => client.create(resource, namespace, object, { dryRun: true }),
    patch: (resource, namespace, name, patch, options) => client.patch(resource, namespace, name, patch, { ...options, dryRun: true }),
    replace: never('replace'),
    remove: never('remove'),
    logs: client.logs,
    podProxy: client.podProxy,
    withSignal: (signal) => dryRunOnly(client.withSignal(signal)),
    requests: client.requests,
  };
}
