import { kindNamed, qualified } from '../kube/kinds.js';
import { type KubeObject, timestamp } from '../kube/object.js';
import { matchesSelector } from '../kube/selectors.js';
import type { Store } from '../kube/store.js';
import type { EventRecorder } from './events.js';
import { type CpuTarget, type Proposal, proposeReplicas } from './hpa-replicas.js';
import { limitReplicas, Stabilizer } from './hpa-stabilizer.js';
import { conditionOf, isActive, isReady } from './pod-state.js';
import { containerWithout, formatCores, parseQuantity, podTotal } from './quantity.js';

export interface HpaOptions {
  /** Milliseconds between two looks; a real cluster takes 15 s. */
  hpaInterval: number;
  /** Milliseconds that a lower recommendation must hold where the object says nothing; a real cluster takes 5 minutes. */
  hpaDownscaleWindow: number;
}

type Status = 'True' | 'False';
type Say = (type: string, status: Status, reason: string, message: string) => void;

class Unmeasurable extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Sets the replicas of what HorizontalPodAutoscalers point to by the CPU their pods use (pkg/controller/podautoscaler). Of `behavior`, the
 * stabilization windows and `selectPolicy: Disabled` are obeyed, not the policies. Metrics other than CPU cannot be measured.
 */
export class HpaController {
  private readonly timer: NodeJS.Timeout;
  private readonly stabilizer = new Stabilizer();

