/** A Service and where it is. */
export interface ServicePlace {
  service: string;
  namespace: string;
}

/**
 * Whether `host`, as an Istio object in `namespace` says it, is the Kubernetes Service: `shop`, `shop.prod`, `shop.prod.svc` or
 * `shop.prod.svc.cluster.local` (whatever the cluster's domain). A host without dots is one of the object's own namespace. Pure.
 */
export function isService(host: unknown, { service, namespace }: ServicePlace): boolean {
  if (typeof host !== 'string') return false;
  const [name, where = namespace, svc = 'svc'] = host.split('.');
  return name === service && where === namespace && svc === 'svc';
}
