import { controllerOf, type KubeObject, timestamp } from '../kube/object.js';
import type { Store } from '../kube/store.js';
import { WorkQueue } from './work-queue.js';

const paused = 'autoscaling.keda.sh/paused';
const pausedReplicas = 'autoscaling.keda.sh/paused-replicas';

/** Gives each KEDA ScaledObject its autoscaler, `keda-hpa-<name>`. Of the triggers, `cpu` works; scaling to zero does not. */
export class ScaledObjectController {
  private readonly queue = new WorkQueue((key) => this.reconcile(key));
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {
    this.unsubscribe = store.onChange(({ kind, object }) => {
      const { namespace, name } = object.metadata;
      if (kind.kind === 'ScaledObject') this.queue.add(`${namespace}/${name}`);
      const owner = kind.kind === 'HorizontalPodAutoscaler' ? controllerOf(object) : undefined;
      if (owner?.kind === 'ScaledObject') this.queue.add(`${namespace}/${owner.name}`);
    });
  }

  stop(): void {
    this.unsubscribe();
    this.queue.stop();
  }

  private reconcile(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const scaled = this.store.find('ScaledObject', namespace, name);
    if (!scaled || scaled.metadata.deletionTimestamp) return;
    const hpaName = scaled.spec?.advanced?.horizontalPodAutoscalerConfig?.name ?? `keda-hpa-${name}`;
    const hpa = this.store.find('HorizontalPodAutoscaler', namespace, hpaName);
    const annotations = scaled.metadata.annotations ?? {};
    const isPaused = annotations[paused] === 'true' || annotations[pausedReplicas] !== undefined;
    if (isPaused) this.pause(scaled, hpa, annotations[pausedReplicas]);
    else this.write(scaled, hpaName, hpa);
    this.report(scaled, hpaName, isPaused);
  }

  /** A paused one has no autoscaler; it may name the size to stay at. */
  private pause(scaled: KubeObject, hpa: KubeObject | undefined, replicas: string | undefined): void {
    if (hpa) this.store.remove('HorizontalPodAutoscaler', hpa);
    const { kind = 'Deployment', name } = scaled.spec.scaleTargetRef;
    const target = this.store.find(kind, scaled.metadata.namespace ?? '', name);
    if (target && replicas !== undefined)
      this.store.modify(kind, target, ({ spec }) => Object.assign(spec, { replicas: Number(replicas) }));
  }

  private write(scaled: KubeObject, name: string, hpa: KubeObject | undefined): void {
    const spec = autoscalerSpec(scaled);
    if (hpa) {
      this.store.modify('HorizontalPodAutoscaler', hpa, (draft) => Object.assign(draft, { spec }));
      return;
    }
    const { namespace, name: owner, uid } = scaled.metadata;
    const reference = { apiVersion: scaled.apiVersion, kind: 'ScaledObject', name: owner, uid, controller: true, blockOwnerDeletion: true };
    const labels = { 'app.kubernetes.io/managed-by': 'keda-operator', 'scaledobject.keda.sh/name': owner };
    this.store.create('HorizontalPodAutoscaler', { metadata: { name, namespace, labels, ownerReferences: [reference] }, spec });
  }

  private report(scaled: KubeObject, hpaName: string, isPaused: boolean): void {
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'ScaledObjectReady', message: 'ScaledObject is defined correctly and is ready for scaling' },
      { type: 'Paused', status: isPaused ? 'True' : 'False', reason: isPaused ? 'ScaledObjectPaused' : 'ScaledObjectNotPaused' },
    ];
    const { apiVersion = 'apps/v1', kind = 'Deployment' } = scaled.spec.scaleTargetRef;
    const status = {
      hpaName,
      scaleTargetKind: `${apiVersion}.${kind}`,
      conditions,
      lastActiveTime: scaled.status?.lastActiveTime ?? timestamp(this.now()),
    };
    this.store.modify('ScaledObject', scaled, (draft) => Object.assign(draft, { status }));
  }
}

function autoscalerSpec({ spec }: KubeObject): object {
  const { scaleTargetRef, minReplicaCount = 0, maxReplicaCount = 100, triggers = [], advanced } = spec;
  const { apiVersion = 'apps/v1', kind = 'Deployment', name } = scaleTargetRef;
  const behavior = advanced?.horizontalPodAutoscalerConfig?.behavior;
  return {
    scaleTargetRef: { apiVersion, kind, name },
    minReplicas: Math.max(1, minReplicaCount),
    maxReplicas: maxReplicaCount,
    metrics: triggers.map(metricOf),
    ...(behavior ? { behavior } : {}),
  };
}

interface Trigger {
  type: string;
  metricType?: string;
  metadata?: { value?: string };
}

function metricOf({ type, metricType = 'Utilization', metadata }: Trigger, index: number): object {
  if (type !== 'cpu') {
    const metric = { name: `s${index}-${type}` };
    return { type: 'External', external: { metric, target: { type: 'AverageValue', averageValue: '1' } } };
  }
  const target =
    metricType === 'Utilization'
      ? { type: 'Utilization', averageUtilization: Number(metadata?.value) }
      : { type: 'AverageValue', averageValue: metadata?.value };
  return { type: 'Resource', resource: { name: 'cpu', target } };
}
