import { describe, expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import { readBudgets } from '../src/capacity/budgets.js';
import { raiseFloor, refuseLowMax, restoreFloor } from '../src/capacity/floor.js';
import { podDemand } from '../src/capacity/pod-demand.js';
import { formatQuantity, parseQuantity } from '../src/capacity/quantity.js';
import { checkQuota } from '../src/capacity/quota.js';
import { quotaCounts } from '../src/capacity/quota-scopes.js';
import { readScaler, type Scaler } from '../src/capacity/scaler.js';
import { warnIdle, warnPodAveraged } from '../src/capacity/scaler-metrics.js';
import type { KubeObject } from '../src/kube.js';
import { refuseHpaOwned } from '../src/workloads/replicas.js';
import { type MemoryKube, memoryKube, refusal } from './memory-kube.js';
import { deployment } from './objects.js';

const object = (kind: string, name: string, rest: object = {}, metadata: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind, metadata: { name, namespace: 'shop', ...metadata }, ...rest }) as KubeObject;

async function failure(promise: Promise<unknown>): Promise<OperationError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OperationError);
  return error as OperationError;
}

const forbid = (kube: MemoryKube, plural: string) => {
  kube.before = (call) => {
    if (call.plural === plural) throw refusal('FORBIDDEN', 403, `may not ${call.verb} ${plural}`);
    return undefined;
  };
};

describe('quantities', () => {
  it.each([
    ['100m', 100_000_000n],
    ['0.1', 100_000_000n],
    ['.5', 500_000_000n],
    ['5.', 5_000_000_000n],
    [2, 2_000_000_000n],
    ['1e3', 1_000_000_000_000n],
    ['1E3', 1_000_000_000_000n],
    ['12E', 12n * 10n ** 27n],
    ['1k', 10n ** 12n],
    ['1Ki', 1024n * 10n ** 9n],
    ['1.5Gi', 3n * 2n ** 29n * 10n ** 9n],
    ['128974848000m', 128_974_848n * 10n ** 9n],
    ['1n', 1n],
    ['0.1n', 1n],
    ['-2', -2_000_000_000n],
  ])('reads %s', (text, nano) => expect(parseQuantity(text)).toBe(nano));

  it.each(['', 'm', '1x', '1 Gi', '1e', 'Ki', '0x10', '1e999999', null, {}, '9'.repeat(50)])('does not read %j', (text) =>
    expect(parseQuantity(text)).toBeUndefined(),
  );

  it.each([
    ['1536Mi', 'memory', '1536Mi'],
    ['2048Mi', 'memory', '2Gi'],
    ['129e6', 'memory', '129000000'],
    ['1500m', 'cpu', '1500m'],
    ['2000m', 'cpu', '2'],
    ['-100m', 'cpu', '-100m'],
    ['10u', 'cpu', '10u'],
  ])('writes %s of %s as %s', (text, resource, words) => expect(formatQuantity(parseQuantity(text) ?? 0n, resource)).toBe(words));
});

describe('podDemand', () => {
  const container = (cpu: string, more: object = {}) => ({ name: 'c', resources: { requests: { cpu } }, ...more });
  const cpuOf = (spec: object) => formatQuantity(podDemand(spec).get('requests.cpu') ?? 0n, 'cpu');

  it('adds up containers, and takes the largest step of the start where that is more', () => {
    expect(cpuOf({ containers: [container('100m'), container('0.2')] })).toBe('300m');
    expect(cpuOf({ containers: [container('100m')], initContainers: [container('1'), container('500m')] })).toBe('1');
  });

  it('counts sidecars beside containers and beside the init containers after them', () => {
    const sidecar = container('200m', { restartPolicy: 'Always' });
    expect(cpuOf({ containers: [container('100m')], initContainers: [sidecar] })).toBe('300m');
    expect(cpuOf({ containers: [container('100m')], initContainers: [sidecar, container('1')] })).toBe('1200m');
    expect(cpuOf({ containers: [container('100m')], initContainers: [container('1'), sidecar] })).toBe('1');
  });

  it('takes limits for requests that are not given, the overhead, and what is given for the whole pod', () => {
    const limited = { name: 'c', resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { memory: '512Mi' } } };
    const demand = podDemand({ containers: [limited], overhead: { cpu: '100m' } });
    expect([...demand].map(([name, amount]) => `${name} ${formatQuantity(amount, name)}`).sort()).toEqual([
      'limits.cpu 2100m',
      'limits.memory 1Gi',
      'requests.cpu 2100m',
      'requests.memory 512Mi',
    ]);
    expect(cpuOf({ containers: [container('100m')], resources: { requests: { cpu: '3' } } })).toBe('3');
  });
});

