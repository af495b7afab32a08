import { type EngineKind, type EngineView, engineWords, readLease } from '@slipway/cluster';
import { formatDuration } from '@slipway/core';
import type { RolloutDeps } from '../deps.js';
import { engineFor } from '../engines/engine-target.js';
import { recordName, rolloutStore } from '../rollout-record.js';
import { isActive } from '../state.js';
import { type Check, check } from './check.js';
import { dryRunOnly } from './dry-run.js';
import { engineAccess } from './engine-access.js';
import type { Planned, PlanOptions } from './plan.js';
import { planReport } from './plan-report.js';
import type { PlannedStep } from './plan-steps.js';
import { verdictOf } from './plan-verdict.js';
import { missingOf, reviewAccess } from './review-access.js';

/**
 * The same for a service whose traffic a controller moves: its steps are the controller's, and what is tried by dry run are the patches that its
 * own command line would send. Reasons of errors: those of RolloutEngine.check.
 */
export async function planEngine(deps: RolloutDeps, kind: EngineKind, { image: asked, provider }: PlanOptions): Promise<Planned> {
  const { target, context } = deps;
  const client = dryRunOnly(deps.client.withSignal(context.signal));
  const access = await reviewAccess(deps.client.withSignal(context.signal), target.namespace, engineAccess(target, kind, provider));
  const nothing = { steps: [], end: ['the controller goes by its own object'], access, checks: [], rollback: [], holder: null };
  if (missingOf(access).length > 0) {
    return {
      verdict: verdictOf(nothing, asked ?? 'the next image', undefined),
      state: undefined,
      plan: nothing,
      report: planReport(nothing, undefined),
    };
  }
  const engine = engineFor(client, target, kind);
  const view = await engine.check();
  const state = (await rolloutStore(client, target.namespace, target.workload).read())?.value;
  const going = isActive(state) ? state : undefined;
  const image = going?.image.to ?? asked;
  const checks: Check[] = [
    { what: `${engine.objectKind} ${target.workload}`, outcome: view.broken === null ? 'ok' : 'refused', words: wordsOf(view), next: [] },
  ];
  if (!going && image !== undefined && image !== view.image.stable) {
    checks.push(await check('the new image is accepted (dry run)', () => engine.start(image, { id: 'plan', version: null })));
  }
  const rollback = going ? [await check(`the way back is accepted (dry run): ${engine.abortWords()}`, () => engine.abort())] : [];
  const holder = (await readLease(client, target.namespace, recordName(target.workload)))?.holder ?? null;
  const end = [`the controller makes ${image ?? 'the new image'} the only version`, 'wait until it says so'];
  const plan = { steps: stepsOf(view), end, access, checks, rollback, holder };
  return { verdict: verdictOf(plan, image ?? 'the next image', going), state, plan, report: planReport(plan, going) };
}

function wordsOf(view: EngineView): string {
  return [engineWords(view), view.broken].filter(Boolean).join(': ');
}

function stepsOf({ steps, step: now, replicas, standing }: EngineView): PlannedStep[] {
  const underway = standing === 'underway' || standing === 'promoting';
  return steps.map(({ weight, pause }, index) => ({
    step: index + 1,
    routing: { weight, mirror: 0, match: false },
    stable: replicas,
    canary: Math.max(1, Math.ceil((weight * replicas) / 100)),
    duration: pause ?? 0,
    changes: [pauseWords(pause)],
    state: !underway || index > now ? 'to come' : index < now ? 'done' : 'in force',
  }));
}

function pauseWords(pause: number | null | undefined): string {
  if (pause === undefined) return 'the controller’s own analysis';
  return pause === null ? 'the controller rests until somebody promotes' : `the controller rests for ${formatDuration(pause)}`;
}
