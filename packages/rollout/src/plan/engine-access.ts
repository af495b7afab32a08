import { type EngineKind, resources } from '@slipway/cluster';
import { recordName } from '../rollout-record.js';
import type { RolloutTarget } from '../target.js';
import { type Access, named, optional } from './access.js';

/** Every permission that a release needs whose traffic a controller moves; see docs/rbac/argo-rollouts.yaml and flagger.yaml. Pure. */
export function engineAccess({ workload }: RolloutTarget, kind: EngineKind, provider: 'pods' | 'prometheus'): Access[] {
  const record = recordName(workload);
  const proxy: Access = { verb: 'get', resource: resources.pods, subresource: 'proxy' };
  return [
    ...(kind === 'argo-rollouts' ? rolloutAccess(workload) : canaryAccess(workload)),
    { verb: 'list', resource: resources.replicasets },
    { verb: 'list', resource: resources.pods },
    ...(provider === 'pods' ? [proxy] : []),
    ...named(resources.configmaps, record, ['get', 'patch']),
    { verb: 'create', resource: resources.configmaps },
    ...named(resources.leases, record, ['get', 'update']),
    { verb: 'create', resource: resources.leases },
  ];
}

const ambiguity = 'whether another object drives the same pods is not known';

function rolloutAccess(name: string): Access[] {
  return [
    ...named(resources.rollouts, name, ['get', 'patch']),
    { verb: 'patch', resource: resources.rollouts, subresource: 'status', name },
    ...optional(ambiguity, [{ verb: 'list', resource: resources.rollouts }]),
    ...optional('a Rollout with a `workloadRef` cannot be released', named(resources.deployments, name, ['get', 'patch'])),
  ];
}

/** The Deployments have the Canary's name unless its `targetRef` says otherwise; then the reads of the plan itself tell. */
function canaryAccess(name: string): Access[] {
  return [
    ...named(resources.canaries, name, ['get', 'patch']),
    { verb: 'patch', resource: resources.canaries, subresource: 'status', name },
    ...optional(ambiguity, [{ verb: 'list', resource: resources.canaries }]),
    ...named(resources.deployments, name, ['get', 'patch']),
    ...named(resources.deployments, `${name}-primary`, ['get', 'patch']),
  ];
}
