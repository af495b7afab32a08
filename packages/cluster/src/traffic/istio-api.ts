import type { KubeClient, KubeObject, Resource } from '../kube.js';

/** From new to old; v1 is served since Istio 1.22, the others until further notice. The fields that Slipway uses are the same in all. */
const VERSIONS = ['v1', 'v1beta1', 'v1alpha3'];

/** Reads an object in the first version of its API that the cluster serves, and says which that is. */
export type IstioReader = (
  client: KubeClient,
  resource: Resource,
  namespace: string,
  name: string,
) => Promise<{ object: KubeObject; resource: Resource } | undefined>;

/** The API server says 404 to both, an object that is not there and a version that it does not serve; only a miss costs more than one request. */
export function istioReader(): IstioReader {
  let served = VERSIONS;
  return async (client, resource, namespace, name) => {
    for (const version of served) {
      const versioned = { ...resource, version };
      const object = await client.find(versioned, namespace, name);
      if (!object) continue;
      served = [version];
      return { object, resource: versioned };
    }
    return undefined;
  };
}
