import { afterEach, describe, expect, it } from '@jest/globals';
import { nextNewSize, nextOldSizes, proportionalSizes, resolveBounds } from '../src/controllers/rolling-update.js';
import { type KubeObject, type Sandbox, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
afterEach(() => sandbox?.stop());

const deployment = () => sandbox.get('Deployment', 'shop', 'shop');
const setImage = (tag: string) =>
  api(sandbox).patch(
    '/apis/apps/v1/namespaces/shop/deployments/shop',
    { spec: { template: { spec: { containers: [{ name: 'web', image: `registry.example/shop:${tag}` }] } } } },
    'application/strategic-merge-patch+json',
  );
const condition = (object: KubeObject, type: string) => object.status?.conditions?.find((one: { type: string }) => one.type === type);
const podsOf = (tag: string) => sandbox.list('Pod', 'shop').filter((pod) => pod.spec.containers[0].image.endsWith(`:${tag}`));
const waitingReason = (pod: KubeObject) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason;
const messages = (reason: string) =>
  sandbox
    .list('Event', 'shop')
    .filter((event) => event.reason === reason)
    .map((event) => event.message as string);

async function start(replicas = 3): Promise<void> {
  sandbox = await startSandbox({ seed: 5, readyDelay: 60, stopDelay: 60 });
  await shop(sandbox, { replicas, rps: 50, router: 'replicas', namespaces: ['shop'] });
}

describe('the rules of a rolling update', () => {
  it('rounds surge up and unavailability down, never both zero', () => {
    expect(resolveBounds(10, { maxSurge: '25%', maxUnavailable: '25%' })).toEqual({ maxSurge: 3, maxUnavailable: 2 });
    expect(resolveBounds(1, { maxSurge: 0, maxUnavailable: '25%' })).toEqual({ maxSurge: 0, maxUnavailable: 1 });
  });

  it('grows within the surge and shrinks within availability', () => {
    const bounds = { maxSurge: 3, maxUnavailable: 2 };
    expect(nextNewSize(10, 10, 0, bounds)).toBe(3);
    expect(nextNewSize(10, 13, 3, bounds)).toBe(3);
    expect(nextOldSizes(10, { replicas: 3, available: 0 }, [{ replicas: 10, available: 10 }], bounds)).toEqual([8]);
    expect(nextOldSizes(10, { replicas: 3, available: 3 }, [{ replicas: 10, available: 10 }], bounds)).toEqual([5]);
  });

  it('takes replicas that do not serve first', () => {
    const old = [
      { replicas: 2, available: 0 },
      { replicas: 8, available: 8 },
    ];
    expect(nextOldSizes(10, { replicas: 3, available: 0 }, old, { maxSurge: 3, maxUnavailable: 2 })).toEqual([0, 8]);
  });

  it('shares a change of size by proportion', () => {
    expect(proportionalSizes([5, 5], 20)).toEqual([10, 10]);
    expect(proportionalSizes([8, 2], 5).reduce((a, b) => a + b)).toBe(5);
  });
});

describe('bad releases', () => {
  it('crash: restarts grow, events and the previous log tell why, old pods go on serving', async () => {
    await start();
    await setImage('v2-crash');
    const restarts = () => Math.max(0, ...podsOf('v2-crash').map((pod) => pod.status.containerStatuses?.[0]?.restartCount ?? 0));
    await sandbox.until('restarted twice', () => restarts() >= 2, 5000);
    await sandbox.until('backing off', () => podsOf('v2-crash').some((pod) => waitingReason(pod) === 'CrashLoopBackOff'));
    const pod = podsOf('v2-crash').find((one) => waitingReason(one) === 'CrashLoopBackOff') as KubeObject;
    expect(pod.status.containerStatuses[0].state.waiting.message).toMatch(
      /^back-off 1s restarting failed container=web pod=shop-\w+-\w+_shop\(/,
    );
    expect(pod.status.containerStatuses[0].lastState.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(condition(pod, 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady' });
    const log = await api(sandbox).get(`/api/v1/namespaces/shop/pods/${pod.metadata.name}/log?previous=true&tailLines=1`);
    expect(log.text).toMatch(/FATAL exit at start\n$/);
    expect(messages('BackOff').some((text) => text.startsWith('Back-off restarting failed container web in pod shop-'))).toBe(true);
    expect(podsOf('v1.3.0').length).toBe(3);
    expect(deployment().status.availableReplicas).toBe(3);
    expect(sandbox.stats('shop/shop').total['2xx']).toBeGreaterThan(0);
    expect(sandbox.stats('shop/shop').byVersion['v2-crash']).toBeUndefined();
  });

  it('nopull: ErrImagePull, then ImagePullBackOff; its log says it is waiting', async () => {
    await start();
    await setImage('v2-nopull');
    await sandbox.until('backing off', () => podsOf('v2-nopull').some((pod) => waitingReason(pod) === 'ImagePullBackOff'));
    const [pod] = podsOf('v2-nopull') as [KubeObject];
    expect(pod.status.phase).toBe('Pending');
    expect(messages('Failed')).toEqual(
      expect.arrayContaining([expect.stringContaining('Failed to pull image "registry.example/shop:v2-nopull"'), 'Error: ErrImagePull']),
    );
    const log = await api(sandbox).get(`/api/v1/namespaces/shop/pods/${pod.metadata.name}/log`);
    expect(log.body.message).toBe(`container "web" in pod "${pod.metadata.name}" is waiting to start: trying and failing to pull image`);
  });

  it('notready: the deadline passes and is reported', async () => {
    await start();
    await api(sandbox).patch('/apis/apps/v1/namespaces/shop/deployments/shop', { spec: { progressDeadlineSeconds: 1 } });
    await setImage('v2-notready');
    await sandbox.until('deadline', () => condition(deployment(), 'Progressing')?.reason === 'ProgressDeadlineExceeded', 6000);
    expect(condition(deployment(), 'Progressing').status).toBe('False');
    expect(condition(deployment(), 'Available').status).toBe('True');
    expect(messages('Unhealthy')[0]).toBe('Readiness probe failed: HTTP probe failed with statuscode: 503');
  });

  it('a return to the old template reuses its ReplicaSet under a new revision', async () => {
    await start();
    const old = sandbox.list('ReplicaSet', 'shop')[0] as KubeObject;
    await setImage('v2');
    const isDone = (tag: string) =>
      podsOf(tag).length === 3 && sandbox.list('Pod', 'shop').length === 3 && deployment().status.availableReplicas === 3;
    await sandbox.until('v2', () => isDone('v2'));
    await setImage('v1.3.0');
    await sandbox.until('v1.3.0', () => isDone('v1.3.0'));
    const sets = sandbox.list('ReplicaSet', 'shop');
    expect(sets).toHaveLength(2);
    const back = sets.find((set) => set.metadata.uid === old.metadata.uid) as KubeObject;
    expect(back.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
    expect(deployment().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
  });
});

describe('the lives of workloads', () => {
  it('scales, heals a deleted pod, pauses and resumes', async () => {
    await start(2);
    const [victim] = sandbox.list('Pod', 'shop') as [KubeObject];
    await api(sandbox).delete(`/api/v1/namespaces/shop/pods/${victim.metadata.name}`);
    await sandbox.until('healed', () => sandbox.list('Pod', 'shop').length === 2 && !sandbox.find('Pod', 'shop', victim.metadata.name));
    const path = '/apis/apps/v1/namespaces/shop/deployments/shop';
    await api(sandbox).patch(path, { spec: { paused: true } });
    await setImage('v2');
    await api(sandbox).patch(path, { spec: { replicas: 4 } });
    await sandbox.until('scaled while paused', () => deployment().status.availableReplicas === 4);
    expect(podsOf('v2')).toHaveLength(0);
    await api(sandbox).patch(path, { spec: { paused: false } });
    await sandbox.until('resumed', () => podsOf('v2').length === 4 && deployment().status.updatedReplicas === 4);
  });

  it('deletes dependents: in the background, in the foreground, or not at all', async () => {
    await start(2);
    const path = '/apis/apps/v1/namespaces/shop/deployments/shop';
    const answer = await api(sandbox).delete(`${path}?propagationPolicy=Foreground`);
    expect(answer.body.metadata.deletionTimestamp).toBeDefined();
    expect(sandbox.find('Deployment', 'shop', 'shop')).toBeDefined();
    await sandbox.until('all gone', () => sandbox.list('Pod', 'shop').length + sandbox.list('ReplicaSet', 'shop').length === 0);
    await sandbox.until('owner last', () => sandbox.find('Deployment', 'shop', 'shop') === undefined);
    await shop(sandbox, { replicas: 2, router: 'replicas', namespaces: ['shop'] });
    await api(sandbox).delete(`${path}?propagationPolicy=Orphan`);
    await sandbox.until('owner gone', () => sandbox.find('Deployment', 'shop', 'shop') === undefined);
    expect(sandbox.list('Pod', 'shop')).toHaveLength(2);
  });
});
