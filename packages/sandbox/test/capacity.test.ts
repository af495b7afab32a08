import { afterEach, describe, expect, it } from '@jest/globals';
import { type KubeObject, type Sandbox, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
afterEach(() => sandbox.stop());

const replicas = () => sandbox.get('Deployment', 'shop', 'shop').spec.replicas;
const available = () => sandbox.get('Deployment', 'shop', 'shop').status.availableReplicas ?? 0;
const conditionsOf = (object: KubeObject) =>
  Object.fromEntries((object.status?.conditions ?? []).map((one: KubeObject) => [one.type, `${one.status} ${one.reason}`]));
const hpa = (name = 'shop') => sandbox.get('HorizontalPodAutoscaler', 'shop', name);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function autoscale(spec: object = {}, name = 'shop'): void {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name };
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }];
  sandbox.apply({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: 'shop' },
    spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 6, metrics, ...spec },
  });
}

describe('an autoscaler', () => {
  it('follows the load up to its maximum, and down when that has held', async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50, hpaInterval: 200, hpaDownscaleWindow: 1500 });
    // 10 millicores a request: 100 requests a second are 1 core; at half of 500 millicores, 4 pods.
    await shop(sandbox, { router: 'replicas', replicas: 2, rps: 100, cpu: '500m', namespaces: ['shop'] });
    autoscale();
    const inRange = () => conditionsOf(hpa()).ScalingLimited === 'False DesiredWithinRange';
    await sandbox.until('four pods, and no more wanted', () => replicas() === 4 && inRange(), 15_000);
    expect(conditionsOf(hpa()).ScalingActive).toBe('True ValidMetricFound');
    expect(hpa().status.currentMetrics[0].resource.current.averageUtilization).toBeGreaterThan(0);
    sandbox.setRps('shop/shop', 400);
    await sandbox.until('six pods', () => replicas() === 6, 8000);
    await sandbox.until('limited', () => conditionsOf(hpa()).ScalingLimited === 'True TooManyReplicas');
    sandbox.setRps('shop/shop', 10);
    const low = Date.now();
    await sandbox.until('held back', () => conditionsOf(hpa()).AbleToScale === 'True ScaleDownStabilized', 8000);
    expect(replicas()).toBe(6);
    await sandbox.until('two pods', () => replicas() === 2, 12_000);
    expect(Date.now() - low).toBeGreaterThan(1500);
    expect(sandbox.list('Event', 'shop').some(({ reason }) => reason === 'SuccessfulRescale')).toBe(true);
  }, 40_000);

  it('counts every pod that the selector matches, also of another workload', async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50, hpaInterval: 400, hpaDownscaleWindow: 1500 });
    await shop(sandbox, { router: 'replicas', replicas: 2, rps: 200, cpu: '500m', namespaces: ['shop'] });
    const { spec } = sandbox.get('Deployment', 'shop', 'shop');
    const labels = { app: 'shop', track: 'canary' };
    const template = { metadata: { labels }, spec: spec.template.spec };
    const metadata = { name: 'shop-canary', namespace: 'shop' };
    sandbox.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    });
    await sandbox.until('canary ready', () => sandbox.get('Deployment', 'shop', 'shop-canary').status?.availableReplicas === 2);
    autoscale({ maxReplicas: 12 });
    // Eight pods are enough for both together, six of them here. Counting the two of the canary, it asks for eight here and stays there.
    const isSteady = () => conditionsOf(hpa()).AbleToScale === 'True ReadyForNewScale' && available() === 8;
    await sandbox.until('eight pods', () => replicas() === 8 && isSteady(), 20_000);
    await pause(2500);
    expect(replicas()).toBe(8);
    autoscale({}, 'shop-canary');
    await sandbox.until('ambiguous', () => conditionsOf(hpa('shop-canary')).ScalingActive === 'False AmbiguousSelector');
  }, 40_000);

  it('says what it cannot measure', async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50, hpaInterval: 100 });
    await shop(sandbox, { router: 'replicas', replicas: 2, rps: 10, namespaces: ['shop'] });
    autoscale();
    await sandbox.until('inactive', () => conditionsOf(hpa()).ScalingActive === 'False FailedGetResourceMetric');
    expect(hpa().status.conditions.find((one: KubeObject) => one.type === 'ScalingActive').message).toContain('missing request for cpu');
    autoscale({ scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' } });
    await sandbox.until('no target', () => conditionsOf(hpa()).AbleToScale === 'False FailedGetScale');
  });

  it('belongs to a ScaledObject where there is one', async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50, hpaInterval: 200 });
    await shop(sandbox, { router: 'replicas', replicas: 2, rps: 200, cpu: '500m', namespaces: ['shop'] });
    const triggers = [{ type: 'cpu', metricType: 'Utilization', metadata: { value: '50' } }];
    const spec = { scaleTargetRef: { name: 'shop' }, minReplicaCount: 2, maxReplicaCount: 5, triggers };
    sandbox.apply({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'web', namespace: 'shop' }, spec });
    await sandbox.until('five pods', () => replicas() === 5, 10_000);
    expect(sandbox.get('ScaledObject', 'shop', 'web').status.hpaName).toBe('keda-hpa-web');
    expect(hpa('keda-hpa-web').metadata.ownerReferences?.[0]).toMatchObject({ kind: 'ScaledObject', name: 'web', controller: true });
    const annotations = { 'autoscaling.keda.sh/paused-replicas': '3' };
    const path = '/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/web';
    expect((await api(sandbox).patch(path, { metadata: { annotations } })).status).toBe(200);
    await sandbox.until('paused at three', () => replicas() === 3 && !sandbox.find('HorizontalPodAutoscaler', 'shop', 'keda-hpa-web'));
  }, 20_000);
});

