import { type KubeObject, timestamp } from '../../kube/object.js';
import type { Store } from '../../kube/store.js';
import type { GroundTruth } from '../../traffic/ground-truth.js';
import { templateHash } from '../deployment-controller.js';
import type { EventRecorder } from '../events.js';
import { conditionOf } from '../pod-state.js';
import { failedCheck, intervalOf } from './flagger-analysis.js';
import { FlaggerObjects } from './flagger-objects.js';

type Phase = 'Initializing' | 'Initialized' | 'Progressing' | 'Promoting' | 'Finalising' | 'Succeeded' | 'Failed';

/** `status.conditions`, type Promoted. */
const promoted: Record<Phase, [status: string, message: string]> = {
  Initializing: ['Unknown', 'Waiting for Deployment initialization.'],
  Initialized: ['True', 'Deployment initialization completed.'],
  Progressing: ['Unknown', 'New revision detected, progressing canary analysis.'],
  Promoting: ['Unknown', 'Canary analysis completed, starting primary rolling update.'],
  Finalising: ['Unknown', 'Canary analysis completed, routing all traffic to primary.'],
  Succeeded: ['True', 'Canary analysis completed successfully, promotion finished.'],
  Failed: ['False', 'Canary analysis failed, Deployment scaled to zero.'],
};

/**
 * Flagger's controller for a Deployment with progressive traffic by Istio (flagger v1.41, pkg/controller/scheduler.go). Knows stepWeight(s),
 * maxWeight, threshold, its built-in metrics, suspend and skipAnalysis. Not: webhooks, A/B, mirrors, iterations, autoscalers, config tracking.
 */