describe('checkQuota', () => {
  const quota = (hard: object, used: object, spec: object = {}) =>
    object('ResourceQuota', 'team', { spec: { hard, ...spec }, status: { hard, used } });
  const podSpec = { containers: [{ name: 'web', resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '512Mi' } } }] };

  it('lets pods pass that fit exactly', async () => {
    const kube = memoryKube(quota({ 'requests.cpu': '1', pods: '10' }, { 'requests.cpu': '0.5', pods: '8' }));
    expect(await checkQuota(kube, 'shop', podSpec, 2)).toEqual([]);
    expect(kube.calls).toHaveLength(1);
  });

  it('names quota, resource, what is needed and what is left', async () => {
    const kube = memoryKube(
      quota({ cpu: '1', 'limits.memory': '2Gi', 'count/pods': '9' }, { cpu: '600m', 'limits.memory': '1Gi', 'count/pods': '8' }),
    );
    const error = await failure(checkQuota(kube, 'shop', podSpec, 2));
    expect(error.reason).toBe('QUOTA_EXCEEDED');
    expect(error.message).toContain('ResourceQuota team has 400m of cpu left, 500m needed');
    expect(error.message).toContain('1 of count/pods left, 2 needed');
    expect(error.message).not.toContain('limits.memory');
    expect(error.details.shortages).toHaveLength(2);
  });

  it('has nothing left, rather than less, when the quota was lowered below what is used', async () => {
    const error = await failure(checkQuota(memoryKube(quota({ pods: '3' }, { pods: '5' })), 'shop', podSpec, 1));
    expect(error.message).toContain('0 of pods left');
  });

  it('warns of what is not counted, not stated, or not to be read', async () => {
    const uncounted = object('ResourceQuota', 'new', { spec: { hard: { pods: '1' } } });
    expect((await checkQuota(memoryKube(uncounted), 'shop', podSpec, 5))[0]).toContain('has not counted pods yet');
    const unstated = await checkQuota(memoryKube(quota({ 'limits.cpu': '1' }, { 'limits.cpu': '0' })), 'shop', podSpec, 5);
    expect(unstated[0]).toContain('limits limits.cpu, which web does not state');
    const kube = memoryKube();
    forbid(kube, 'resourcequotas');
    expect((await checkQuota(kube, 'shop', podSpec, 5))[0]).toContain('may not be listed');
  });

  it('does not take an API server that fails for one without quotas', async () => {
    const kube = memoryKube();
    kube.before = () => {
      throw refusal('API_UNAVAILABLE', 503, 'down');
    };
    expect((await failure(checkQuota(kube, 'shop', podSpec, 1))).reason).toBe('API_UNAVAILABLE');
  });

  it('minds scopes', () => {
    const scoped = (...scopes: string[]) => object('ResourceQuota', 'q', { spec: { scopes } });
    const priority = (operator: string, ...values: string[]) =>
      object('ResourceQuota', 'q', { spec: { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator, values }] } } });
    expect(quotaCounts(scoped('NotTerminating', 'NotBestEffort'), podSpec)).toBe(true);
    expect(quotaCounts(scoped('Terminating'), podSpec)).toBe(false);
    expect(quotaCounts(scoped('BestEffort'), podSpec)).toBe(false);
    expect(quotaCounts(scoped('BestEffort'), { containers: [{ name: 'a' }] })).toBe(true);
    expect(quotaCounts(priority('In', 'high'), { ...podSpec, priorityClassName: 'high' })).toBe(true);
    expect(quotaCounts(priority('In', 'high'), podSpec)).toBe(false);
    expect(quotaCounts(priority('NotIn', 'high'), podSpec)).toBe(true);
    expect(quotaCounts(scoped('CrossNamespacePodAffinity'), podSpec)).toBe(false);
    const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ namespaces: ['other'] }] } };
    expect(quotaCounts(scoped('CrossNamespacePodAffinity'), { ...podSpec, affinity })).toBe(true);
  });
});

