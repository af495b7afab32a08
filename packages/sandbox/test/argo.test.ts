import { afterEach, describe, expect, it } from '@jest/globals';
import { type KubeObject, type Sandbox, type ShopOptions, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
afterEach(() => sandbox.stop());

const path = '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/shop';
const rollout = () => sandbox.get('Rollout', 'shop', 'shop');
const weights = () => sandbox.get('VirtualService', 'shop', 'shop').spec.http[0].route.map((one: { weight: number }) => one.weight);
const image = (tag: string) => ({ name: 'web', image: `registry.example/shop:${tag}`, ports: [{ name: 'http', containerPort: 8080 }] });

async function open(options: ShopOptions = {}): Promise<void> {
  sandbox = await startSandbox({ seed: 5, readyDelay: 50, stopDelay: 50 });
  await shop(sandbox, { router: 'argo', replicas: 4, rps: 100, namespaces: ['shop'], ...options });
}

async function patch(body: object, subresource = ''): Promise<void> {
  const answer = await api(sandbox).patch(path + subresource, body, 'application/merge-patch+json');
  expect(answer.status).toBe(200);
}

async function setImage(tag: string): Promise<void> {
  const body = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: image(tag).image }];
  const answer = await api(sandbox).patch(path, body, 'application/json-patch+json');
  expect(answer.status).toBe(200);
}

const status = (change: object) => patch({ status: change }, '/status');
const phase = (wanted: string, step?: number, timeout = 8000) =>
  sandbox.until(
    `${wanted} at step ${step}`,
    () => {
      const { status: is, metadata } = rollout();
      const seen = is?.observedGeneration === String(metadata.generation) && !(is.controllerPause && !is.pauseConditions?.length);
      return seen && is.phase === wanted && (step === undefined || is.currentStepIndex === step);
    },
    timeout,
  );
const conditions = () =>
  Object.fromEntries(rollout().status.conditions.map((one: KubeObject) => [one.type, `${one.status} ${one.reason}`]));
const setOf = (hash: string) => sandbox.get('ReplicaSet', 'shop', `shop-${hash}`);

