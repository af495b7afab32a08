import type { KubeObject } from '../kube.js';
import { selectorOf } from '../workloads/children.js';
import { describe, workloadOf } from '../workloads/workload.js';
import type { EngineCheck, EngineView, Standing } from './engine.js';
import { goDuration } from './go-duration.js';

/** Set by the Rollouts controller on ReplicaSets and their pods. */
export const ROLLOUT_HASH_LABEL = 'rollouts-pod-template-hash';
/** Set by it on Rollouts and ReplicaSets. */
export const ROLLOUT_REVISION = 'rollout.argoproj.io/revision';
/** Set by it on a Rollout with a workloadRef: the generation of that workload which it has read. */
const WORKLOAD_GENERATION = 'rollout.argoproj.io/workload-generation';

/** A Rollout and what belongs to it. */
export interface ArgoObjects {
  rollout: KubeObject;
  /** Whose pod template names the image: the Rollout itself, or the Deployment that its `workloadRef` names. */
  templated: KubeObject;
  /** Image of the released container in the ReplicaSet that `status.stableRS` names; null before there is one. */
  stableImage: string | null;
}

/** What a Rollout says of itself, in the words that engines share. Pure; every field of the status may be missing. */
export function argoView({ rollout, templated, stableImage }: ArgoObjects, container: string | undefined): EngineView {
  const { spec = {}, status = {} } = rollout;
  const { image } = workloadOf(templated, container);
  const stableHash = textOf(status.stableRS);
  const currentHash = textOf(status.currentPodHash);
  const standing = standingOf(rollout, templated);
  const weight = weightOf(rollout);
  const selector = selectorOf(templated);
  return {
    engine: 'argo-rollouts',
    object: describe(rollout),
    standing,
    settled: isSettled(rollout, standing, weight),
    phase: textOf(status.phase),
    message: textOf(status.message),
    image: { desired: image, stable: stableImage },
    weight,
    ...stepsOf(rollout),
    ...pauseOf(rollout),
    broken: brokenOf(rollout, standing),
    checks: checksOf(status),
    tracks: {
      stable: `${selector},${ROLLOUT_HASH_LABEL}=${stableHash}`,
      canary: currentHash === '' || currentHash === stableHash ? null : `${selector},${ROLLOUT_HASH_LABEL}=${currentHash}`,
    },
    replicas: spec.replicas ?? 1,
    revision: rollout.metadata.annotations?.[ROLLOUT_REVISION] ?? null,
    looksEvery: 0,
    mark: markOf(rollout),
  };
}

/** Whether the controller has acted on the latest spec. `status.observedGeneration` is a string (Rollouts v1alpha1). Pure. */
export function isObserved({ metadata, status = {} }: KubeObject, templated: KubeObject): boolean {
  const observed = Number(textOf(status.observedGeneration) || Number.NaN);
  if (!(observed >= (metadata.generation ?? 0))) return false;
  // The pauses were cleared, and the controller has not seen it yet.
  if (status.controllerPause === true && (status.pauseConditions ?? []).length === 0) return false;
  return templated.kind === 'Rollout' || seesWorkload(metadata.annotations, status, templated);
}

function seesWorkload(annotations: Record<string, string> | undefined, status: KubeObject['status'], workload: KubeObject): boolean {
  const generation = workload.metadata.generation ?? 0;
  const read = Number(annotations?.[WORKLOAD_GENERATION] ?? 0);
  return read >= generation && Number(textOf(status.workloadObservedGeneration) || 0) >= generation;
}

function standingOf(rollout: KubeObject, templated: KubeObject): Standing {
  const { status = {}, spec = {} } = rollout;
  const current = textOf(status.currentPodHash);
  if (!isObserved(rollout, templated)) return 'unseen';
  if (status.abort === true) return 'aborted';
  if (current === '') return 'unready';
  if (current === status.stableRS) return status.phase === 'Healthy' || spec.paused === true ? 'stable' : 'restoring';
  const steps: object[] = spec.strategy?.canary?.steps ?? [];
  const pastSteps = spec.strategy?.canary !== undefined && (status.currentStepIndex ?? 0) >= steps.length;
  return status.promoteFull === true || pastSteps || textOf(status.blueGreen?.activeSelector) === current ? 'promoting' : 'underway';
}

function isSettled(rollout: KubeObject, standing: Standing, weight: number): boolean {
  if (standing === 'aborted') return textOf(rollout.status?.abortedAt) !== '' && weight === 0;
  return standing === 'stable';
}

/** By the weights that the controller wrote last; without a traffic router, by its steps, and by pods once it has been aborted. */
function weightOf({ spec = {}, status = {} }: KubeObject): number {
  if (status.currentPodHash === status.stableRS) return 0;
  if (spec.strategy?.blueGreen) return status.blueGreen?.activeSelector === status.currentPodHash ? 100 : 0;
  if (spec.strategy?.canary?.trafficRouting) return percentOf(status.canary?.weights?.canary?.weight);
  if (status.abort !== true) return weightsBefore(spec, status.currentStepIndex ?? 0).at(-1) ?? 0;
  const pods = Number(status.replicas ?? 0);
  return pods > 0 ? Math.round((100 * Number(status.updatedReplicas ?? 0)) / pods) : 0;
}