export class FlaggerController {
  private readonly objects: FlaggerObjects;
  private readonly looks = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    private readonly truth: GroundTruth,
    private readonly now: () => number,
  ) {
    this.objects = new FlaggerObjects(store);
  }

  /** Looks at every Canary whose interval has passed. Called some 20 times a second. */
  tick(): void {
    const now = this.now();
    for (const canary of this.store.list('Canary')) {
      const { uid } = canary.metadata;
      const due = this.looks.get(uid) ?? now;
      if (now < due) continue;
      this.looks.set(uid, due + intervalOf(canary));
      if (!canary.spec.suspend && !canary.metadata.deletionTimestamp) this.advance(canary);
    }
  }

  private advance(canary: KubeObject): void {
    const target = this.objects.target(canary);
    if (!target)
      return this.warn(canary, `deployment ${canary.spec.targetRef.name}.${canary.metadata.namespace} get query error: not found`);
    const phase: Phase | undefined = canary.status?.phase;
    this.objects.ensureTracks(canary, target);
    const primary = this.objects.ensurePrimary(canary, target);
    if (phase === undefined || phase === 'Initializing') return this.initialize(canary, target, primary);
    this.objects.takeOver(canary, target);
    const revision = templateHash(target.spec.template);
    const isNew = revision !== canary.status.lastAppliedSpec;
    if (['Initialized', 'Succeeded', 'Failed'].includes(phase)) {
      if (isNew) this.begin(canary, target, primary, revision);
      return;
    }
    if (!isServing(primary))
      return this.say(canary, `primary deployment ${primary.metadata.name} not ready: waiting for rollout to finish`);
    if (phase === 'Progressing' && isNew) return this.restart(canary, revision);
    if (!isServing(target)) return this.awaitCanary(canary, target);
    if (phase === 'Promoting') return this.finalise(canary);
    if (phase === 'Finalising') return this.succeed(canary, target);
    if (canary.spec.skipAnalysis) return this.promote(canary, target);
    this.judge(canary, target);
  }

  private initialize(canary: KubeObject, target: KubeObject, primary: KubeObject): void {
    if (!isServing(primary)) {
      this.setPhase(canary, 'Initializing', {});
      return this.say(canary, `${primary.metadata.name} not ready: waiting for rollout to finish`);
    }
    this.objects.takeOver(canary, target);
    this.objects.scale(target, 0);
    const revision = templateHash(target.spec.template);
    this.setPhase(canary, 'Initialized', {
      canaryWeight: 0,
      failedChecks: 0,
      iterations: 0,
      lastAppliedSpec: revision,
      lastPromotedSpec: revision,
    });
    this.say(canary, `Initialization done! ${canary.metadata.name}.${canary.metadata.namespace}`);
  }

  private begin(canary: KubeObject, target: KubeObject, primary: KubeObject, revision: string): void {
    this.objects.scale(target, primary.spec.replicas ?? 1);
    this.setPhase(canary, 'Progressing', { canaryWeight: 0, failedChecks: 0, iterations: 0, lastAppliedSpec: revision });
    this.say(canary, `New revision detected! Scaling up ${target.metadata.name}.${target.metadata.namespace}`);
  }

  private restart(canary: KubeObject, revision: string): void {
    this.objects.setWeight(canary, 0);
    this.setPhase(canary, 'Progressing', { canaryWeight: 0, failedChecks: 0, iterations: 0, lastAppliedSpec: revision });
    this.say(canary, `New revision detected! Restarting analysis for ${canary.spec.targetRef.name}.${canary.metadata.namespace}`);
  }

  /** Time without a ready canary is no failed check; only its deadline ends it. */
  private awaitCanary(canary: KubeObject, target: KubeObject): void {
    const deadline = (canary.spec.progressDeadlineSeconds ?? 600) * 1000;
    const isLate = this.now() - Date.parse(canary.status.lastTransitionTime) > deadline;
    if (!isLate) return this.say(canary, `canary deployment ${target.metadata.name} not ready: waiting for rollout to finish`);
    this.warn(canary, `Rolling back ${canary.metadata.name}.${canary.metadata.namespace} progress deadline exceeded`);
    this.rollBack(canary, target);
  }

  /** The threshold is looked at before the analysis: the way back comes one look after the last failure. */
  private judge(canary: KubeObject, target: KubeObject): void {
    const { threshold = 1 } = canary.spec.analysis ?? {};
    const failed: number = canary.status.failedChecks ?? 0;
    if (failed >= threshold) {
      this.warn(canary, `Rolling back ${canary.metadata.name}.${canary.metadata.namespace} failed checks threshold reached ${failed}`);
      return this.rollBack(canary, target);
    }
    const weight = this.objects.weight(canary);
    const failure = weight === 0 ? undefined : failedCheck(canary, this.truth, this.now());
    if (failure) {
      this.warn(canary, failure);
      return this.setStatus(canary, { failedChecks: failed + 1 });
    }
    if (weight >= greatestWeight(canary)) return this.promote(canary, target);
    const next = nextWeight(canary, weight);
    this.objects.setWeight(canary, next);
    this.setStatus(canary, { canaryWeight: next });
    this.say(canary, `Advance ${canary.metadata.name}.${canary.metadata.namespace} canary weight ${next}`);
  }

  private promote(canary: KubeObject, target: KubeObject): void {
    this.objects.promote(canary, target);
    this.say(canary, `Copying ${target.metadata.name}.${target.metadata.namespace} template spec to ${target.metadata.name}-primary`);
    this.setPhase(canary, 'Promoting', {});
  }

  private finalise(canary: KubeObject): void {
    this.objects.setWeight(canary, 0);
    this.say(canary, 'Routing all traffic to primary');
    this.setPhase(canary, 'Finalising', { canaryWeight: 0 });
  }

  private succeed(canary: KubeObject, target: KubeObject): void {
    this.objects.scale(target, 0);
    this.setPhase(canary, 'Succeeded', { lastPromotedSpec: canary.status.lastAppliedSpec });
    this.say(canary, `Promotion completed! Scaling down ${target.metadata.name}.${target.metadata.namespace}`);
  }

  private rollBack(canary: KubeObject, target: KubeObject): void {
    this.objects.setWeight(canary, 0);
    this.objects.scale(target, 0);
    this.setPhase(canary, 'Failed', { canaryWeight: 0 });
    this.warn(canary, `Canary failed! Scaling down ${target.metadata.name}.${target.metadata.namespace}`);
  }

  private setPhase(canary: KubeObject, phase: Phase, changes: object): void {
    const [status, message] = promoted[phase];
    const at = timestamp(this.now());
    const old = conditionOf(canary, 'Promoted');
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : at;
    const condition = { type: 'Promoted', status, reason: phase, message, lastUpdateTime: at, lastTransitionTime };
    if (canary.status?.phase === phase && phase === 'Initializing') return;
    this.setStatus(canary, { ...changes, phase, conditions: [condition] });
  }

  private setStatus(canary: KubeObject, changes: object): void {
    const lastTransitionTime = timestamp(this.now());
    this.store.modify('Canary', canary, (draft) => {
      draft.status = { ...draft.status, ...changes, lastTransitionTime };
    });
  }

  private say(canary: KubeObject, message: string): void {
    this.events.normal(canary, 'flagger', 'Synced', message);
  }

  private warn(canary: KubeObject, message: string): void {
    this.events.warning(canary, 'flagger', 'Synced', message);
  }
}

function isServing({ spec, status, metadata }: KubeObject): boolean {
  const { observedGeneration = 0, updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {};
  const wanted = spec.replicas ?? 1;
  return (
    observedGeneration >= (metadata.generation ?? 0) && updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted
  );
}

function greatestWeight({ spec }: KubeObject): number {
  const { stepWeights = [], maxWeight } = spec.analysis ?? {};
  return Math.min(100, stepWeights.at(-1) ?? maxWeight ?? 100);
}

function nextWeight(canary: KubeObject, weight: number): number {
  const { stepWeight, stepWeights = [] } = canary.spec.analysis ?? {};
  const next = stepWeight > 0 ? weight + stepWeight : (stepWeights.find((one: number) => one > weight) ?? 100);
  return Math.min(next, greatestWeight(canary));
}
