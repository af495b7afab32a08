import { serviceLabel } from '../controllers/endpoint-slice-controller.js';
import { controllerOf, imageTag, type KubeObject } from '../kube/object.js';
import { matchesLabels } from '../kube/selectors.js';
import type { DelayedView } from './delayed-view.js';
import type { RouteTarget, ServicePort } from './route.js';

/** A ready pod behind a Service, and the port that its clients ask. */
export interface Endpoint {
  pod: KubeObject;
  port: number;
}

/** Ready pods behind a Service, as its clients know them. */
export class Endpoints {
  private cache = new Map<string, Endpoint[]>();
  private cachedVersion = -1;

  /** `known` holds EndpointSlices and Pods. */
  constructor(private readonly known: DelayedView) {}

  of(target: RouteTarget): Endpoint[] {
    if (this.cachedVersion !== this.known.version) {
      this.cache = new Map();
      this.cachedVersion = this.known.version;
    }
    const { namespace, service, subset, labels, port } = target;
    const key = `${namespace}/${service}/${port?.port}/${subset}/${JSON.stringify(labels)}`;
    let found = this.cache.get(key);
    if (!found) {
      found = this.select(target);
      this.cache.set(key, found);
    }
    return found;
  }

  private select({ namespace, service, labels, port }: RouteTarget): Endpoint[] {
    const slices = this.known
      .list('EndpointSlice')
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[serviceLabel] === service);
    return slices.flatMap((slice) => this.readyIn(slice, port)).filter(({ pod }) => matchesLabels(labels, pod.metadata.labels));
  }

  private readyIn(slice: KubeObject, port: ServicePort | undefined): Endpoint[] {
    const number = portNamed(slice, port);
    if (number === undefined) return [];
    const endpoints: SliceEndpoint[] = slice.endpoints ?? [];
    return endpoints.flatMap(({ conditions, targetRef }) => {
      const pod = this.known.find('Pod', slice.metadata.namespace ?? '', targetRef?.name ?? '');
      return pod && conditions?.ready !== false ? [{ pod, port: number }] : [];
    });
  }
}

interface SliceEndpoint {
  conditions?: { ready?: boolean };
  targetRef?: { name: string };
}

/** Undefined: the pods of this slice do not have that port. */
function portNamed(slice: KubeObject, port: ServicePort | undefined): number | undefined {
  const ports: { name?: string; port?: number }[] = slice.ports ?? [];
  return ports.find(({ name = '' }) => name === (port?.name ?? ''))?.port;
}

/** How statistics and metrics name a pod: the Deployment's name rather than its ReplicaSet's, the label `version` rather than the image tag. */
export function identityOf(pod: KubeObject): { pod: string; workload: string; version: string; track: string } {
  const { name, labels = {} } = pod.metadata;
  const owner = controllerOf(pod)?.name ?? name;
  const hash = labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash'];
  const version = labels.version || labels['app.kubernetes.io/version'] || imageTag(pod.spec.containers[0]?.image ?? '');
  const workload = hash && owner.endsWith(`-${hash}`) ? owner.slice(0, -hash.length - 1) : owner;
  return { pod: name, workload, version, track: labels.track ?? '' };
}
