import type { Store } from '../kube/store.js';
import type { RouteTarget, ServicePort } from './route.js';

/** What a route names as its destination. `port` 0: the Service's first. */
export interface Backend {
  namespace: string;
  service: string;
  port: number;
  weight: number;
}

/** Finds the Services that routes name. */
export class Backends {
  constructor(private readonly store: Store) {}

  /** A destination that may turn out not to exist; `code` is what the proxy answers then. */
  resolve({ namespace, service, port, weight }: Backend, code: number): RouteTarget {
    const found = this.ports(namespace, service).find((one) => port === 0 || one.port === port);
    const target: RouteTarget = { namespace, service, port: found, subset: '', labels: {}, weight };
    if (!found) target.fault = { why: `no Service ${namespace}/${service} with port ${port}`, code };
    return target;
  }

  ports(namespace: string, service: string): ServicePort[] {
    return this.store.find('Service', namespace, service)?.spec?.ports ?? [];
  }
}
