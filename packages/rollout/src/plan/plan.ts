import { adoptionPatch, type KubeClient, readLease, readWorkload, type Scaler, type TrafficRouter, type Workload } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { RolloutDeps } from '../deps.js';
import { engineKindOf } from '../engines/engine-target.js';
import { scalerOf } from '../floor.js';
import { recordName, rolloutStore } from '../rollout-record.js';
import { isActive, type RolloutState } from '../state.js';
import type { RolloutTarget } from '../target.js';
import type { Verdict } from '../verdicts.js';
import { inProgress } from '../verdicts.js';
import { routerOf } from '../world.js';
import { accessWords } from './access.js';
import { type Check, check } from './check.js';
import { dryRunOnly } from './dry-run.js';
import { checkPlan, checkRoute, type PlanWorld } from './plan-checks.js';
import { planEngine } from './plan-engine.js';
import { planReport } from './plan-report.js';
import { checkRollback } from './plan-rollback.js';
import { type PlannedFrom, type PlannedStep, planEnd, planSteps } from './plan-steps.js';
import { verdictOf } from './plan-verdict.js';
import { type Known, requiredAccess } from './required-access.js';
import { missingOf, type ReviewedAccess, reviewAccess } from './review-access.js';

/** What a rollout would do, and whether it could; plain JSON. */
export interface Plan {
  /** Empty for a rolling release, and when permissions are missing to look. */
  steps: PlannedStep[];
  /** What follows the last step. */
  end: string[];
  access: ReviewedAccess[];
  checks: Check[];
  /** Whether users could be sent back now. */
  rollback: Check[];
  /** Who works on the target, if anybody does. */
  holder: string | null;
}

export interface Planned {
  verdict: Verdict;
  state: RolloutState | undefined;
  plan: Plan;
  /** Markdown. */
  report: string;
}

export interface PlanOptions {
  /** What would be released; undefined: the next image, whatever it is. */
  image: string | undefined;
  /** Where the analysis gets its numbers. */
  provider: 'pods' | 'prometheus';
}

/**
 * What a rollout of `image` would do, step by step, what it needs, and whether the way back works now. Changes nothing: reads, access reviews
 * and dry runs alone. Reason of errors: WORKLOAD_NOT_FOUND.
 */
export async function readPlan(deps: RolloutDeps, options: PlanOptions): Promise<Planned> {
  const kind = engineKindOf(deps.target);
  if (kind) return planEngine(deps, kind, options);
  const reviewed = await reviewAll(deps, requiredAccess(deps.target, options), []);
  // Without a right, what needs it would only say so again.
  if (missingOf(reviewed).length > 0) return planned(unseen(reviewed, deps.target), options.image, undefined);
  return planSeen(deps, options, reviewed);
}

async function planSeen(deps: RolloutDeps, { image: asked, provider }: PlanOptions, reviewed: ReviewedAccess[]): Promise<Planned> {
  const { clock, signal } = deps.context;
  const client = dryRunOnly(deps.client.withSignal(signal));
  const { namespace, workload } = deps.target;
  const state = (await rolloutStore(client, namespace, workload).read())?.value;
  const going = isActive(state) ? state : undefined;
  const target = going?.target ?? deps.target;
  const stable = await readWorkload(client, namespace, workload, target.container);
  const { scaler, refused } = await readScaler(client, target);
  const needed = requiredAccess(target, { provider, stable, scaler } satisfies Known);
  const access = await reviewAll(deps, needed, reviewed);
  const replicas = going?.replicas ?? stable.replicas;
  const router = routerOf(client, target, { clock, signal, replicas, state: going });
  // How many pods it may run decides about the ratios that they can make.
  if (router.kind === 'replicas') await router.read();
  const from = plannedFrom(stable, router, scaler, replicas);
  const steps = planSteps(target, router, from, going);
  const image = going?.image.to ?? asked;
  const world: PlanWorld = { client, target, stable, router, scaler, steps, image };
  const allowed = missingOf(access).length === 0;
  const checks = !allowed ? [] : going ? await checkRoute(world, steps.slice(going.step + 1)) : await checkPlan(world);
  const rollback = allowed ? await checkRollback({ client, target, stable, router, state }) : [];
  const holder = (await readLease(client, namespace, recordName(workload)))?.holder ?? null;
  const plan = { steps, end: planEnd(target, router, from), access, checks: [...refused, ...checks], rollback, holder };
  const seen = planned(plan, image, state);
  // Another release would be refused, whatever else is as it should be.
  return going && asked !== undefined && asked !== image ? { ...seen, verdict: inProgress(going, asked) } : seen;
}

function planned(plan: Plan, image: string | undefined, state: RolloutState | undefined): Planned {
  const going = isActive(state) ? state : undefined;
  return { verdict: verdictOf(plan, image ?? 'the next image', going), state, plan, report: planReport(plan, going) };
}

/** The reviews of all that is needed; what was reviewed before is not asked again. */
async function reviewAll({ client, context, target }: RolloutDeps, needed: ReturnType<typeof requiredAccess>, known: ReviewedAccess[]) {
  const before = new Map(known.map((each) => [accessWords(each), each.allowed]));
  const fresh = await reviewAccess(
    client.withSignal(context.signal),
    target.namespace,
    needed.filter((each) => !before.has(accessWords(each))),
  );
  const answers = new Map([...before, ...fresh.map((each) => [accessWords(each), each.allowed] as const)]);
  return needed.map((each): ReviewedAccess => ({ ...each, allowed: answers.get(accessWords(each)) ?? null }));
}

/** A plan by somebody who may not look. */
function unseen(access: ReviewedAccess[], target: RolloutTarget): Plan {
  return { steps: [], end: planEnd(target, {}, {}), access, checks: [], rollback: [], holder: null };
}

/** The autoscaler, or why it cannot be read: one that KEDA made needs a right more, two of them fight each other. */
async function readScaler(client: KubeClient, target: RolloutTarget): Promise<{ scaler: Scaler | null; refused: Check[] }> {
  if (target.strategy === 'rolling') return { scaler: null, refused: [] };
  let scaler: Scaler | null = null;
  const read = await check('its autoscaler can be read', async () => {
    scaler = await scalerOf(client, target);
  });
  return { scaler, refused: read.outcome === 'refused' ? [read] : [] };
}

function plannedFrom(stable: Workload, { kind }: TrafficRouter, scaler: Scaler | null, replicas: number): PlannedFrom {
  const tracked = isTracked(stable);
  // Where pods are the route their number is what the rollout began with; elsewhere what an autoscaler has added counts, too.
  if (kind === 'replicas') return { replicas, tracked };
  const raised = scaler && scaler.min < replicas;
  const floorOf = raised ? `${scaler.kind === 'hpa' ? 'HorizontalPodAutoscaler' : 'ScaledObject'} ${scaler.name}` : undefined;
  return { replicas: Math.max(replicas, stable.replicas), tracked, floorOf };
}

/** A label that means something else is told by a check. */
function isTracked({ deployment }: Workload): boolean {
  try {
    return adoptionPatch(deployment) === undefined;
  } catch (error) {
    if (error instanceof OperationError) return false;
    throw error;
  }
}
