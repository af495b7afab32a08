import { type Resource, resources, snapshotsName } from '@slipway/cluster';
import { recordName } from '../rollout-record.js';
import type { RolloutTarget } from '../target.js';

/** One permission, as RBAC and SelfSubjectAccessReview name it. */
export interface Access {
  verb: string;
  resource: Resource;
  subresource?: 'log' | 'proxy';
  /** Absent: all of the namespace, as `list` and `create` need. */
  name?: string;
  /** What is not done without it; absent: a rollout needs it. */
  without?: string;
}

/** Every permission that a rollout of this target needs, from begin to end and back. Pure. */
export function requiredAccess(target: RolloutTarget, provider: 'pods' | 'prometheus'): Access[] {
  const { workload, canary, strategy } = target;
  const record = recordName(workload);
  const withCanary = strategy !== 'rolling';
  return [
    ...named(resources.deployments, workload, ['get', 'patch']),
    ...(withCanary ? named(resources.deployments, canary, ['get', 'update', 'patch', 'delete']) : []),
    ...(withCanary ? [{ verb: 'create', resource: resources.deployments }] : []),
    { verb: 'list', resource: resources.replicasets },
    { verb: 'list', resource: resources.pods },
    { verb: 'list', resource: resources.events, without: 'a failure is told without the events of its pods' },
    { verb: 'get', resource: resources.pods, subresource: 'log', without: 'a failure is told without the last lines of its log' },
    ...(provider === 'pods' ? [{ verb: 'get', resource: resources.pods, subresource: 'proxy' } as const] : []),
    ...named(resources.configmaps, record, ['get', 'patch']),
    ...snapshotNames(target).flatMap((name) => named(resources.configmaps, name, ['get', 'patch'])),
    { verb: 'create', resource: resources.configmaps },
    ...named(resources.leases, record, ['get', 'update']),
    { verb: 'create', resource: resources.leases },
    ...(withCanary ? [{ verb: 'list', resource: resources.horizontalpodautoscalers }] : []),
    { verb: 'list', resource: resources.resourcequotas, without: 'a quota that is too small is noticed when pods are refused' },
    { verb: 'list', resource: resources.poddisruptionbudgets, without: 'budgets that count the canary are not told' },
    ...(withCanary ? routerAccess(target) : []),
  ];
}

/** The list of snapshots, and the places that they are kept in. */
function snapshotNames({ workload, maxSnapshots }: RolloutTarget): string[] {
  const list = snapshotsName(workload);
  return [list, ...Array.from({ length: maxSnapshots }, (_, place) => `${list}-${place + 1}`)];
}

function routerAccess({ traffic, kubeService }: RolloutTarget): Access[] {
  switch (traffic.router) {
    case 'replicas':
      return named(resources.services, kubeService, ['get']);
    case 'istio':
      return [
        ...named(resources.services, kubeService, ['get']),
        ...traffic.virtualServices.flatMap((name) => named(resources.virtualservices, name, ['get', 'patch'])),
        ...named(resources.destinationrules, traffic.destinationRule, ['get']),
      ];
    case 'gateway-api':
      return [...named(resources.httproutes, traffic.httpRoute, ['get', 'patch']), ...trackServices(traffic.canaryService, traffic.stableService)];
    case 'nginx':
      return [
        ...named(resources.ingresses, traffic.ingress, ['get']),
        ...named(resources.ingresses, `${traffic.ingress}-canary`, ['get', 'patch', 'delete']),
        { verb: 'create', resource: resources.ingresses },
        ...trackServices(traffic.canaryService, traffic.stableService),
      ];
    case 'service':
      return [
        ...named(resources.services, kubeService, ['get', 'patch']),
        ...named(resources.services, traffic.previewService, ['get', 'delete']),
        { verb: 'create', resource: resources.services },
        { verb: 'list', resource: resources.endpointslices },
      ];
  }
}

function trackServices(canary: string, stable: string | undefined): Access[] {
  return [
    ...(stable === undefined ? [] : named(resources.services, stable, ['get'])),
    ...named(resources.services, canary, ['get', 'delete']),
    { verb: 'create', resource: resources.services },
  ];
}

function named(resource: Resource, name: string, verbs: readonly string[]): Access[] {
  return verbs.map((verb) => ({ verb, resource, name }));
}

/** `patch deployments.apps/shop`, `get pods/log`. */
export function accessWords({ verb, resource: { plural, group }, subresource, name }: Access): string {
  const kind = `${plural}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`;
  return `${verb} ${kind}${name === undefined ? '' : ` ${name}`}`;
}
