import {
  adopt,
  canaryOf,
  checkQuota,
  type KubeClient,
  meetsNobody,
  type Routing,
  raiseFloor,
  readBudgets,
  refuseForeign,
  refuseUnready,
  resources,
  type Scaler,
  setImagePatch,
  type TrafficRouter,
  type Workload,
  warnIdle,
  warnOfGitopsDeployment,
  warnPodAveraged,
} from '@slipway/cluster';
import { refuseRecreate, refuseUnroutable } from '../begin.js';
import { warnOfMirroredWrites } from '../mirrored-writes.js';
import type { RolloutTarget } from '../target.js';
import { type Check, check, warning } from './check.js';
import type { PlannedStep } from './plan-steps.js';

export interface PlanWorld {
  /** All of its writes are dry runs. */
  client: KubeClient;
  target: RolloutTarget;
  stable: Workload;
  router: TrafficRouter;
  scaler: Scaler | null;
  steps: readonly PlannedStep[];
  /** What would be released; undefined: whatever comes, so stable's own image stands for it. */
  image: string | undefined;
}

/**
 * Everything that can be known of a rollout before it begins; writes are tried by the API server's dry run, which runs admission and keeps
 * nothing. Changes nothing.
 */
export async function checkPlan(world: PlanWorld): Promise<Check[]> {
  const { client, target, stable, router } = world;
  const checks: Check[] = [await check('the Deployment can be released', async () => refuseUnready(stable)), ...gitops(world)];
  checks.push(await check('the new image is accepted (dry run)', () => tryImage(world)));
  if (target.strategy === 'rolling') return [...checks, ...(await capacity(world, surgeOf(stable)))];
  checks.push(await check('it can run beside a canary', async () => refuseRecreate(stable)));
  checks.push(await check('stable’s pods can be told apart (dry run)', async () => void (await adopt(client, stable.deployment))));
  checks.push(await check('the route can be split', () => refuseUnroutable(client, target, stable, router)));
  checks.push(await check('the canary is accepted (dry run)', () => tryCanary(world)));
  checks.push(...(await checkRoute(world, world.steps)));
  const mirrored = await warnOfMirroredWrites(client, target);
  if (mirrored !== undefined) checks.push(warning('requests may be copied', mirrored));
  if (world.scaler && router.kind !== 'replicas')
    checks.push(await check('its autoscaler can be kept from shrinking it (dry run)', () => tryFloor(world)));
  return [...checks, ...(await capacity(world, Math.max(0, ...world.steps.map(({ canary }) => canary))))];
}

/** Tries the route of the first of these steps that leads anybody to the canary. */
export async function checkRoute(world: Pick<PlanWorld, 'client' | 'router'>, steps: readonly PlannedStep[]): Promise<Check[]> {
  const first = steps.find(({ routing }) => !meetsNobody(routing));
  // Where the number of pods is the route, the canary has to be there before it can be scaled.
  if (!first || world.router.kind === 'replicas') return [];
  return [await check(`the route of step ${first.step} is accepted (dry run)`, () => tryRoute(world, first.routing))];
}

export async function tryRoute({ client, router }: Pick<PlanWorld, 'client' | 'router'>, routing: Routing): Promise<void> {
  for (const { resource, namespace, name, patch } of await router.writes(routing)) await client.patch(resource, namespace, name, patch);
}

function gitops({ stable, router }: PlanWorld): Check[] {
  const found = warnOfGitopsDeployment(stable.deployment, { container: stable.container, writesReplicas: router.kind === 'replicas' });
  return found ? [warning('a GitOps controller', found.warning, found.next)] : [];
}

async function capacity({ client, target, stable, scaler }: PlanWorld, extraPods: number): Promise<Check[]> {
  const { spec, metadata } = stable.deployment.spec.template;
  const quota = await check(`quotas leave room for ${extraPods} more pod${extraPods === 1 ? '' : 's'}`, () =>
    checkQuota(client, target.namespace, spec, extraPods),
  );
  const { warnings } = await readBudgets(client, target.namespace, metadata?.labels ?? {});
  const scaled = scaler ? [warnPodAveraged(scaler, stable.deployment), warnIdle(scaler)] : [];
  const told = [...warnings, ...scaled].filter((words) => words !== undefined);
  return [quota, ...told.map((words) => warning('capacity', words))];
}

/** Pods that a rolling update may run on top; the API server's default is a quarter. */
function surgeOf({ deployment, replicas }: Workload): number {
  const surge = String(deployment.spec?.strategy?.rollingUpdate?.maxSurge ?? '25%');
  return surge.endsWith('%') ? Math.ceil((Number.parseFloat(surge) * replicas) / 100) : Number.parseInt(surge, 10);
}

async function tryImage({ client, target, stable, image }: PlanWorld): Promise<void> {
  if (image === undefined || image === stable.image) return;
  await client.patch(resources.deployments, target.namespace, target.workload, setImagePatch(stable, image));
}

async function tryCanary({ client, target, stable, image, steps }: PlanWorld): Promise<void> {
  const there = await client.find(resources.deployments, target.namespace, target.canary);
  if (there) return refuseForeign(there, target.workload);
  const canary = canaryOf(stable.deployment, {
    name: target.canary,
    container: stable.container,
    image: image ?? stable.image,
    replicas: steps[0]?.canary ?? 1,
    version: null,
    rollout: 'plan',
  });
  await client.create(resources.deployments, target.namespace, canary);
}

async function tryFloor({ client, scaler, stable }: PlanWorld): Promise<void> {
  if (scaler) await raiseFloor(client, scaler, stable.replicas);
}
