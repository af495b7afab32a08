import type { KubeObject } from '../kube.js';
import { REVISION_ANNOTATION } from '../names.js';
import { selectorOf } from '../workloads/children.js';
import { progressOf } from '../workloads/progress.js';
import { describe, workloadOf } from '../workloads/workload.js';
import type { EngineCheck, EngineView, Standing } from './engine.js';
import { goDuration } from './go-duration.js';

/** A Canary, the Deployment that it analyses, and the copy of it that serves by default; undefined before Flagger has made that. */
export interface FlaggerObjects {
  canary: KubeObject;
  target: KubeObject;
  primary: KubeObject | undefined;
}

/** Flagger looks at a Canary at this interval when it does not say another, and never more often than each ten seconds. */
const DEFAULT_INTERVAL = 60_000;
const SHORTEST_INTERVAL = 10_000;
const DEFAULT_DEADLINE = 600_000;

/** What a Canary says of itself, in the words that engines share. Pure; every field of the status may be missing. */
export function flaggerView({ canary, target, primary }: FlaggerObjects, container: string | undefined): EngineView {
  const { status = {}, spec = {} } = canary;
  const { image: desired, container: released } = workloadOf(target, container);
  const stable = primary ? workloadOf(primary, released) : undefined;
  const weight = wholeOf(status.canaryWeight);
  const phase = textOf(status.phase);
  const standing = standingOf(phase, desired === stable?.image);
  return {
    engine: 'flagger',
    object: describe(canary),
    standing,
    settled: isSettled(standing, weight, primary),
    phase,
    message: messageOf(status),
    image: { desired, stable: stable?.image ?? null },
    weight,
    ...stepsOf(canary, weight),
    ...pauseOf(canary, phase),
    broken: null,
    checks: checksOf(canary),
    tracks: {
      stable: primary ? selectorOf(primary) : selectorOf(target),
      canary: standing === 'underway' || standing === 'promoting' ? selectorOf(target) : null,
    },
    replicas: stable?.replicas ?? target.spec?.replicas ?? 1,
    revision: target.metadata.annotations?.[REVISION_ANNOTATION] ?? null,
    looksEvery: intervalOf(canary),
    mark: `${phase}/${textOf(conditionOf(status)?.lastUpdateTime)}/${weight}/${spec.suspend === true}`,
  };
}

/** The analysis of a Canary; `canaryAnalysis` is its name in older objects. Pure. */
// biome-ignore lint/suspicious/noExplicitAny: a part of a custom resource, of which only some fields are read
export function analysisOf({ spec }: KubeObject): any {
  return spec?.analysis ?? spec?.canaryAnalysis ?? {};
}

/** How many failed checks make Flagger roll back: 1 when the Canary does not say. Pure. */
export function thresholdOf(canary: KubeObject): number {
  return wholeOf(analysisOf(canary).threshold) || 1;
}

function standingOf(phase: string, same: boolean): Standing {
  switch (phase) {
    case '':
    case 'Initializing':
      return 'unready';
    case 'Initialized':
    case 'Succeeded':
      return same ? 'stable' : 'unseen';
    case 'Failed':
      return same ? 'stable' : 'aborted';
    // It waits to be allowed to begin, and what it would begin was taken back.
    case 'Waiting':
      return same ? 'stable' : 'underway';
    case 'Promoting':
    case 'Finalising':
      return 'promoting';
    case 'Terminating':
    case 'Terminated':
      return 'unready';
    default:
      return 'underway';
  }
}

/** Flagger says `Succeeded` as soon as the primary has the new template when the analysis is left out; its pods may be yet to come. */
function isSettled(standing: Standing, weight: number, primary: KubeObject | undefined): boolean {
  if (standing === 'aborted') return weight === 0;
  return standing === 'stable' && primary !== undefined && progressOf(primary, 0).ready;
}

function stepsOf(canary: KubeObject, weight: number): Pick<EngineView, 'steps' | 'step'> {
  const weights = weightsOf(canary);
  // How long a weight stays is up to Flagger's checks, which may halt it.
  const steps = weights.map((each) => ({ weight: each, pause: undefined }));
  const began = wholeOf(canary.status?.iterations) > 0;
  return { steps, step: weights.filter((each) => each <= weight && (each > 0 || began)).length - 1 };
}

/** The weights that Flagger goes through; a Canary with `iterations` (A/B tests, blue/green) has none but that of its whole test. */
function weightsOf(canary: KubeObject): number[] {
  const { stepWeights, stepWeight, maxWeight, iterations } = analysisOf(canary);
  if (wholeOf(iterations) > 0) return [0];
  if (Array.isArray(stepWeights) && stepWeights.length > 0) return stepWeights.map(wholeOf);
  const step = wholeOf(stepWeight);
  const max = wholeOf(maxWeight) || 100;
  return step === 0 ? [] : Array.from({ length: Math.ceil(max / step) }, (_, index) => Math.min(100, (index + 1) * step));
}

function intervalOf(canary: KubeObject): number {
  return Math.max(SHORTEST_INTERVAL, goDuration(analysisOf(canary).interval) ?? DEFAULT_INTERVAL);
}

/** A check that fails keeps the weight where it is, up to the threshold; pods that do not get ready, up to the deadline. */
function pauseOf(canary: KubeObject, phase: string): Pick<EngineView, 'held' | 'rests' | 'canAdvance'> {
  if (canary.spec?.suspend === true) return { held: 'spec.suspend', rests: null, canAdvance: true };
  if (phase === 'Waiting' || phase === 'WaitingPromotion')
    return { held: `${phase}: a webhook has not confirmed`, rests: null, canAdvance: false };
  const deadline = wholeOf(canary.spec?.progressDeadlineSeconds) * 1000 || DEFAULT_DEADLINE;
  return { held: null, rests: deadline + intervalOf(canary) * 3, canAdvance: false };
}

function checksOf(canary: KubeObject): EngineCheck[] {
  const failed = wholeOf(canary.status?.failedChecks);
  if (failed === 0) return [];
  return [{ name: 'failedChecks', phase: 'Failed', message: `${failed} of ${thresholdOf(canary)} that it allows` }];
}

function messageOf(status: KubeObject['status']): string {
  return textOf(conditionOf(status)?.message);
}

function conditionOf(status: KubeObject['status']): { message?: unknown; lastUpdateTime?: unknown } | undefined {
  const conditions: { type?: string; message?: unknown; lastUpdateTime?: unknown }[] = Array.isArray(status?.conditions)
    ? status.conditions
    : [];
  return conditions.find(({ type }) => type === 'Promoted');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function wholeOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