  /** `cpuUse`: cores that a pod uses. */
  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    private readonly cpuUse: (pod: KubeObject) => number | undefined,
    private readonly options: HpaOptions,
    private readonly now: () => number,
  ) {
    this.timer = setInterval(() => {
      for (const hpa of store.list('HorizontalPodAutoscaler')) this.reconcile(hpa);
    }, options.hpaInterval);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private reconcile(hpa: KubeObject): void {
    const conditions: object[] = hpa.status?.conditions ?? [];
    const next = new Map(conditions.map((one) => [(one as { type: string }).type, one]));
    const say: Say = (type, status, reason, message) => {
      const old = conditionOf(hpa, type);
      const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(this.now());
      next.set(type, { type, status, reason, message, lastTransitionTime });
    };
    const sizes = this.scale(hpa, say);
    const status = { ...hpa.status, ...sizes, conditions: [...next.values()] };
    this.store.modify('HorizontalPodAutoscaler', hpa, (draft) => Object.assign(draft, { status }));
  }

  /** Answers the fields of the status that changed. */
  private scale(hpa: KubeObject, say: Say): object {
    const target = this.targetOf(hpa);
    if (!target) {
      const { kind, name } = hpa.spec.scaleTargetRef;
      const why = `the HPA controller was unable to get the target's current scale: ${qualified(kindNamed(kind))} "${name}" not found`;
      say('AbleToScale', 'False', 'FailedGetScale', why);
      return {};
    }
    const current: number = target.spec.replicas ?? 1;
    say('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
    const seen = { currentReplicas: target.status?.replicas ?? current };
    if (current === 0) {
      say('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero');
      return { ...seen, desiredReplicas: 0 };
    }
    const { minReplicas = 1, maxReplicas } = hpa.spec;
    if (current > maxReplicas || current < minReplicas) {
      const bound = Math.min(Math.max(current, minReplicas), maxReplicas);
      const why =
        current > maxReplicas ? 'Current number of replicas above Spec.MaxReplicas' : 'Current number of replicas below Spec.MinReplicas';
      return { ...seen, ...this.resize(hpa, target, bound, why, say) };
    }
    try {
      const proposals = this.proposals(hpa, target, current);
      say('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${cpuMetric(hpa)}`);
      const proposed = Math.max(...proposals.map(({ replicas }) => replicas));
      const steady = this.stabilizer.apply(hpa, current, proposed, this.options.hpaDownscaleWindow, this.now());
      if (steady > proposed)
        say(
          'AbleToScale',
          'True',
          'ScaleDownStabilized',
          'recent recommendations were higher than current one, applying the highest recent recommendation',
        );
      else say('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size');
      const { replicas, reason, message } = limitReplicas(hpa, current, steady);
      say('ScalingLimited', reason === 'DesiredWithinRange' ? 'False' : 'True', reason, message);
      const why = replicas > current ? `${cpuMetric(hpa)} above target` : 'All metrics below target';
      return { ...seen, currentMetrics: proposals.map(shown), ...this.resize(hpa, target, replicas, why, say) };
    } catch (error) {
      if (!(error instanceof Unmeasurable)) throw error;
      say('ScalingActive', 'False', error.reason, `the HPA was unable to compute the replica count: ${error.message}`);
      this.events.warning(hpa, 'horizontal-pod-autoscaler', error.reason, error.message);
      return { ...seen, desiredReplicas: current };
    }
  }

  private targetOf(hpa: KubeObject): KubeObject | undefined {
    const { kind, name } = hpa.spec.scaleTargetRef;
    return this.store.find(kind, hpa.metadata.namespace ?? '', name);
  }

  /** One for each metric. */
  private proposals(hpa: KubeObject, target: KubeObject, current: number): Proposal[] {
    const pods = this.podsOf(target);
    this.refuseSharedPods(hpa, pods);
    const metrics: { type: string; resource?: { name: string; target: object } }[] = hpa.spec.metrics ?? [defaultMetric];
    return metrics.map(({ type, resource }) => {
      if (type !== 'Resource' || resource?.name !== 'cpu')
        throw new Unmeasurable(`FailedGet${type}Metric`, `unable to get metric ${resource?.name ?? type}: no metrics known`);
      const cpu = readTarget(resource.target as Record<string, unknown>);
      const uses = pods.map((pod) => ({ ready: isReady(pod), use: this.cpuUse(pod), request: this.requestOf(pod, cpu) }));
      const proposal = proposeReplicas(current, cpu, uses);
      if (!proposal)
        throw new Unmeasurable(
          'FailedGetResourceMetric',
          'failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)',
        );
      return proposal;
    });
  }

  /** Every pod that the target's selector matches, whoever owns it. */
  private podsOf(target: KubeObject): KubeObject[] {
    const pods = this.store.list('Pod', target.metadata.namespace).filter(isActive);
    return pods.filter((pod) => matchesSelector(target.spec.selector, pod.metadata.labels));
  }

  private requestOf(pod: KubeObject, { type }: CpuTarget): number {
    const container = type === 'Utilization' ? containerWithout(pod, 'cpu') : undefined;
    if (container)
      throw new Unmeasurable(
        'FailedGetResourceMetric',
        `failed to get cpu utilization: missing request for cpu in container ${container} of Pod ${pod.metadata.name}`,
      );
    return podTotal(pod, 'cpu');
  }

  /** Pods that two autoscalers count are scaled by neither. */
  private refuseSharedPods(hpa: KubeObject, pods: readonly KubeObject[]): void {
    const namespace = hpa.metadata.namespace ?? '';
    const counting = this.store.list('HorizontalPodAutoscaler', namespace).filter((one) => {
      const target = this.targetOf(one);
      return target && pods.some((pod) => matchesSelector(target.spec.selector, pod.metadata.labels));
    });
    if (counting.length < 2) return;
    const names = counting.map(({ metadata }) => `${namespace}/${metadata.name}`).join(' ');
    throw new Unmeasurable('AmbiguousSelector', `pods by the target's selector are controlled by multiple HPAs: [${names}]`);
  }

  private resize(hpa: KubeObject, target: KubeObject, replicas: number, why: string, say: Say): object {
    if (replicas === (target.spec.replicas ?? 1)) return { desiredReplicas: replicas };
    this.store.modify(target.kind, target, (draft) => Object.assign(draft.spec, { replicas }));
    say('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${replicas}`);
    this.events.normal(hpa, 'horizontal-pod-autoscaler', 'SuccessfulRescale', `New size: ${replicas}; reason: ${why}`);
    return { desiredReplicas: replicas, lastScaleTime: timestamp(this.now()) };
  }
}

const defaultMetric = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };

function readTarget({ averageUtilization, averageValue }: Record<string, unknown>): CpuTarget {
  const percent = Number(averageUtilization);
  if (percent > 0) return { type: 'Utilization', value: percent };
  const cores = parseQuantity(averageValue);
  if (!cores)
    throw new Unmeasurable(
      'InvalidMetricSourceType',
      'invalid resource metric source: neither an average utilization nor an average value was set',
    );
  return { type: 'AverageValue', value: cores };
}

function cpuMetric({ spec }: KubeObject): string {
  const isValue = spec.metrics?.[0]?.resource?.target?.averageValue !== undefined;
  return isValue ? 'cpu resource' : 'cpu resource utilization (percentage of request)';
}

function shown({ utilization, average }: Proposal): object {
  const current = { ...(utilization === undefined ? {} : { averageUtilization: utilization }), averageValue: formatCores(average) };
  return { type: 'Resource', resource: { name: 'cpu', current } };
}
