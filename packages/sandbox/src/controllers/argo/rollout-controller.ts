import { controllerOf, type KubeObject } from '../../kube/object.js';
import type { Store } from '../../kube/store.js';
import type { EventRecorder } from '../events.js';
import { WorkQueue } from '../work-queue.js';
import { ArgoTraffic } from './argo-traffic.js';
import { isTrafficRouted } from './canary-steps.js';
import { currentWeights, desiredWeight, type Weights } from './canary-weights.js';
import { Conditions, notePauses } from './rollout-conditions.js';
import { phaseOf } from './rollout-phase.js';
import { RolloutSets, type Sets } from './rollout-sets.js';
import { resizeSets } from './rollout-sizing.js';
import { invalidSpec } from './rollout-spec.js';
import { beginUpdate, isNewUpdate, nextStatus } from './rollout-status.js';

/** Rollouts with this label are another instance's (argo-rollouts, `--instance-id`). */
const instanceLabel = 'argo-rollouts.argoproj.io/controller-instance-id';

/**
 * Argo Rollouts' controller for the canary strategy, by pods alone or with Istio (argo-rollouts v1.10, rollout/canary.go). Steps it knows:
 * setWeight, setCanaryScale, pause. Not: blue/green, analysis, experiments, workloadRef, dynamicStableScale, ephemeral metadata.
 */
export class RolloutController {
  private readonly queue = new WorkQueue((key) => this.reconcile(key));
  private readonly unsubscribe: () => void;
  private readonly sets: RolloutSets;
  private readonly traffic: ArgoTraffic;

  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    private readonly now: () => number,
  ) {
    this.sets = new RolloutSets(store, events, now);
    this.traffic = new ArgoTraffic(store, events);
    this.unsubscribe = store.onChange(({ kind, object }) => {
      const { namespace, name } = object.metadata;
      if (kind.kind === 'Rollout') this.queue.add(`${namespace}/${name}`);
      const owner = kind.kind === 'ReplicaSet' ? controllerOf(object) : undefined;
      if (owner?.kind === 'Rollout') this.queue.add(`${namespace}/${owner.name}`);
      if (['Service', 'VirtualService', 'DestinationRule'].includes(kind.kind))
        for (const rollout of store.list('Rollout', namespace)) this.queue.add(`${namespace}/${rollout.metadata.name}`);
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private reconcile(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const found = this.store.find('Rollout', namespace, name);
    if (!found || found.metadata.deletionTimestamp || found.metadata.labels?.[instanceLabel]) return;
    const invalid = invalidSpec(this.store, found);
    if (invalid) return this.reject(found, invalid);
    if (!found.spec.paused) this.sets.ensureFresh(found);
    const rollout = this.store.get('Rollout', namespace, name);
    const sets = this.sets.of(rollout);
    const conditions = new Conditions(rollout, this.now());
    conditions.remove('InvalidSpec');
    notePauses(rollout, conditions);
    if (isNewUpdate(rollout, sets)) return this.persist(rollout, beginUpdate({ rollout, sets, conditions, now: this.now() }));
    const weights = this.route(rollout, sets);
    const wakes: number[] = [];
    const isScaling = this.sets.isScalingEvent(rollout, sets);
    const scaled = (!rollout.spec.paused || isScaling) && resizeSets(this.sets, rollout, sets, (at) => wakes.push(at), this.now());
    const pass = { rollout, sets: this.sets.of(rollout), conditions, now: this.now() };
    const { status, promoted, said } = nextStatus({ ...pass, weights, settled: !scaled, wake: (at) => wakes.push(at) });
    for (const { type, reason, message } of said)
      this.events[type === 'Warning' ? 'warning' : 'normal'](rollout, 'rollouts-controller', reason, message);
    if (promoted) this.retire(rollout, sets);
    this.sets.cleanUp(rollout, sets);
    this.persist(rollout, status);
    if (wakes.length > 0) this.queue.addAfter(key, Math.max(0, Math.min(...wakes) - this.now()) + 20);
  }

  private reject(rollout: KubeObject, message: string): void {
    const conditions = new Conditions(rollout, this.now());
    conditions.set('InvalidSpec', 'True', 'InvalidSpec', message, conditions.find('InvalidSpec')?.message !== message);
    this.persist(rollout, { ...rollout.status, conditions: conditions.all });
  }

  /** Services first, then weights. These wait until the Services select what they shall; nothing for the canary waits for its own. */
  private route(rollout: KubeObject, sets: Sets): Weights | undefined {
    const { stableService, canaryService } = rollout.spec.strategy.canary;
    const isStable = this.traffic.point(rollout, stableService, sets.stable);
    const isCanary = this.traffic.point(rollout, canaryService, sets.fresh);
    if (!isTrafficRouted(rollout)) return undefined;
    const before: Weights | undefined = rollout.status?.canary?.weights;
    const weight = desiredWeight(rollout, sets);
    if (!sets.stable || !isStable || (!isCanary && weight > 0)) return before;
    const weights = currentWeights(rollout, sets, weight);
    this.traffic.setSubsets(rollout, weights.canary.podTemplateHash, weights.stable.podTemplateHash);
    this.traffic.setWeight(rollout, weights.canary.weight);
    if (before?.canary.weight !== weights.canary.weight) {
      const from = before ? `from ${before.canary.weight} ` : '';
      this.events.normal(
        rollout,
        'rollouts-controller',
        'TrafficWeightUpdated',
        `Traffic weight updated ${from}to ${weights.canary.weight}`,
      );
    }
    return weights;
  }

  /** Where traffic is routed, what was stable until now stays up for a while. */
  private retire(rollout: KubeObject, { stable, fresh }: Sets): void {
    if (!stable || stable === fresh || !isTrafficRouted(rollout)) return;
    this.sets.setDeadline(stable, (rollout.spec.strategy.canary.scaleDownDelaySeconds ?? 30) * 1000);
  }

  private persist(rollout: KubeObject, given: Record<string, unknown>): void {
    const status = { ...given, blueGreen: {}, observedGeneration: String(rollout.metadata.generation) };
    const { phase, message } = phaseOf({ ...rollout, status });
    const { message: _old, ...rest } = status as Record<string, unknown>;
    const next = { ...rest, phase, ...(message ? { message } : {}) };
    this.store.modify('Rollout', rollout, (draft) => {
      draft.status = JSON.parse(JSON.stringify(next));
    });
  }
}
