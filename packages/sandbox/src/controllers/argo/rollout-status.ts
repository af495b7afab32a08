import { type KubeObject, timestamp } from '../../kube/object.js';
import { templateHash } from '../deployment-controller.js';
import { sum } from '../pod-state.js';
import { currentIndex, currentStep, describeStep, pauseLength, stepHash, stepsOf } from './canary-steps.js';
import { isAtDesiredSize, type Weights } from './canary-weights.js';
import { type Conditions, deadlineOf, noteProgress } from './rollout-conditions.js';
import { hashOf, revisionKey, type Sets } from './rollout-sets.js';

type Status = Record<string, unknown>;

interface View {
  rollout: KubeObject;
  sets: Sets;
  conditions: Conditions;
  now: number;
}

interface Pass extends View {
  weights: Weights | undefined;
  /** No ReplicaSet was sized anew in this pass. */
  settled: boolean;
  /** Hears when to look again, milliseconds since the epoch. */
  wake(at: number): void;
}

interface Said {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

interface Outcome {
  status: Status;
  /** The present template has become the stable one. */
  promoted: boolean;
  /** Events. */
  said: Said[];
}

interface Pause {
  reason: string;
  startTime: string;
}

/** Whether the template or the steps are others than the status knows. */
export function isNewUpdate(rollout: KubeObject, { fresh }: Sets): boolean {
  const { status } = rollout;
  if (status?.currentPodHash === undefined) return false;
  return status.currentPodHash !== presentHash(rollout, fresh) || status.currentStepHash !== stepHash(rollout);
}

function presentHash({ spec }: KubeObject, fresh: KubeObject | undefined): string {
  return fresh ? hashOf(fresh) : templateHash(spec.template);
}

/** The status at the beginning of an update: no pause, no abort, the first step; beyond the last one for a way back to what is stable. */
export function beginUpdate(view: View): Status {
  const { rollout, conditions, now } = view;
  const { pauseConditions, controllerPause, abort, abortedAt, promoteFull, ...status } = baseStatus(view);
  const count = stepsOf(rollout).length;
  const index = status.currentPodHash === status.stableRS ? count : 0;
  const next = { ...status, ...(count > 0 ? { currentStepIndex: index } : {}) };
  noteProgress(rollout, next, conditions, now);
  return { ...next, conditions: conditions.all };
}

/** What one pass comes to: a step completed, a pause begun or ended, an abort, a promotion. */
export function nextStatus(pass: Pass): Outcome {
  const { rollout, conditions, now, weights } = pass;
  const outcome = advance(pass, { ...baseStatus(pass), canary: weights ? { weights } : {} });
  const { status } = outcome;
  const wasPaused = rollout.spec.paused === true || (rollout.status?.pauseConditions ?? []).length > 0;
  const wasFound = rollout.status?.abort === true;
  if (!wasPaused || wasFound) noteProgress(rollout, status, conditions, now);
  const deadline = deadlineOf(rollout, conditions);
  const late = conditions.find('Progressing');
  const isLate = late?.reason === 'ProgressDeadlineExceeded';
  if (isLate && rollout.spec.progressDeadlineAbort && !status.abort && status.currentPodHash !== status.stableRS) {
    const message = `${abortMessage(rollout)}: ${late.message}`;
    outcome.said.push({ type: 'Warning', reason: 'RolloutAborted', message });
    conditions.set('Progressing', 'False', 'RolloutAborted', message);
    Object.assign(status, { abort: true, abortedAt: timestamp(now), currentStepIndex: 0 });
  } else if (!isLate && deadline !== undefined) pass.wake(deadline);
  status.conditions = conditions.all;
  return outcome;
}

/** Counts and hashes; of the rest, what was there before. */
function baseStatus({ rollout, sets: { fresh, all } }: View): Status {
  const { replicas, updatedReplicas, readyReplicas, availableReplicas, HPAReplicas, ...old } = rollout.status ?? {};
  const total = sum(all, (set) => set.status?.replicas);
  const counts = {
    replicas: total,
    HPAReplicas: total,
    updatedReplicas: fresh?.status?.replicas ?? 0,
    readyReplicas: sum(all, (set) => set.status?.readyReplicas),
    availableReplicas: sum(all, (set) => set.status?.availableReplicas),
  };
  const labels = Object.entries((rollout.spec.selector.matchLabels ?? {}) as Record<string, string>);
  return {
    ...old,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    currentPodHash: presentHash(rollout, fresh),
    currentStepHash: stepHash(rollout),
    selector: labels.map(([key, value]) => `${key}=${value}`).join(','),
  };
}

function advance(pass: Pass, base: Status): Outcome {
  const { rollout, now } = pass;
  const { pauseConditions, controllerPause, abort, abortedAt, ...status } = base;
  const count = stepsOf(rollout).length;
  const at = (index: number) => (count > 0 ? { currentStepIndex: index } : {});
  const reason = fullPromotion(pass);
  if (reason) return promotion(status, reason, at(count), rollout);
  if (status.promoteFull) return { status: { ...status, ...at(count), ...notAborted(abort) }, promoted: false, said: [] };
  if (abort) {
    const aborted = { abort: true, abortedAt: abortedAt ?? timestamp(now) };
    const said: Said[] = abortedAt ? [] : [{ type: 'Warning', reason: 'RolloutAborted', message: abortMessage(rollout) }];
    return { status: { ...status, ...aborted, ...at(status.currentPodHash === status.stableRS ? count : 0) }, promoted: false, said };
  }
  const running = { ...status, ...notAborted(abort) };
  if (hasCompletedStep(pass)) {
    const step = currentStep(rollout);
    const index = currentIndex(rollout) + 1;
    const message = `Rollout step ${index}/${count} completed (${step ? describeStep(step) : ''})`;
    return { status: { ...running, ...at(index) }, promoted: false, said: [{ type: 'Normal', reason: 'RolloutStepCompleted', message }] };
  }
  return { ...pausing(pass, { ...running, ...at(currentIndex(rollout)) }), promoted: false };
}

/** A retry leaves `abort: false` behind. */
function notAborted(abort: unknown): Status {
  return abort === undefined ? {} : { abort: false };
}

function abortMessage({ metadata }: KubeObject): string {
  return `Rollout aborted update to revision ${metadata.annotations?.[revisionKey]}`;
}

/** Why the present template becomes the stable one now; undefined when it does not. */
function fullPromotion({ rollout, sets: { fresh, stable } }: Pass): string | undefined {
  const { status, spec } = rollout;
  if (!fresh) return undefined;
  if (!stable) return 'Initial deploy';
  if ((status?.abort && !status.promoteFull) || (fresh.status?.availableReplicas ?? 0) !== (spec.replicas ?? 1)) return undefined;
  if (status?.promoteFull) return 'Full promotion requested';
  const count = stepsOf(rollout).length;
  return currentIndex(rollout) >= count ? `Completed all ${count} canary steps` : undefined;
}

function promotion({ promoteFull, ...status }: Status, reason: string, index: Status, rollout: KubeObject): Outcome {
  const promoted = status.stableRS !== status.currentPodHash;
  const revision = rollout.metadata.annotations?.[revisionKey];
  const message = `Rollout completed update to revision ${revision} (${status.currentPodHash}): ${reason}`;
  const said: Said[] = promoted ? [{ type: 'Normal', reason: 'RolloutCompleted', message }] : [];
  return { status: { ...status, ...index, stableRS: status.currentPodHash }, promoted, said };
}

function hasCompletedStep(pass: Pass): boolean {
  const { rollout, sets, now } = pass;
  const step = currentStep(rollout);
  if (!step || rollout.spec.paused) return false;
  if (!step.pause) return isAtDesiredSize(rollout, sets) && pass.settled;
  const pause = pauseOf(rollout);
  const length = pauseLength(step.pause);
  if (length === undefined) return rollout.status?.controllerPause === true && !pause;
  return pause !== undefined && now > Date.parse(pause.startTime) + length;
}

function pauseOf({ status }: KubeObject): Pause | undefined {
  return (status?.pauseConditions ?? []).find(({ reason }: Pause) => reason === 'CanaryPauseStep');
}

/** Begins the pause of the present step, and keeps one that goes on. */
function pausing({ rollout, settled, now, wake }: Pass, status: Status): { status: Status; said: Said[] } {
  const step = currentStep(rollout);
  const pauses: Pause[] = rollout.status?.pauseConditions ?? [];
  const kept = pauses.length > 0 ? { controllerPause: true, pauseConditions: pauses } : {};
  if (!step?.pause || !settled || rollout.spec.paused) return { status: { ...status, ...kept }, said: [] };
  const begun = pauseOf(rollout) ?? { reason: 'CanaryPauseStep', startTime: timestamp(now) };
  const length = pauseLength(step.pause);
  if (length !== undefined) wake(Date.parse(begun.startTime) + length);
  const isNew = pauseOf(rollout) === undefined;
  const said: Said[] = isNew ? [{ type: 'Normal', reason: 'RolloutPaused', message: 'Rollout is paused (CanaryPauseStep)' }] : [];
  return { status: { ...status, controllerPause: true, pauseConditions: isNew ? [...pauses, begun] : pauses }, said };
}
