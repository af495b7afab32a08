import { createHash } from 'node:crypto';
import type { KubeObject } from '../src/kube.js';
import { type MemoryKube, memoryKube, readyAtOnce } from './memory-kube.js';
import { deployment } from './objects.js';

export const namespace = 'shop';
export const image = (tag: string) => `registry.example/shop:${tag}`;

/** A Rollout with two weights and a pause after each, as a user writes it. */
export function rollout(overrides: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'shop', namespace, uid: 'uid-rollout', generation: 1 },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'shop' } },
      template: { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'web', image: image('v1') }] } },
      strategy: {
        canary: {
          trafficRouting: { istio: { virtualService: { name: 'shop' } } },
          steps: [{ setWeight: 25 }, { pause: {} }, { setWeight: 50 }, { pause: {} }],
        },
      },
      ...overrides,
    },
  };
}

/** A Rollout with an Argo Rollouts controller that needs no time. `running`: it acts at all. */
export function argoShop(object = rollout()): MemoryKube & { running: boolean } {
  const kube = Object.assign(memoryKube(), { running: true });
  kube.react = (changed) => {
    if (kube.running && changed.kind === 'Rollout') reconcileRollout(changed, kube);
  };
  kube.put(object);
  return kube;
}

function reconcileRollout(object: KubeObject, kube: MemoryKube): void {
  const { spec, metadata } = object;
  const hash = hashOf(spec.template);
  keepReplicaSet(object, hash, kube);
  object.status ??= {};
  const { status } = object;
  if (status.currentPodHash !== hash) {
    for (const key of ['abort', 'abortedAt', 'promoteFull', 'pauseConditions', 'controllerPause', 'message']) delete status[key];
    status.currentStepIndex = 0;
  }
  Object.assign(status, { observedGeneration: String(metadata.generation), currentPodHash: hash, stableRS: status.stableRS ?? hash });
  const weigh = (weight: number) => {
    status.canary = { weights: { canary: { weight }, stable: { weight: 100 - weight } } };
  };
  const finish = () => {
    Object.assign(status, { phase: 'Healthy', stableRS: hash, currentStepIndex: spec.strategy.canary.steps.length });
    for (const key of ['abort', 'promoteFull', 'message', 'pauseConditions', 'controllerPause']) delete status[key];
    weigh(0);
  };
  if (hash === status.stableRS || status.promoteFull) return finish();
  if (status.abort) {
    Object.assign(status, { phase: 'Degraded', message: 'RolloutAborted: Rollout aborted update', abortedAt: '2026-11-22T19:00:00Z' });
    delete status.pauseConditions;
    delete status.controllerPause;
    status.currentStepIndex = 0;
    return weigh(0);
  }
  delete status.abortedAt;
  for (;;) {
    const step = spec.strategy.canary.steps[status.currentStepIndex];
    if (step === undefined) return finish();
    if (spec.paused) {
      status.phase = 'Paused';
      return;
    }
    if (step.setWeight !== undefined) weigh(step.setWeight);
    else if (status.controllerPause && !status.pauseConditions) status.controllerPause = false;
    else {
      const pause = { reason: 'CanaryPauseStep', startTime: `2026-11-22T19:00:0${status.currentStepIndex}Z` };
      Object.assign(status, { phase: 'Paused', message: 'CanaryPauseStep', controllerPause: true, pauseConditions: [pause] });
      return;
    }
    status.currentStepIndex += 1;
  }
}

function keepReplicaSet(object: KubeObject, hash: string, kube: MemoryKube): void {
  const label = 'rollouts-pod-template-hash';
  const labels = { ...object.spec.template.metadata.labels, [label]: hash };
  const name = `shop-${hash}`;
  const there = (() => {
    try {
      return kube.at('replicasets', namespace, name);
    } catch {
      return undefined;
    }
  })();
  if (there) return;
  const revision = String(++revisions);
  kube.put({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace,
      labels,
      annotations: { 'rollout.argoproj.io/revision': revision },
      ownerReferences: [{ apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name, uid: object.metadata.uid ?? '' }],
    },
    spec: { template: { ...object.spec.template, metadata: { ...object.spec.template.metadata, labels } } },
  });
  object.metadata.annotations = { ...object.metadata.annotations, 'rollout.argoproj.io/revision': revision };
}
let revisions = 0;

