import { resources } from '@slipway/cluster';
import type { RolloutTarget } from '../target.js';
import { type Access, named } from './access.js';

/** What the router of a target reads and writes. Pure. */
export function routerAccess({ traffic, kubeService }: RolloutTarget): Access[] {
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
      return [
        ...named(resources.httproutes, traffic.httpRoute, ['get', 'patch']),
        ...trackServices(traffic.stableService ?? kubeService, traffic.canaryService),
      ];
    case 'nginx':
      return [
        ...named(resources.ingresses, traffic.ingress, ['get']),
        ...named(resources.ingresses, `${traffic.ingress}-canary`, ['get', 'patch', 'delete']),
        { verb: 'create', resource: resources.ingresses },
        { verb: 'list', resource: resources.ingresses },
        ...trackServices(traffic.stableService ?? kubeService, traffic.canaryService),
      ];
    case 'service':
      return [...named(resources.services, kubeService, ['get', 'patch']), ...madeService(traffic.previewService)];
  }
}

/** A Service for each track: stable's is there, the canary's is made, corrected and deleted. */
function trackServices(stable: string, canary: string): Access[] {
  return [...named(resources.services, stable, ['get']), ...madeService(canary)];
}

/** A Service of our own, and whether it leads to pods. */
function madeService(name: string): Access[] {
  return [
    ...named(resources.services, name, ['get', 'patch', 'delete']),
    { verb: 'create', resource: resources.services },
    { verb: 'list', resource: resources.endpointslices },
  ];
}
