import { randomBytes } from 'node:crypto';
import {
  CANARY,
  describe,
  type KubeClient,
  type KubeObject,
  refuseExcludedCanary,
  refuseForeign,
  refuseLowMax,
  refuseUnready,
  resources,
  selects,
  TRACK_LABEL,
  type TrafficRouter,
  type Workload,
  warnOfGitopsDeployment,
} from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Acceptance } from './accept.js';
import type { Bench } from './act.js';
import { warnOfMirroredWrites } from './mirrored-writes.js';
import type { RolloutState } from './state.js';
import { type RolloutTarget, routingOf } from './target.js';
import type { World } from './world.js';

type Begin = Extract<Acceptance, { kind: 'begin' }>;

/**
 * Refuses what could not work, before anything is changed. Reasons: WORKLOAD_PAUSED, ZERO_REPLICAS, RECREATE_STRATEGY, CANARY_NAME_TAKEN,
 * SERVICE_NOT_FOUND, SERVICE_EXCLUDES_CANARY, UNEXPECTED_SPLIT, and those of the router's check.
 */
export async function refuseHopeless({ rollout }: Begin, world: World, { client, router, deps: { target } }: Bench): Promise<void> {
  refuseUnready(world.stable);
  // A rolling release goes by the Deployment's own strategy, downtime and all.
  if (rollout === 'rolling') return;
  refuseRecreate(world.stable);
  if (world.canary) refuseForeign(world.canary, target.workload);
  await refuseUnroutable(client, target, world.stable, router);
  if (world.scaler) refuseLowMax(world.scaler, world.stable.replicas);
  if (world.split && world.split.weight > 0) throw unexpectedSplit(world.split.weight, target);
}

/** What speaks for care, but not against beginning. */
export async function warnings({ rollout }: Begin, { stable }: World, { client, deps: { target } }: Bench): Promise<string[]> {
  const writesReplicas = rollout === 'canary' && target.traffic.router === 'replicas';
  const gitops = warnOfGitopsDeployment(stable.deployment, { container: stable.container, writesReplicas });
  const mirrored = rollout === 'canary' ? await warnOfMirroredWrites(client, target) : undefined;
  return [...(gitops ? [[gitops.warning, ...gitops.next].join(' ')] : []), ...(mirrored === undefined ? [] : [mirrored])];
}

/**
 * Refuses a route that could not be split. Where the split is made behind the one Service, that has to select the canary's pods, too; other routers
 * check their Services themselves.
 */
export async function refuseUnroutable(
  client: KubeClient,
  { namespace, kubeService, workload, canary }: RolloutTarget,
  stable: Workload,
  router: TrafficRouter,
): Promise<void> {
  await router.check();
  if (router.kind !== 'istio' && router.kind !== 'replicas') return;
  const service = await refuseExcludedCanary(client, namespace, kubeService, canaryLabels(stable.deployment));
  await refuseOthersBehind(client, service, [workload, canary]);
}

/** None where they may not be listed: that right is there to tell more, not to release. */
async function listDeployments(client: KubeClient, namespace: string): Promise<KubeObject[]> {
  try {
    return await client.list(resources.deployments, namespace);
  } catch (error) {
    if (error instanceof OperationError && error.reason === 'FORBIDDEN') return [];
    throw error;
  }
}

/** A share of the Service's requests is only known when the two tracks are all that is behind it. Reason: SERVICE_SELECTS_OTHERS. */
async function refuseOthersBehind(client: KubeClient, service: KubeObject, ours: readonly string[]): Promise<void> {
  const { namespace = '', name } = service.metadata;
  const matchLabels = service.spec?.selector ?? {};
  const all = await listDeployments(client, namespace);
  const others = all.filter(
    ({ metadata, spec }) =>
      !ours.includes(metadata.name) && (spec?.replicas ?? 1) > 0 && selects({ matchLabels }, spec?.template?.metadata?.labels ?? {}),
  );
  if (others.length === 0) return;
  const names = others.map(({ metadata }) => metadata.name).join(', ');
  throw new OperationError(
    `Service ${namespace}/${name} also leads to pods of ${names}: whose share is whose could not be told. Nothing was changed.`,
    {
      reason: 'SERVICE_SELECTS_OTHERS',
      next: [`Give the pods of ${names} labels that the Service does not select, or scale them to 0, then run this again.`],
    },
  );
}

/** A promotion gives stable the new image while users meet it: with `strategy: Recreate` all its pods would go first. Reason: RECREATE_STRATEGY. */
export function refuseRecreate({ deployment }: Workload): void {
  if (deployment.spec?.strategy?.type !== 'Recreate') return;
  const { namespace, name } = deployment.metadata;
  throw new OperationError(
    `${describe(deployment)} has \`strategy: Recreate\`: promoting a canary would stop all its pods while users meet them. Nothing was changed.`,
    {
      reason: 'RECREATE_STRATEGY',
      next: [
        `Let it roll: kubectl -n ${namespace} patch deployment/${name} -p '{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":null}}}' (and in its manifest), then run this again.`,
        'If two versions must not run side by side, a canary is not for it: run `promote` with `image`, with no rollout on, which accepts the downtime.',
      ],
    },
  );
}

/** The state with which a rollout begins: nothing is in the cluster yet. */
export async function initialState(begin: Begin, world: World, { router, deps }: Bench): Promise<RolloutState> {
  const { target, context, configHash } = deps;
  const { stable } = world;
  const now = new Date(context.clock.now()).toISOString();
  const canary = begin.rollout === 'canary';
  return {
    schema: 1,
    id: rolloutId(target.workload, now),
    kind: begin.rollout,
    generation: 0,
    fencing: 0,
    phase: canary ? 'starting' : 'promoting',
    step: begin.step,
    ...routingOf(target.steps[begin.step] ?? { weight: 0, duration: 0 }),
    weight: begin.weight,
    intent: null,
    image: { from: stable.image, to: begin.image },
    version: begin.version,
    replicas: stable.replicas,
    revision: { from: stable.revision, to: null },
    snapshot: null,
    traffic: canary ? await router.snapshot() : null,
    evidence: null,
    target,
    configHash,
    runUrl: context.runUrl ?? null,
    stepBy: context.holder,
    startedAt: now,
    stepStartedAt: null,
    finishedAt: null,
    ended: null,
    log: [],
  };
}

/** `shop-20261122T190501Z-4f2a`. */
function rolloutId(workload: string, now: string): string {
  return `${workload}-${now.replace(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`;
}

function canaryLabels(stable: KubeObject): Record<string, string> {
  return { ...stable.spec?.template?.metadata?.labels, [TRACK_LABEL]: CANARY };
}

function unexpectedSplit(weight: number, { namespace, workload, canary }: Bench['deps']['target']): OperationError {
  return new OperationError(
    `${Math.round(weight)} % of the requests go to a canary of ${namespace}/${workload} already, but no rollout is on record.`,
    {
      reason: 'UNEXPECTED_SPLIT',
      next: [
        `Set the route to stable alone (for a split by pods: kubectl -n ${namespace} scale deployment/${canary} --replicas=0), then run this again.`,
      ],
    },
  );
}