/** A Canary, its Deployment and its primary, with a Flagger that looks when `tick` is called. */
export function flaggerShop(): MemoryKube & { tick: () => void; running: boolean } {
  const target = deployment('shop', { replicas: 2, namespace });
  const primary = deployment('shop-primary', { replicas: 2, namespace, labels: { app: 'shop-primary' } });
  const kube = memoryKube();
  kube.react = (object) => {
    readyAtOnce(object);
    if (object.kind === 'Deployment') keepRevision(object, kube);
  };
  kube.put(target, primary);
  const promoted = hashOf(kube.at('deployments', namespace, 'shop').spec.template);
  kube.put({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'shop', namespace, uid: 'uid-canary', generation: 1 },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
      progressDeadlineSeconds: 60,
      analysis: { interval: '10s', threshold: 2, maxWeight: 50, stepWeight: 25 },
    },
    status: { phase: 'Initialized', canaryWeight: 0, failedChecks: 0, lastAppliedSpec: promoted, lastPromotedSpec: promoted },
  });
  const shop = Object.assign(kube, {
    running: true,
    tick: () => {
      if (shop.running) tickFlagger(kube);
    },
  });
  return shop;
}

let ticks = 0;

/** One look of Flagger's: the order of its checks is that of its `advanceCanary`. */
function tickFlagger(kube: MemoryKube): void {
  const canary = kube.at('canaries', namespace, 'shop');
  const target = kube.at('deployments', namespace, 'shop');
  const { spec, status } = canary;
  const hash = hashOf(target.spec.template);
  const set = (phase: string, more: object = {}) => {
    const condition = { type: 'Promoted', reason: phase, message: `now ${phase}`, lastUpdateTime: `t${++ticks}` };
    Object.assign(status, { phase, ...more, conditions: [condition] });
  };
  const copy = () => {
    const primary = kube.at('deployments', namespace, 'shop-primary');
    primary.spec.template.spec.containers[0].image = target.spec.template.spec.containers[0].image;
  };
  if (spec.suspend) return;
  const changed = hash !== status.lastPromotedSpec && hash !== status.lastAppliedSpec;
  switch (status.phase) {
    case 'Promoting':
      return set('Finalising', { canaryWeight: 0 });
    case 'Finalising':
      return set('Succeeded', { canaryWeight: 0, failedChecks: 0, lastPromotedSpec: status.lastAppliedSpec });
    case 'Progressing':
      if (changed) return set('Progressing', { canaryWeight: 0, failedChecks: 0, lastAppliedSpec: hash });
      if (spec.skipAnalysis) {
        copy();
        return set('Succeeded', { canaryWeight: 0, lastPromotedSpec: status.lastAppliedSpec });
      }
      if (status.failedChecks >= spec.analysis.threshold) return set('Failed', { canaryWeight: 0, failedChecks: 0, lastAppliedSpec: hash });
      if (status.canaryWeight < spec.analysis.maxWeight) {
        status.canaryWeight += spec.analysis.stepWeight;
        return;
      }
      copy();
      return set('Promoting');
    default:
      if (changed) set('Progressing', { canaryWeight: 0, failedChecks: 0, lastAppliedSpec: hash });
  }
}

const known = new WeakMap<MemoryKube, Map<string, string[]>>();

/** Counts revisions as the deployment controller does, and keeps each template in a ReplicaSet. */
function keepRevision(object: KubeObject, kube: MemoryKube): void {
  const all = known.get(kube) ?? new Map<string, string[]>();
  known.set(kube, all);
  const { name, uid = '' } = object.metadata;
  const hash = hashOf(object.spec.template);
  const list = (all.get(name) ?? []).filter((each) => each !== hash);
  if (all.get(name)?.at(-1) === hash) return;
  all.set(name, [...list, hash]);
  const revision = String(++revisions);
  object.metadata.annotations = { ...object.metadata.annotations, 'deployment.kubernetes.io/revision': revision };
  const labels = { ...object.spec.template.metadata.labels, 'pod-template-hash': hash };
  kube.put({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { 'deployment.kubernetes.io/revision': revision },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid }],
    },
    spec: { template: { ...object.spec.template, metadata: { ...object.spec.template.metadata, labels } } },
  });
}

function hashOf(template: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(template)))
    .digest('hex')
    .slice(0, 10);
}

/** With keys in order, as a hash over Go structures has them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