describe('room', () => {
  it('lacking on every node leaves pods Pending, until there is some', async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50, stopDelay: 50, nodes: { count: 2, cpu: '1' } });
    await shop(sandbox, { router: 'replicas', replicas: 4, rps: 10, cpu: '500m', namespaces: ['shop'] });
    const scale = (size: number) =>
      sandbox.cluster.store.modify('Deployment', sandbox.get('Deployment', 'shop', 'shop'), ({ spec }) =>
        Object.assign(spec, { replicas: size }),
      );
    scale(5);
    const pending = () => sandbox.list('Pod', 'shop').find((pod) => conditionsOf(pod).PodScheduled === 'False Unschedulable');
    await sandbox.until('unschedulable', () => pending() !== undefined);
    const pod = pending() as KubeObject;
    expect(pod.status.phase).toBe('Pending');
    expect(pod.spec.nodeName).toBeUndefined();
    expect(pod.status.conditions[0].message).toMatch(/^0\/2 nodes are available: 2 Insufficient cpu\./);
    expect(sandbox.list('Event', 'shop').some(({ reason, type }) => reason === 'FailedScheduling' && type === 'Warning')).toBe(true);
    const [other] = sandbox.list('Pod', 'shop').filter(({ spec }) => spec.nodeName);
    scale(4);
    await sandbox.until('the pending one gone', () => !sandbox.find('Pod', 'shop', pod.metadata.name));
    expect(sandbox.find('Pod', 'shop', other?.metadata.name ?? '')).toBeDefined();
    scale(5);
    await sandbox.until('unschedulable again', () => pending() !== undefined);
    scale(4);
    await sandbox.until('four', () => sandbox.list('Pod', 'shop').length === 4);
    expect(available()).toBe(4);
  });

  it('lacking in a quota is told by ReplicaSet and Deployment', async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50 });
    await shop(sandbox, { router: 'replicas', replicas: 2, rps: 10, cpu: '500m', namespaces: ['shop'] });
    const hard = { pods: '3', 'requests.cpu': '4' };
    sandbox.apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small', namespace: 'shop' }, spec: { hard } });
    await sandbox.until('counted', () => sandbox.get('ResourceQuota', 'shop', 'small').status?.used?.pods === '2');
    expect(sandbox.get('ResourceQuota', 'shop', 'small').status.used['requests.cpu']).toBe('1');
    sandbox.cluster.store.modify('Deployment', sandbox.get('Deployment', 'shop', 'shop'), ({ spec }) =>
      Object.assign(spec, { replicas: 5 }),
    );
    const deployment = () => sandbox.get('Deployment', 'shop', 'shop');
    await sandbox.until('failure told', () => conditionsOf(deployment()).ReplicaFailure === 'True FailedCreate');
    const failure = deployment().status.conditions.find((one: KubeObject) => one.type === 'ReplicaFailure');
    expect(failure.message).toMatch(/is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3$/);
    sandbox.remove('ResourceQuota', 'shop', 'small');
    await sandbox.until('all there', () => available() === 5);
    await sandbox.until('no failure', () => conditionsOf(deployment()).ReplicaFailure === undefined);
  });

  it('for disruptions is counted', async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50 });
    await shop(sandbox, { router: 'replicas', replicas: 4, rps: 10, namespaces: ['shop'] });
    const budget = (spec: object) => {
      const metadata = { name: 'shop', namespace: 'shop' };
      sandbox.apply({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata,
        spec: { selector: { matchLabels: { app: 'shop' } }, ...spec },
      });
    };
    const status = () => sandbox.get('PodDisruptionBudget', 'shop', 'shop').status ?? {};
    budget({ minAvailable: '75%' });
    await sandbox.until('one', () => status().disruptionsAllowed === 1);
    expect(status()).toMatchObject({ currentHealthy: 4, desiredHealthy: 3, expectedPods: 4 });
    const [pod] = sandbox.list('Pod', 'shop') as [KubeObject];
    sandbox.remove('Pod', 'shop', pod.metadata.name);
    await sandbox.until('none', () => status().disruptionsAllowed === 0 && status().currentHealthy === 3);
    expect(conditionsOf(sandbox.get('PodDisruptionBudget', 'shop', 'shop')).DisruptionAllowed).toBe('False InsufficientPods');
    await sandbox.until('one again', () => status().disruptionsAllowed === 1);
    sandbox.remove('PodDisruptionBudget', 'shop', 'shop');
    budget({ maxUnavailable: 2 });
    await sandbox.until('two', () => status().disruptionsAllowed === 2);
  });
});