describe('a Rollout with Istio', () => {
  it('goes its steps, pauses, and becomes stable when it is let on', async () => {
    await open();
    const first = rollout().status;
    expect(first).toMatchObject({ phase: 'Healthy', currentStepIndex: 4, replicas: 4, updatedReplicas: 4, observedGeneration: '1' });
    expect(first.stableRS).toBe(first.currentPodHash);
    expect(sandbox.get('Service', 'shop', 'shop').spec.selector).toEqual({ app: 'shop', 'rollouts-pod-template-hash': first.stableRS });
    await setImage('v1.4.0');
    await phase('Paused', 1);
    const { status: paused } = rollout();
    expect(paused).toMatchObject({
      message: 'CanaryPauseStep',
      controllerPause: true,
      pauseConditions: [{ reason: 'CanaryPauseStep', startTime: expect.stringMatching(/Z$/) }],
      stableRS: first.stableRS,
      updatedReplicas: 1,
      replicas: 5,
      canary: { weights: { canary: { serviceName: 'shop-canary', weight: 25 }, stable: { serviceName: 'shop', weight: 75 } } },
    });
    expect(paused.currentPodHash).not.toBe(first.stableRS);
    expect(weights()).toEqual([75, 25]);
    await sandbox.until('shown as paused', () => conditions().Paused === 'True RolloutPaused');
    expect(conditions().Progressing).toBe('Unknown RolloutPaused');
    await status({ pauseConditions: null });
    await phase('Paused', 3);
    expect(weights()).toEqual([50, 50]);
    await phase('Healthy', 4);
    expect(rollout().status.stableRS).toBe(paused.currentPodHash);
    await sandbox.until('weights back', () => weights().join() === '100,0');
    expect(sandbox.get('Service', 'shop', 'shop').spec.selector['rollouts-pod-template-hash']).toBe(paused.currentPodHash);
    const old = setOf(first.stableRS);
    expect(old.spec.replicas).toBe(4);
    expect(Date.parse(old.metadata.annotations?.['scale-down-deadline'] ?? '')).toBeGreaterThan(Date.now() + 20_000);
    await sandbox.settled();
    const { total, byVersion } = sandbox.stats('shop/shop');
    expect(total.noEndpoints + total.refused + total.resets + total.noRoute).toBe(0);
    expect(byVersion['v1.4.0']?.sent).toBeGreaterThan(50);
  });

  it('sends all back on an abort, and begins anew on a retry', async () => {
    await open();
    const stable = rollout().status.stableRS;
    await setImage('v1.4.0-errors-50pct');
    await phase('Paused', 1);
    await status({ abort: true });
    await phase('Degraded', 0);
    const aborted = rollout().status;
    expect(aborted).toMatchObject({ abort: true, stableRS: stable, message: 'RolloutAborted: Rollout aborted update to revision 2' });
    expect(aborted.abortedAt).toMatch(/Z$/);
    expect(aborted.pauseConditions).toBeUndefined();
    expect(aborted.controllerPause).toBeUndefined();
    expect(weights()).toEqual([100, 0]);
    expect(conditions().Progressing).toBe('False RolloutAborted');
    expect(setOf(aborted.currentPodHash).spec.replicas).toBe(1);
    await status({ abort: false });
    await phase('Paused', 1);
    expect(weights()).toEqual([75, 25]);
    await setImage('v1.3.0');
    await phase('Healthy', 4);
    expect(rollout().status).toMatchObject({ currentPodHash: stable, stableRS: stable });
    expect(rollout().status.abort).toBeUndefined();
    await sandbox.until('weights back', () => weights().join() === '100,0');
  });

  it('goes straight to the end when fully promoted', async () => {
    await open();
    await setImage('v1.4.0');
    await phase('Paused', 1);
    await status({ promoteFull: true });
    await phase('Healthy', 4);
    const { status: is } = rollout();
    expect(is.promoteFull).toBeUndefined();
    expect(is.stableRS).toBe(is.currentPodHash);
    await sandbox.until('weights back', () => weights().join() === '100,0');
  });

  it('stands still while spec.paused holds', async () => {
    await open();
    await patch({ spec: { paused: true } });
    await phase('Paused');
    expect(rollout().status.message).toBe('manually paused');
    await setImage('v1.4.0');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(sandbox.list('ReplicaSet', 'shop')).toHaveLength(1);
    await patch({ spec: { paused: false } });
    await phase('Paused', 1);
    expect(rollout().status.message).toBe('CanaryPauseStep');
  });

  it('gives up at the progress deadline, and aborts then if it is told to', async () => {
    await open();
    await patch({ spec: { progressDeadlineSeconds: 2, progressDeadlineAbort: true } });
    await setImage('v1.4.0-crash');
    await phase('Degraded', 0);
    expect(rollout().status).toMatchObject({
      abort: true,
      message: expect.stringMatching(/^RolloutAborted: .* has timed out progressing\.$/),
    });
    expect(weights()).toEqual([100, 0]);
    const { total } = sandbox.stats('shop/shop');
    expect(total['2xx'] + total.inFlight).toBe(total.sent);
  });

  it('takes the traffic from a canary that is superseded, and its pods when there are others', async () => {
    await open();
    await setImage('v1.4.0');
    await phase('Paused', 1);
    const superseded = rollout().status.currentPodHash;
    await setImage('v1.5.0-notready');
    await sandbox.until('weights back', () => weights().join() === '100,0');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(setOf(superseded).spec.replicas).toBe(1);
    expect(rollout().status).toMatchObject({ phase: 'Progressing', currentStepIndex: 0 });
    await setImage('v1.6.0');
    await phase('Paused', 1);
    await sandbox.until('gone', () => setOf(superseded).spec.replicas === 0);
    expect(weights()).toEqual([75, 25]);
    const { total } = sandbox.stats('shop/shop');
    expect(total['2xx'] + total.inFlight).toBe(total.sent);
  });

  it('makes as many canary pods as setCanaryScale says before traffic moves', async () => {
    await open({ argoSteps: [{ setCanaryScale: { replicas: 3 } }, { setWeight: 10 }, { pause: {} }] });
    await setImage('v1.4.0');
    await phase('Paused', 2);
    expect(rollout().status).toMatchObject({ updatedReplicas: 3, canary: { weights: { canary: { weight: 10 } } } });
  });

  it('names what is wrong with its spec', async () => {
    await open();
    sandbox.remove('VirtualService', 'shop', 'shop');
    await sandbox.until('degraded', () => rollout().status.phase === 'Degraded');
    expect(rollout().status.message).toContain('virtualservices.networking.istio.io "shop" not found');
  });
});

describe('a Rollout without traffic routing', () => {
  it('splits by pods, and keeps to surge and availability', async () => {
    sandbox = await startSandbox({ seed: 5, readyDelay: 50, stopDelay: 50 });
    await shop(sandbox, { router: 'replicas', replicas: 1, rps: 200, namespaces: ['shop'] });
    sandbox.remove('Deployment', 'shop', 'shop');
    const template = { metadata: { labels: { app: 'shop' } }, spec: { containers: [image('v1.3.0')] } };
    const strategy = { canary: { maxSurge: 1, maxUnavailable: 0, steps: [{ setWeight: 20 }, { pause: {} }] } };
    const spec = { replicas: 5, selector: { matchLabels: { app: 'shop' } }, template, strategy };
    sandbox.apply({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata: { name: 'shop', namespace: 'shop' }, spec });
    await phase('Healthy', 2);
    let least = 5;
    let most = 5;
    const watch = setInterval(() => {
      const pods = sandbox.list('Pod', 'shop').filter(({ metadata }) => !metadata.deletionTimestamp);
      most = Math.max(most, pods.length);
      least = Math.min(least, rollout().status.availableReplicas ?? 0);
    }, 10);
    await setImage('v1.4.0');
    await phase('Paused', 1);
    expect(rollout().status).toMatchObject({ replicas: 5, updatedReplicas: 1 });
    expect(rollout().status.canary.weights).toBeUndefined();
    await status({ pauseConditions: null });
    await phase('Healthy', 2);
    clearInterval(watch);
    expect(rollout().status).toMatchObject({ replicas: 5, updatedReplicas: 5 });
    expect([least, most]).toEqual([5, 6]);
    await setImage('v1.5.0');
    await phase('Paused', 1);
    await status({ abort: true });
    await phase('Degraded', 0);
    await sandbox.until('canary pods gone', () => (rollout().status.updatedReplicas ?? 0) === 0);
    expect(rollout().status.replicas).toBe(5);
  });
});
