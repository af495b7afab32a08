import { type KubeObject, sameJson } from '../kube/object.js';
import { matchesLabels } from '../kube/selectors.js';
import type { Store } from '../kube/store.js';
import type { SeededRandom } from '../seeded-random.js';
import { isReady } from './pod-state.js';
import { WorkQueue } from './work-queue.js';

export const serviceLabel = 'kubernetes.io/service-name';

interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  protocol?: string;
}

/** Content of one slice: pods that serve the same ports. */
interface Slice {
  ports: { name: string; port: number; protocol: string }[];
  endpoints: object[];
}

/** Writes the pods behind each Service to EndpointSlices (kubernetes/pkg/controller/endpointslice). */
export class EndpointSliceController {
  private readonly queue = new WorkQueue((key) => this.reconcile(key));
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: Store,
    private readonly random: SeededRandom,
  ) {
    this.unsubscribe = store.onChange(({ kind, object, previous }) => {
      const { namespace, name } = object.metadata;
      if (kind.kind === 'Service') this.queue.add(`${namespace}/${name}`);
      if (kind.kind !== 'Pod') return;
      for (const service of store.list('Service', namespace)) {
        const concerned = [object, previous].some((pod) => pod && selects(service, pod));
        if (concerned) this.queue.add(`${namespace}/${service.metadata.name}`);
      }
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private reconcile(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const service = this.store.find('Service', namespace, name);
    if (!service?.spec?.selector || service.spec.type === 'ExternalName') return;
    const pods = this.store.list('Pod', namespace).filter((pod) => pod.status?.podIP && selects(service, pod));
    const wanted = slicesOf(service, pods);
    const existing = this.store.list('EndpointSlice', namespace).filter(({ metadata }) => metadata.labels?.[serviceLabel] === name);
    for (const [i, slice] of wanted.entries()) {
      const old = existing[i];
      if (old) this.store.modify('EndpointSlice', old, (draft) => Object.assign(draft, slice));
      else this.create(service, slice);
    }
    for (const old of existing.slice(wanted.length)) this.store.remove('EndpointSlice', old);
  }

  private create(service: KubeObject, slice: Slice): void {
    const { name, namespace, uid } = service.metadata;
    const owner = { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true };
    this.store.create('EndpointSlice', {
      metadata: {
        name: `${name}-${this.random.suffix(5)}`,
        generateName: `${name}-`,
        namespace,
        labels: { [serviceLabel]: name, 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
        ownerReferences: [owner],
      },
      addressType: 'IPv4',
      ...slice,
    });
  }
}

function selects({ spec }: KubeObject, { metadata }: KubeObject): boolean {
  return spec?.selector !== undefined && Object.keys(spec.selector).length > 0 && matchesLabels(spec.selector, metadata.labels);
}

/** At least one, so that a Service without pods is seen to have none. */
function slicesOf(service: KubeObject, pods: readonly KubeObject[]): Slice[] {
  const slices: Slice[] = [];
  for (const pod of pods) {
    const ports = portsFor(service, pod);
    const same = slices.find((slice) => sameJson(slice.ports, ports));
    if (same) same.endpoints.push(endpointOf(pod));
    else slices.push({ ports, endpoints: [endpointOf(pod)] });
  }
  return slices.length > 0 ? slices : [{ ports: [], endpoints: [] }];
}

/** A port that names one the pod does not have is left out. */
function portsFor({ spec }: KubeObject, pod: KubeObject): Slice['ports'] {
  return ((spec.ports ?? []) as ServicePort[]).flatMap(({ name = '', port, targetPort = port, protocol = 'TCP' }) => {
    const number = typeof targetPort === 'number' ? targetPort : containerPort(pod, targetPort);
    return number === undefined ? [] : [{ name, port: number, protocol }];
  });
}

function containerPort(pod: KubeObject, name: string): number | undefined {
  const declared: { name?: string; containerPort: number }[] = pod.spec.containers.flatMap((one: KubeObject) => one.ports ?? []);
  return declared.find((port) => port.name === name)?.containerPort;
}

function endpointOf(pod: KubeObject): object {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const terminating = deletionTimestamp !== undefined;
  const serving = isReady(pod);
  return {
    addresses: [pod.status.podIP],
    conditions: { ready: serving && !terminating, serving, terminating },
    nodeName: pod.spec.nodeName,
    targetRef: { kind: 'Pod', name, namespace, uid },
  };
}