interface ArgoStep {
  setWeight?: number;
  pause?: { duration?: number | string };
  analysis?: object;
}

function stepsOf({ spec = {}, status = {} }: KubeObject): Pick<EngineView, 'steps' | 'step'> {
  // Nobody meets the preview; it is looked at before the switch.
  if (spec.strategy?.blueGreen) {
    const shown = (status.pauseConditions ?? []).length > 0 || status.blueGreen?.activeSelector === status.currentPodHash;
    return { steps: [{ weight: 0, pause: null }], step: shown ? 0 : -1 };
  }
  const list: ArgoStep[] = spec.strategy?.canary?.steps ?? [];
  const steps = list.flatMap((step, index) =>
    step.setWeight === undefined ? [] : [{ weight: percentOf(step.setWeight), pause: pauseAfter(list, index) }],
  );
  return { steps, step: weightsBefore(spec, status.currentStepIndex ?? 0).length - 1 };
}

/** Between one weight and the next: the pauses added up; null: one of them has no end; undefined: an analysis without an end of its own. */
function pauseAfter(list: readonly ArgoStep[], from: number): number | null | undefined {
  const rest = list.slice(from + 1);
  const next = rest.findIndex(({ setWeight }) => setWeight !== undefined);
  const between = next < 0 ? rest : rest.slice(0, next);
  const pauses = between.flatMap(({ pause }) =>
    pause ? [pause.duration === undefined ? null : (goDuration(pause.duration) ?? null)] : [],
  );
  if (pauses.includes(null)) return null;
  const analysed = between.some(({ analysis }) => analysis !== undefined);
  return analysed && pauses.length === 0 ? undefined : pauses.reduce<number>((sum, pause) => sum + (pause ?? 0), 0);
}

function weightsBefore(spec: KubeObject['spec'], index: number): number[] {
  const list: ArgoStep[] = spec?.strategy?.canary?.steps ?? [];
  return list.slice(0, index).flatMap(({ setWeight }) => (setWeight === undefined ? [] : [percentOf(setWeight)]));
}

function pauseOf({ spec = {}, status = {} }: KubeObject): Pick<EngineView, 'held' | 'rests' | 'canAdvance'> {
  const step: ArgoStep | undefined = spec.strategy?.canary?.steps?.[status.currentStepIndex ?? 0];
  const conditions: { reason?: string }[] = status.pauseConditions ?? [];
  const reason = textOf(conditions[0]?.reason);
  if (spec.paused === true) return { held: 'spec.paused', rests: null, canAdvance: true };
  if (reason === 'CanaryPauseStep' && step?.pause?.duration !== undefined) {
    return { held: null, rests: goDuration(step.pause.duration) ?? null, canAdvance: true };
  }
  const auto = spec.strategy?.blueGreen?.autoPromotionSeconds;
  if (reason === 'BlueGreenPause' && typeof auto === 'number' && auto > 0) return { held: null, rests: auto * 1000, canAdvance: true };
  if (reason !== '') return { held: reason, rests: null, canAdvance: true };
  const waits = step?.analysis !== undefined || (step !== undefined && step.setWeight === undefined && step.pause === undefined);
  return { held: null, rests: waits || checksOf(status).some(({ phase }) => phase === 'Running') ? null : 0, canAdvance: false };
}

function markOf({ status = {} }: KubeObject): string {
  const pause = textOf(status.pauseConditions?.[0]?.startTime);
  const { observedGeneration, currentPodHash, abortedAt } = status;
  return [textOf(observedGeneration), textOf(currentPodHash), textOf(abortedAt), String(status.currentStepIndex ?? ''), pause].join('/');
}

/** Degraded after an abort is how an abort ends; Degraded without one is not. */
function brokenOf({ status = {} }: KubeObject, standing: Standing): string | null {
  if (standing === 'aborted' || standing === 'unseen' || status.phase !== 'Degraded') return null;
  return textOf(status.message) || 'Degraded';
}

function checksOf(status: KubeObject['status']): EngineCheck[] {
  const { canary = {}, blueGreen = {} } = status ?? {};
  const runs = [
    canary.currentStepAnalysisRunStatus,
    canary.currentBackgroundAnalysisRunStatus,
    blueGreen.prePromotionAnalysisRunStatus,
    blueGreen.postPromotionAnalysisRunStatus,
  ];
  return runs
    .filter((run) => run !== undefined && run !== null)
    .map((run) => ({ name: textOf(run.name), phase: textOf(run.status), message: textOf(run.message) }));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function percentOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : 0;
}