describe('readBudgets', () => {
  const budget = (name: string, spec: object, status: object = { disruptionsAllowed: 1, expectedPods: 3 }) =>
    object('PodDisruptionBudget', name, { spec, status });
  const labels = { app: 'shop', track: 'stable' };

  it('finds those of the pods, and tells of what they hold up', async () => {
    const kube = memoryKube(
      budget('of-both', { selector: { matchLabels: { app: 'shop' } }, minAvailable: 1 }),
      budget('of-stable', { selector: { matchLabels: { track: 'stable' } }, maxUnavailable: 0 }),
      budget('of-others', { selector: { matchLabels: { app: 'cart' } }, maxUnavailable: 0 }),
      budget('of-none', { maxUnavailable: 0 }),
      budget('all', { selector: { matchExpressions: [{ key: 'track', operator: 'NotIn', values: ['canary'] }] }, minAvailable: '100%' }),
    );
    const { budgets, warnings } = await readBudgets(kube, 'shop', labels);
    expect(budgets.map(({ name, countsCanary }) => [name, countsCanary])).toEqual([
      ['of-both', true],
      ['of-stable', false],
      ['all', false],
    ]);
    expect(warnings).toEqual([
      expect.stringContaining('of-both (minAvailable: 1) counts the canary’s pods'),
      expect.stringContaining('of-stable allows no disruption (maxUnavailable: 0)'),
      expect.stringContaining('all allows no disruption (minAvailable: 100%)'),
    ]);
  });

  it('sees a minimum that is all there is', async () => {
    const kube = memoryKube(budget('tight', { selector: { matchLabels: labels }, minAvailable: 3 }));
    expect((await readBudgets(kube, 'shop', labels)).warnings[0]).toContain('cannot be drained');
  });

  it('is content without the right to read them, but says so', async () => {
    const kube = memoryKube();
    forbid(kube, 'poddisruptionbudgets');
    expect(await readBudgets(kube, 'shop', labels)).toEqual({ budgets: [], warnings: [expect.stringContaining('may not be listed')] });
  });
});

const hpa = (name = 'shop', spec: object = {}, metadata: object = {}) =>
  object(
    'HorizontalPodAutoscaler',
    name,
    {
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 9, ...spec },
      status: { currentReplicas: 4, desiredReplicas: 5 },
    },
    metadata,
  );
const byKeda = { ownerReferences: [{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name: 'shop-so', uid: 'x', controller: true }] };
const scaledObject = (spec: object = {}) =>
  object('ScaledObject', 'shop-so', {
    apiVersion: 'keda.sh/v1alpha1',
    spec: { scaleTargetRef: { name: 'shop' }, maxReplicaCount: 20, ...spec },
  });
const target = { kind: 'Deployment', name: 'shop' };
const scalerIn = async (kube: MemoryKube) => (await readScaler(kube, 'shop', target)) as Scaler;

describe('readScaler', () => {
  it('reads an autoscaler in one request, and none as null', async () => {
    const metrics = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
      { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } } },
    ];
    const kube = memoryKube(hpa('shop', { metrics }), hpa('cart', { scaleTargetRef: { kind: 'Deployment', name: 'cart' } }));
    const scaler = await scalerIn(kube);
    expect(scaler).toMatchObject({ kind: 'hpa', name: 'shop', min: 2, max: 9, current: 4, desired: 5, floor: 2 });
    expect(scaler.metrics).toEqual(['cpu at 60 % of requests', 'queue at 30']);
    expect(scaler.podAveraged).toEqual(['cpu at 60 % of requests']);
    expect(kube.calls).toHaveLength(1);
    expect(await readScaler(kube, 'shop', { kind: 'Deployment', name: 'other' })).toBeNull();
  });

  it('leads to the ScaledObject when KEDA made it', async () => {
    const kube = memoryKube(hpa('keda-hpa-shop-so', { minReplicas: 1 }, byKeda), scaledObject({ idleReplicaCount: 0, minReplicaCount: 3 }));
    const scaler = await scalerIn(kube);
    expect(scaler).toMatchObject({ kind: 'keda', name: 'shop-so', min: 3, max: 20, current: 4, idle: 0 });
    expect(warnIdle(scaler)).toContain('goes down to 0');
    expect(kube.calls).toHaveLength(2);
  });

  it('treats an autoscaler whose ScaledObject has gone like any other', async () => {
    expect(await scalerIn(memoryKube(hpa('keda-hpa', {}, byKeda)))).toMatchObject({ kind: 'hpa', owner: 'ScaledObject shop-so' });
  });

  it('refuses two for one target, and a missing right', async () => {
    const error = await failure(readScaler(memoryKube(hpa('a'), hpa('b')), 'shop', target));
    expect(error.reason).toBe('SCALER_AMBIGUOUS');
    expect(error.message).toContain('(a, b)');
    const kube = memoryKube(hpa());
    forbid(kube, 'horizontalpodautoscalers');
    expect((await failure(readScaler(kube, 'shop', target))).message).toContain('may not list horizontalpodautoscalers');
    const keda = memoryKube(hpa('keda-hpa', {}, byKeda));
    forbid(keda, 'scaledobjects');
    expect((await failure(readScaler(keda, 'shop', target))).message).toContain('may not get scaledobjects');
  });

  it('warns when the canary’s pods are in the average, and not when they are not', async () => {
    const scaler = await scalerIn(memoryKube(hpa('shop', { metrics: [{ type: 'Resource', resource: { name: 'cpu' } }] })));
    expect(warnPodAveraged(scaler, deployment('shop'))).toContain('averaged over all pods of its selector, the canary’s among them');
    expect(warnPodAveraged(scaler, deployment('shop', { labels: { app: 'shop', track: 'stable' } }))).toBeUndefined();
    expect(warnPodAveraged({ ...scaler, podAveraged: [] }, deployment('shop'))).toBeUndefined();
  });
});

