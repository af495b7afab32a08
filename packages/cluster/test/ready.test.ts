import { describe, expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import type { KubeObject } from '../src/kube.js';
import { podProblems } from '../src/workloads/pod-reasons.js';
import { type ReadyOptions, waitReady } from '../src/workloads/ready.js';
import { type MemoryKube, memoryKube, refusal } from './memory-kube.js';
import { deployment } from './objects.js';

/** A world in which `plan[n]` happens before the n-th pause ends. */
function world(kube: MemoryKube, plan: ((kube: MemoryKube) => void)[]) {
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      plan.shift()?.(kube);
    },
  };
  const wait = (options: Partial<ReadyOptions> = {}) =>
    waitReady(kube, 'shop', 'shop', {
      generation: 2,
      timeoutMs: 300_000,
      clock,
      expect: { container: 'web', image: 'shop:v2' },
      ...options,
    });
  return { wait, elapsed: () => now };
}

/** A Deployment of 10 that was just given a new image, its ReplicaSet and one of its pods. */
function updating(podStatus: object = {}): MemoryKube {
  const object = deployment('shop', { replicas: 10, image: 'shop:v2' });
  object.metadata.generation = 2;
  object.metadata.annotations = { 'deployment.kubernetes.io/revision': '2' };
  object.status = { observedGeneration: 1, replicas: 10, updatedReplicas: 10, availableReplicas: 10 };
  const hash = { app: 'shop', 'pod-template-hash': 'h2' };
  const replicaSet = {
    kind: 'ReplicaSet',
    apiVersion: 'apps/v1',
    metadata: {
      name: 'shop-h2',
      namespace: 'shop',
      uid: 'rs2',
      labels: hash,
      annotations: { 'deployment.kubernetes.io/revision': '2' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: 'uid-shop' }],
    },
    spec: {},
  };
  const pod = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: 'shop-h2-a',
      namespace: 'shop',
      labels: hash,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'shop-h2', uid: 'rs2' }],
    },
    spec: {},
    status: podStatus,
  };
  const kube = memoryKube(object, replicaSet, pod);
  kube.at('deployments', 'shop', 'shop').metadata.generation = 2;
  return kube;
}

const status = (kube: MemoryKube, next: object) => Object.assign(kube.at('deployments', 'shop', 'shop').status, next);
const seen = (kube: MemoryKube) => status(kube, { observedGeneration: 2, updatedReplicas: 3, availableReplicas: 8 });
const done = (kube: MemoryKube) => status(kube, { observedGeneration: 2, replicas: 10, updatedReplicas: 10, availableReplicas: 10 });
const waiting = (reason: string, restartCount = 0, more: object = {}) => ({
  containerStatuses: [{ name: 'web', ready: false, restartCount, state: { waiting: { reason, message: 'words' } }, ...more }],
});

async function failure(promise: Promise<unknown>): Promise<OperationError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OperationError);
  return error as OperationError;
}

