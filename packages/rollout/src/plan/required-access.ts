import { referencedConfig, resources, type Scaler, snapshotsName, type Workload } from '@slipway/cluster';
import { recordName } from '../rollout-record.js';
import type { RolloutTarget } from '../target.js';
import { type Access, distinct, named, optional } from './access.js';
import { routerAccess } from './router-access.js';
import { watchdogName } from './watchdog.js';

/** What is known of a service besides its settings; what is absent asks for nothing. */
export interface Known {
  provider: 'pods' | 'prometheus';
  /** Its pods say which ConfigMaps and Secrets a snapshot keeps. */
  stable?: Workload;
  scaler?: Scaler | null;
}

/** Every permission that a rollout of this target needs, from begin to end and back, and those that it does better with. Pure. */
export function requiredAccess(target: RolloutTarget, known: Known): Access[] {
  const { workload, strategy } = target;
  const record = recordName(workload);
  const all = [
    ...named(resources.configmaps, record, ['get', 'patch']),
    ...snapshotNames(target).flatMap((name) => named(resources.configmaps, name, ['get', 'patch'])),
    { verb: 'create', resource: resources.configmaps },
    ...named(resources.leases, record, ['get', 'update']),
    { verb: 'create', resource: resources.leases },
    ...named(resources.deployments, workload, ['get', 'patch']),
    { verb: 'list', resource: resources.replicasets },
    { verb: 'list', resource: resources.pods },
    // A rolling release has no canary; whether one was left behind is looked at all the same when it is taken back.
    ...named(resources.deployments, target.canary, ['get']),
    ...optional(laterNews, named(resources.deployments, workload, ['watch'])),
    ...(strategy === 'rolling' ? [] : canaryAccess(target, known)),
    ...(known.provider === 'pods'
      ? [podProxy]
      : optional('splits are not measured, and a canary is drained by the clock alone', [podProxy])),
    ...diagnosis,
    ...snapshotAccess(target, known),
    ...optional('whether a watchdog guards the rollout is not told', named(resources.cronjobs, watchdogName(workload), ['get'])),
  ];
  return distinct(all);
}

const laterNews = 'readiness is asked for again and again, and noticed a little later';

const podProxy: Access = { verb: 'get', resource: resources.pods, subresource: 'proxy' };

/** What makes an answer better, and stops nothing. */
const diagnosis: Access[] = [
  ...optional('a name that is not there is not answered with those that are', [{ verb: 'list', resource: resources.deployments }]),
  ...optional('a failure is told without the events of its pods', [{ verb: 'list', resource: resources.events }]),
  ...optional('a failure is told without the last lines of its log', [{ verb: 'get', resource: resources.pods, subresource: 'log' }]),
  ...optional('a quota that is too small is noticed when pods are refused', [{ verb: 'list', resource: resources.resourcequotas }]),
  ...optional('budgets that count the canary are not told', [{ verb: 'list', resource: resources.poddisruptionbudgets }]),
];

function canaryAccess(target: RolloutTarget, { scaler }: Known): Access[] {
  return [
    ...named(resources.deployments, target.canary, ['update', 'patch', 'delete']),
    { verb: 'create', resource: resources.deployments },
    ...optional(laterNews, named(resources.deployments, target.canary, ['watch'])),
    { verb: 'list', resource: resources.horizontalpodautoscalers },
    // Where pods are the route, an autoscaler is refused, not kept from shrinking them.
    ...(scaler && target.traffic.router !== 'replicas' ? scalerAccess(scaler) : []),
    ...routerAccess(target),
  ];
}

/** The autoscaler's lower limit is raised while part of stable's users is elsewhere. */
function scalerAccess({ kind, name }: Scaler): Access[] {
  if (kind === 'hpa') return named(resources.horizontalpodautoscalers, name, ['patch']);
  return named(resources.scaledobjects, name, ['get', 'patch']);
}

/** What a snapshot keeps, whether or not the rollout itself reads it. */
function snapshotAccess({ kubeService }: RolloutTarget, { stable }: Known): Access[] {
  const config = referencedConfig(stable?.deployment.spec?.template?.spec ?? {});
  const without = 'it is not in snapshots, so a rollback leaves it as it is then';
  return [
    ...optional(without, [
      ...config.flatMap(({ resource, name }) => named(resource, name, ['get'])),
      ...named(resources.services, kubeService, ['get']),
      { verb: 'list', resource: resources.horizontalpodautoscalers },
    ]),
  ];
}

/** The list of snapshots, and the places that they are kept in. */
function snapshotNames({ workload, maxSnapshots }: RolloutTarget): string[] {
  const list = snapshotsName(workload);
  return [list, ...Array.from({ length: maxSnapshots }, (_, place) => `${list}-${place + 1}`)];
}