describe('refuseHpaOwned', () => {
  const next = async (kube: MemoryKube) => (await failure(refuseHpaOwned(kube, 'shop', 'shop'))).next.join();

  it('advises to delete an autoscaler, but to pause KEDA, which would make it again', async () => {
    expect(await next(memoryKube(hpa()))).toContain('kubectl -n shop delete hpa/shop');
    expect(await next(memoryKube(hpa('keda-hpa', {}, byKeda)))).toContain('annotate scaledobject/shop-so autoscaling.keda.sh/paused=true');
  });
});

describe('the floor', () => {
  it('that the maximum does not allow is refused before anything is sent', async () => {
    const kube = memoryKube(hpa());
    const scaler = await scalerIn(kube);
    expect(() => refuseLowMax(scaler, scaler.max)).not.toThrow();
    expect(() => refuseLowMax({ ...scaler, min: scaler.max + 1 }, scaler.max + 1)).not.toThrow();
    const refused = await failure((async () => refuseLowMax(scaler, scaler.max + 1))());
    expect(refused.reason).toBe('FLOOR_ABOVE_MAX');
    // A rollout that has begun meets it, too: only of the autoscaler can it be said.
    expect(refused.message).toMatch(/allows 9 at most\. It was left as it is\.$/);
    expect(kube.writes()).toEqual([]);
  });

  it('is raised once, never above the maximum, and put back', async () => {
    const kube = memoryKube(hpa(), deployment('shop', { replicas: 5 }));
    const before = await scalerIn(kube);
    const raised = await raiseFloor(kube, before, 5);
    expect(kube.at('horizontalpodautoscalers', 'shop', 'shop').spec.minReplicas).toBe(5);
    expect(await raiseFloor(kube, raised, 5)).toBe(raised);
    expect(kube.writes()).toHaveLength(1);
    expect((await failure(raiseFloor(kube, raised, 10))).reason).toBe('FLOOR_ABOVE_MAX');
    const restored = await restoreFloor(kube, await scalerIn(kube), before.floor, 5);
    expect(restored.min).toBe(2);
    await restoreFloor(kube, restored, before.floor, 5);
    expect(kube.at('horizontalpodautoscalers', 'shop', 'shop').spec).toEqual(hpa().spec);
    expect(kube.writes().map(({ plural }) => plural)).toEqual(['horizontalpodautoscalers', 'horizontalpodautoscalers']);
  });

  it('of KEDA is a field of the ScaledObject, which goes again when there was none', async () => {
    const kube = memoryKube(hpa('keda-hpa', {}, byKeda), scaledObject());
    const before = await scalerIn(kube);
    expect(before.floor).toBeNull();
    await raiseFloor(kube, before, 6);
    expect(kube.at('scaledobjects', 'shop', 'shop-so').spec.minReplicaCount).toBe(6);
    await restoreFloor(kube, await scalerIn(kube), null, 6);
    expect(kube.at('scaledobjects', 'shop', 'shop-so').spec).toEqual(scaledObject().spec);
  });

  it('that somebody else has set meanwhile is left alone', async () => {
    const kube = memoryKube(hpa());
    const before = await scalerIn(kube);
    kube.at('horizontalpodautoscalers', 'shop', 'shop').spec.minReplicas = 3;
    expect((await failure(raiseFloor(kube, before, 5))).reason).toBe('CONFLICT');
    const now = await scalerIn(kube);
    expect(await restoreFloor(kube, now, 2, 5)).toBe(now);
    expect(kube.at('horizontalpodautoscalers', 'shop', 'shop').spec.minReplicas).toBe(3);
    const keda = memoryKube(hpa('keda-hpa', {}, byKeda), scaledObject());
    const unset = await scalerIn(keda);
    keda.at('scaledobjects', 'shop', 'shop-so').spec.minReplicaCount = 1;
    expect((await failure(raiseFloor(keda, unset, 5))).reason).toBe('CONFLICT');
  });
});
