import {
  canaryOf,
  checkQuota,
  type KubeClient,
  readBudgets,
  refuseForeign,
  refuseUnready,
  resources,
  type Scaler,
  setImagePatch,
  type TrafficRouter,
  type Workload,
  warnIdle,
  warnPodAveraged,
} from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { refuseRecreate, refuseUnroutable } from '../begin.js';
import type { RolloutTarget } from '../target.js';
import type { PlannedStep } from './plan-steps.js';

/** Something that was looked at: `refused` would stop the rollout, `warning` would not. */
export interface Check {
  what: string;
  outcome: 'ok' | 'warning' | 'refused';
  words: string;
  next: readonly string[];
}

export interface PlanWorld {
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
  const { target } = world;
  const checks: Check[] = [await check('the Deployment can be released', async () => refuseUnready(world.stable))];
  checks.push(await check('the new image is accepted (dry run)', () => tryImage(world)));
  if (target.strategy === 'rolling') return [...checks, ...(await capacity(world, surgeOf(world)))];
  checks.push(await check('it can run beside a canary', async () => refuseRecreate(world.stable)));
  checks.push(await check('the route can be split', () => refuseUnroutable(world.client, target, world.stable, world.router)));
  checks.push(await check('the canary is accepted (dry run)', () => tryCanary(world)));
  const first = world.steps[0];
  if (first) checks.push(await check('the first step’s route is accepted (dry run)', () => tryRoute(world, first)));
  return [...checks, ...(await capacity(world, Math.max(0, ...world.steps.map(({ canary }) => canary))))];
}

async function capacity({ client, target, stable, scaler }: PlanWorld, extraPods: number): Promise<Check[]> {
  const { spec, metadata } = stable.deployment.spec.template;
  const quota = await check(`quotas leave room for ${extraPods} more pods`, () => checkQuota(client, target.namespace, spec, extraPods));
  const { warnings } = await readBudgets(client, target.namespace, metadata?.labels ?? {});
  const scaled = scaler ? [warnPodAveraged(scaler, stable.deployment), warnIdle(scaler), floorWords(scaler, stable)] : [];
  const told = [...warnings, ...scaled].filter((words) => words !== undefined);
  return [quota, ...told.map((words): Check => ({ what: 'capacity', outcome: 'warning', words, next: [] }))];
}

function floorWords({ kind, name, min, max }: Scaler, { replicas }: Workload): string | undefined {
  if (min >= replicas) return undefined;
  const what = kind === 'hpa' ? 'HorizontalPodAutoscaler' : 'ScaledObject';
  return `${what} ${name} (${min}–${max}) is kept from going below ${replicas} until the rollout is over.`;
}

/** Pods that a rolling update may run on top; the API server's default is a quarter. */
function surgeOf({ stable: { deployment, replicas } }: PlanWorld): number {
  const surge = String(deployment.spec?.strategy?.rollingUpdate?.maxSurge ?? '25%');
  return surge.endsWith('%') ? Math.ceil((Number.parseFloat(surge) * replicas) / 100) : Number.parseInt(surge, 10);
}

async function tryImage({ client, target, stable, image }: PlanWorld): Promise<void> {
  if (image === undefined || image === stable.image) return;
  await client.patch(resources.deployments, target.namespace, target.workload, setImagePatch(stable, image), { dryRun: true });
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
  await client.create(resources.deployments, target.namespace, canary, { dryRun: true });
}

async function tryRoute({ client, router }: PlanWorld, { routing }: PlannedStep): Promise<void> {
  // Where the number of pods is the route, the canary has to be there before it can be scaled.
  if (router.kind === 'replicas') return;
  for (const { resource, namespace, name, patch } of await router.writes(routing)) {
    await client.patch(resource, namespace, name, patch, { dryRun: true });
  }
}

/** What a check refuses is told with all the others, not in place of them; what it returns are warnings. */
export async function check(what: string, body: () => Promise<void | readonly string[]>): Promise<Check> {
  try {
    const warnings = (await body()) ?? [];
    return { what, outcome: warnings.length > 0 ? 'warning' : 'ok', words: warnings.join(' '), next: [] };
  } catch (error) {
    if (!(error instanceof OperationError) || error.reason === 'UNAUTHENTICATED' || error.reason === 'API_UNAVAILABLE') throw error;
    return { what, outcome: 'refused', words: `${error.message} [${error.reason}]`, next: error.next };
  }
}
