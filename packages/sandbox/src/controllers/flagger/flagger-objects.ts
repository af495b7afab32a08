import type { KubeObject } from '../../kube/object.js';
import type { Store } from '../../kube/store.js';

/** Makes and changes what Flagger puts beside a Deployment: the primary, three Services, a VirtualService. */
export class FlaggerObjects {
  constructor(private readonly store: Store) {}

  target(canary: KubeObject): KubeObject | undefined {
    return this.store.find('Deployment', canary.metadata.namespace ?? '', canary.spec.targetRef.name);
  }

  primary(canary: KubeObject): KubeObject | undefined {
    return this.store.find('Deployment', canary.metadata.namespace ?? '', primaryName(canary));
  }

  ensurePrimary(canary: KubeObject, target: KubeObject): KubeObject {
    const found = this.primary(canary);
    if (found) return found;
    const name = primaryName(canary);
    const { key } = selectorOf(target);
    const { template, ...spec } = structuredClone(target.spec);
    return this.store.create('Deployment', {
      metadata: { name, namespace: canary.metadata.namespace, labels: { [key]: name }, ownerReferences: [ownedBy(canary)] },
      spec: { ...spec, selector: { matchLabels: { [key]: name } }, template: asPrimary(template, key, name) },
      status: {},
    });
  }

  /** Gives the primary what the target runs. */
  promote(canary: KubeObject, target: KubeObject): void {
    const primary = this.primary(canary);
    const { key } = selectorOf(target);
    if (!primary) return;
    this.store.modify('Deployment', primary, ({ spec }) => {
      spec.template = asPrimary(structuredClone(target.spec.template), key, primaryName(canary));
    });
  }

  scale(deployment: KubeObject, replicas: number): void {
    this.store.modify('Deployment', deployment, ({ spec }) => Object.assign(spec, { replicas }));
  }

  /** The Services of both tracks. */
  ensureTracks(canary: KubeObject, target: KubeObject): void {
    const { key, value } = selectorOf(target);
    this.ensureService(canary, `${serviceName(canary)}-primary`, { [key]: primaryName(canary) });
    this.ensureService(canary, `${serviceName(canary)}-canary`, { [key]: value });
  }

  /** The Service that users ask leads to the primary, and so does its VirtualService. */
  takeOver(canary: KubeObject, target: KubeObject): void {
    const { key } = selectorOf(target);
    this.ensureService(canary, serviceName(canary), { [key]: primaryName(canary) }, canary.spec.service?.apex?.annotations);
    if (!this.virtualService(canary)) this.setWeight(canary, 0);
  }

  weight(canary: KubeObject): number {
    return this.virtualService(canary)?.spec.http[0].route[1].weight ?? 0;
  }

  setWeight(canary: KubeObject, weight: number): void {
    const name = serviceName(canary);
    const to = (track: string, share: number) => ({ destination: { host: `${name}-${track}` }, weight: share });
    const http = [{ route: [to('primary', 100 - weight), to('canary', weight)] }];
    const found = this.virtualService(canary);
    if (found) {
      this.store.modify('VirtualService', found, (draft) => Object.assign(draft.spec, { http }));
      return;
    }
    const { namespace } = canary.metadata;
    const spec = { hosts: [...(canary.spec.service?.hosts ?? []), name], http };
    this.store.create('VirtualService', { metadata: { name, namespace, ownerReferences: [ownedBy(canary)] }, spec });
  }

  private virtualService(canary: KubeObject): KubeObject | undefined {
    return this.store.find('VirtualService', canary.metadata.namespace ?? '', serviceName(canary));
  }

  private ensureService(canary: KubeObject, name: string, selector: Record<string, string>, annotations?: Record<string, string>): void {
    const { port = 80, targetPort = port, portName = 'http' } = canary.spec.service ?? {};
    const { namespace = '' } = canary.metadata;
    const found = this.store.find('Service', namespace, name);
    if (found) {
      this.store.modify('Service', found, ({ spec, metadata }) => {
        spec.selector = selector;
        if (annotations) metadata.annotations = { ...metadata.annotations, ...annotations };
      });
      return;
    }
    const spec = { type: 'ClusterIP', selector, ports: [{ name: portName, port, targetPort, protocol: 'TCP' }] };
    const metadata = { name, namespace, ownerReferences: [ownedBy(canary)], ...(annotations ? { annotations } : {}) };
    this.store.create('Service', { metadata, spec, status: { loadBalancer: {} } });
  }
}

export function serviceName({ spec }: KubeObject): string {
  return spec.service?.name ?? spec.targetRef.name;
}

function primaryName({ spec }: KubeObject): string {
  return `${spec.targetRef.name}-primary`;
}

/** The label by which the target's pods are told apart: the first of those that Flagger looks for. */
function selectorOf({ spec }: KubeObject): { key: string; value: string } {
  const labels: Record<string, string> = spec.selector.matchLabels ?? {};
  const key = ['app', 'name', 'app.kubernetes.io/name'].find((one) => labels[one] !== undefined) ?? 'app';
  return { key, value: labels[key] ?? '' };
}

function asPrimary(template: KubeObject, key: string, name: string): object {
  return { ...template, metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [key]: name } } };
}

function ownedBy({ apiVersion, metadata }: KubeObject) {
  return { apiVersion, kind: 'Canary', name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}
