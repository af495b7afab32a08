import { isReady } from '../controllers/pod-state.js';
import { controllerOf, imageTag, type KubeObject } from '../kube/object.js';
import { matchesLabels } from '../kube/selectors.js';
import type { DelayedView } from './delayed-view.js';
import type { RouteTarget } from './istio-routes.js';

/** Ready pods behind a Service, as its clients know them. */
export class Endpoints {
  private cache = new Map<string, KubeObject[]>();
  private cachedVersion = -1;

  /** `pods` holds Services and Pods. */
  constructor(private readonly pods: DelayedView) {}

  of({ namespace, service, subset, labels }: RouteTarget): KubeObject[] {
    if (this.cachedVersion !== this.pods.version) {
      this.cache = new Map();
      this.cachedVersion = this.pods.version;
    }
    const key = `${namespace}/${service}/${subset}/${JSON.stringify(labels)}`;
    let found = this.cache.get(key);
    if (!found) {
      found = this.select(namespace, service, labels);
      this.cache.set(key, found);
    }
    return found;
  }

  private select(namespace: string, service: string, labels: Record<string, string> | undefined): KubeObject[] {
    const selector = this.pods.find('Service', namespace, service)?.spec?.selector;
    if (!selector || !labels) return [];
    return this.pods
      .list('Pod')
      .filter(
        ({ metadata, ...pod }) =>
          metadata.namespace === namespace &&
          !metadata.deletionTimestamp &&
          isReady({ metadata, ...pod } as KubeObject) &&
          matchesLabels(selector, metadata.labels) &&
          matchesLabels(labels, metadata.labels),
      );
  }
}

/** How statistics and metrics name a pod: the Deployment's name rather than its ReplicaSet's, the label `version` rather than the image tag. */
export function identityOf(pod: KubeObject): { pod: string; workload: string; version: string; track: string } {
  const { name, labels = {} } = pod.metadata;
  const owner = controllerOf(pod)?.name ?? name;
  const hash = labels['pod-template-hash'];
  const version = labels.version || labels['app.kubernetes.io/version'] || imageTag(pod.spec.containers[0]?.image ?? '');
  const workload = hash && owner.endsWith(`-${hash}`) ? owner.slice(0, -hash.length - 1) : owner;
  return { pod: name, workload, version, track: labels.track ?? '' };
}