describe('waitReady', () => {
  it('does not believe the numbers of the old generation', async () => {
    const kube = updating();
    const words: string[] = [];
    const { wait } = world(kube, [seen, (it) => status(it, { updatedReplicas: 10, replicas: 12 }), done]);
    const ready = await wait({ onProgress: (progress) => words.push(progress.words) });
    expect(ready).toMatchObject({ revision: '2', replicas: 10 });
    expect(words).toEqual([
      'waiting for the deployment controller to see the change',
      '3 of 10 pods updated, 8 available',
      '2 old pods have yet to go',
      '10 of 10 pods ready',
    ]);
  });

  it('needs at most 20 requests for a wait of 30 s', async () => {
    const kube = updating();
    const { wait, elapsed } = world(kube, [seen]);
    kube.before = () => {
      if (elapsed() >= 30_000) done(kube);
      return undefined;
    };
    await wait();
    expect(elapsed()).toBeGreaterThanOrEqual(30_000);
    expect(kube.calls.length).toBeLessThanOrEqual(20);
  });

  it.each([
    ['CrashLoopBackOff', 2, 'CRASH_LOOP', 6],
    ['CreateContainerConfigError', 0, 'CONTAINER_CONFIG_ERROR', 6],
    ['InvalidImageName', 0, 'INVALID_IMAGE_NAME', 6],
    ['ImagePullBackOff', 1, 'IMAGE_PULL_FAILED', 6],
    ['ImagePullBackOff', 0, 'IMAGE_PULL_FAILED', 10],
  ])('ends early on %s (%i restarts) with %s', async (reason, restarts, expected, seconds) => {
    const { wait, elapsed } = world(updating(waiting(reason, restarts)), [seen]);
    const error = await failure(wait());
    expect(error.reason).toBe(expected);
    expect(error.message).toContain(`pod shop-h2-a, container web: ${reason}`);
    expect(elapsed()).toBeLessThan(seconds * 1000);
  });

  it('takes ErrImagePull after ImagePullBackOff for the second sighting, but forgives one that passes', async () => {
    const kube = updating(waiting('ImagePullBackOff'));
    const pod = kube.at('pods', 'shop', 'shop-h2-a');
    const { wait } = world(kube, [seen, () => undefined, () => Object.assign(pod, { status: waiting('ErrImagePull') })]);
    expect((await failure(wait())).reason).toBe('IMAGE_PULL_FAILED');
    const other = updating(waiting('ErrImagePull'));
    const { wait: patient } = world(other, [
      seen,
      () => Object.assign(other.at('pods', 'shop', 'shop-h2-a'), { status: {} }),
      () => undefined,
      done,
    ]);
    expect((await patient()).revision).toBe('2');
  });

  it('does not mind what pods of an older revision do', async () => {
    const kube = updating(waiting('CrashLoopBackOff', 9));
    kube.at('pods', 'shop', 'shop-h2-a').metadata.ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: 'rs1' }];
    const { wait } = world(kube, [seen, seen, seen, seen, done]);
    expect((await wait()).replicas).toBe(10);
  });

  it('shows events and the last words of the crashed container', async () => {
    const kube = updating(waiting('CrashLoopBackOff', 3, { lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }));
    kube.put({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e1', namespace: 'shop' },
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
      count: 4,
      involvedObject: { kind: 'Pod', name: 'shop-h2-a' },
    });
    kube.podLogs.set('shop/shop-h2-a', `${'noise\n'.repeat(40)}panic: no database\n`);
    const { wait } = world(kube, [seen]);
    const error = await failure(wait());
    expect(error.message).toContain('CrashLoopBackOff (exit code 137 (OOMKilled)), restarted 3×');
    expect(error.message).toContain('event: Warning BackOff pod/shop-h2-a: Back-off restarting failed container (x4)');
    const { logs } = error.details.diagnosis as { logs: { previous: boolean; lines: string[] } };
    expect(logs.previous).toBe(true);
    expect(logs.lines).toHaveLength(20);
    expect(logs.lines.at(-1)).toBe('panic: no database');
  });

  it('fails with the reason all the same when logs and events may not be read, and says what was not', async () => {
    const kube = updating(waiting('CrashLoopBackOff', 3));
    kube.logs = async () => {
      throw refusal('FORBIDDEN', 403, 'may not get pods/log');
    };
    kube.before = (call) => {
      if (call.plural === 'events') throw refusal('FORBIDDEN', 403, 'may not list events');
      return undefined;
    };
    const error = await failure(world(kube, [seen]).wait());
    expect(error.reason).toBe('CRASH_LOOP');
    expect(error.message).toContain('could not read events: may not list events');
    expect(error.message).toContain('could not read logs: may not get pods/log');
  });

  it('ends on ProgressDeadlineExceeded of this generation only, and on a quota at the second look', async () => {
    const late = { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'has timed out' }] };
    const stale = updating();
    status(stale, late);
    const { wait } = world(stale, [(it) => status(it, { conditions: [] }) && done(it)]);
    expect((await wait()).revision).toBe('2');
    const current = updating();
    expect((await failure(world(current, [(it) => status(it, late) && seen(it)]).wait())).reason).toBe('PROGRESS_DEADLINE_EXCEEDED');
    const quota = updating();
    status(quota, {
      ...seen(quota),
      conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: pods' }],
    });
    const error = await failure(world(quota, []).wait());
    expect(error.reason).toBe('QUOTA_EXCEEDED');
    expect(error.message).toContain('exceeded quota: pods');
    Object.assign(quota.at('deployments', 'shop', 'shop').status.conditions[0], { message: 'denied by policy' });
    expect((await failure(world(quota, []).wait())).reason).toBe('PODS_NOT_CREATED');
  });

  it('says why it is not ready when the time is over', async () => {
    const { wait, elapsed } = world(updating(), [seen]);
    const error = await failure(wait({ timeoutMs: 20_000 }));
    expect(error.reason).toBe('READY_TIMEOUT');
    expect(error.message).toContain('not ready after 20 s: 3 of 10 pods updated');
    expect(elapsed()).toBeLessThanOrEqual(20_000);
  });

  it('notices that somebody set another image, or deleted it', async () => {
    const set = (kube: MemoryKube) => {
      kube.at('deployments', 'shop', 'shop').spec.template.spec.containers[0].image = 'shop:hotfix';
    };
    const changed = updating();
    expect((await failure(world(changed, [seen, set]).wait())).reason).toBe('WORKLOAD_CHANGED');
    const gone = updating();
    const error = await failure(
      world(gone, [
        () => void gone.remove({ group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' }, 'shop', 'shop'),
      ]).wait(),
    );
    expect(error.reason).toBe('WORKLOAD_NOT_FOUND');
  });
});

describe('podProblems', () => {
  const pod = (podStatus: object): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, status: podStatus });

  it('finds nothing in a ready pod, a starting one, and one that is going', () => {
    const crashing = waiting('CrashLoopBackOff', 3);
    expect(podProblems(pod({ ...crashing, conditions: [{ type: 'Ready', status: 'True' }] }))).toEqual([]);
    expect(podProblems(pod(waiting('ContainerCreating')))).toEqual([]);
    const going = pod(crashing);
    going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    expect(podProblems(going)).toEqual([]);
  });

  it('sees a crash loop between two crashes, by its restarts', () => {
    const between = (restartCount: number) => ({
      containerStatuses: [{ name: 'web', ready: false, restartCount, state: { running: {} }, lastState: { terminated: { exitCode: 1 } } }],
    });
    expect(podProblems(pod(between(1)))[0]?.fatal).toBe('never');
    expect(podProblems(pod(between(2)))[0]?.fatal).toBe('now');
  });

  it('looks into init containers and at the scheduler', () => {
    expect(podProblems(pod({ initContainerStatuses: waiting('CrashLoopBackOff', 2).containerStatuses }))[0]?.reason).toBe(
      'CrashLoopBackOff',
    );
    const unscheduled = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }] };
    expect(podProblems(pod(unscheduled))[0]).toMatchObject({ reason: 'Unschedulable', fatal: 'never', container: null });
  });
});
