import { describe, expect, it } from '@jest/globals';
import type { OperationError } from '@slipway/core';
import { unschedulableWords } from '../src/capacity/unschedulable.js';
import type { KubeObject } from '../src/kube.js';
import { diagnose } from '../src/workloads/diagnose.js';
import { waitReady } from '../src/workloads/ready.js';
import { type MemoryKube, memoryKube, readyAtOnce, refusal } from './memory-kube.js';
import { deployment } from './objects.js';

const WORDS = '0/3 nodes are available: 3 Insufficient cpu.';

/** A canary Deployment of two whose one pod runs and whose other finds no node. */
function homeless(replicas = 2): MemoryKube {
  const object = deployment('shop', { replicas: 2 });
  object.status = { observedGeneration: 1, replicas, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 };
  const labels = { app: 'shop', 'pod-template-hash': 'h1' };
  const annotations = { 'deployment.kubernetes.io/revision': '1' };
  const owner = (kind: string, name: string, uid: string) => ({ ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid }] });
  const pod = (name: string, status: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels, ...owner('ReplicaSet', 'shop-h1', 'rs1') },
    status,
  });
  return memoryKube(
    object,
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'shop-h1', namespace: 'shop', uid: 'rs1', labels, annotations, ...owner('Deployment', 'shop', 'uid-shop') },
    },
    pod('shop-h1-a', { conditions: [{ type: 'Ready', status: 'True' }] }),
    pod('shop-h1-b', { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: WORDS }] }),
  );
}

function event(name: string, kind: string, of: string, reason: string, type = 'Warning'): object {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'shop' },
    type,
    reason,
    message: `${reason} of ${of}`,
    involvedObject: { kind, name: of },
  };
}

function waiting(kube: MemoryKube, timeoutMs = 300_000, at: (now: number) => void = () => undefined) {
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      at(now);
    },
  };
  const ended = waitReady(kube, 'shop', 'shop', { generation: 1, timeoutMs, clock });
  return { ended, error: () => ended.then(fail, (reason: OperationError) => reason), elapsed: () => now };
}

function fail(): OperationError {
  throw new Error('it was to fail');
}

const pending = (kube: MemoryKube) => kube.at('pods', 'shop', 'shop-h1-b');

describe('waitReady with a pod that finds no node', () => {
  it('gives up after 20 s with the words of the scheduler', async () => {
    const { error, elapsed } = waiting(homeless());
    const { reason, message, next } = await error();
    expect(reason).toBe('UNSCHEDULABLE');
    expect(message).toContain('No node takes pod shop-h1-b of Deployment shop/shop');
    expect(message).toContain(WORDS);
    expect(next[0]).toContain('Add nodes');
    expect(elapsed()).toBeGreaterThanOrEqual(20_000);
    expect(elapsed()).toBeLessThan(35_000);
  });

  it.each(['TriggeredScaleUp', 'Nominated'])('waits on when an autoscaler makes one (%s)', async (reason) => {
    const kube = homeless();
    kube.put(event('e', 'Pod', 'shop-h1-b', reason, 'Normal'));
    const { ended, elapsed } = waiting(kube, 300_000, (now) => {
      if (now > 100_000) readyAtOnce(kube.at('deployments', 'shop', 'shop'));
    });
    expect((await ended).replicas).toBe(2);
    expect(elapsed()).toBeGreaterThan(100_000);
    expect(kube.calls.filter(({ plural }) => plural === 'events')).toHaveLength(1);
  });

  it('waits on while others are evicted for it, and when events may not be read', async () => {
    const evicting = homeless();
    pending(evicting).status.nominatedNodeName = 'node-1';
    expect((await waiting(evicting, 60_000).error()).reason).toBe('READY_TIMEOUT');
    const blind = homeless();
    blind.before = ({ plural }) => {
      if (plural === 'events') throw refusal('FORBIDDEN', 403, 'no');
      return undefined;
    };
    const { reason, message } = await waiting(blind, 60_000).error();
    expect(reason).toBe('READY_TIMEOUT');
    expect(message).toContain(WORDS);
  });

  it('counts from the last progress, and leaves old pods the time to end', async () => {
    const kube = homeless();
    const { error, elapsed } = waiting(kube, 300_000, (now) => {
      if (now > 15_000) kube.at('deployments', 'shop', 'shop').status.readyReplicas = 1;
      if (now > 15_000) kube.at('deployments', 'shop', 'shop').status.availableReplicas = 0;
    });
    expect((await error()).reason).toBe('UNSCHEDULABLE');
    expect(elapsed()).toBeGreaterThanOrEqual(35_000);
    const replacing = waiting(homeless(3));
    expect((await replacing.error()).reason).toBe('UNSCHEDULABLE');
    expect(replacing.elapsed()).toBeGreaterThanOrEqual(50_000);
  });

  it('does not mind a scheduling gate, nor a pod that was there for a moment only', async () => {
    const gated = pending(homeless());
    gated.status.conditions[0].reason = 'SchedulingGated';
    expect(unschedulableWords(gated)).toBeUndefined();
    const kube = homeless();
    let turn = 0;
    const { error } = waiting(kube, 60_000, () => {
      // Every other look finds another pod waiting: none of them for long.
      pending(kube).status.conditions[0].status = turn++ % 4 < 2 ? 'False' : 'True';
    });
    expect((await error()).reason).toBe('READY_TIMEOUT');
  });
});

describe('diagnose', () => {
  it('asks for the events of the objects concerned, not for all of the namespace', async () => {
    const kube = homeless();
    kube.put(
      event('e1', 'Deployment', 'shop', 'Odd'),
      event('e2', 'ReplicaSet', 'shop-h1', 'FailedCreate'),
      event('e3', 'Pod', 'shop-h1-b', 'FailedScheduling'),
      event('e4', 'Pod', 'other', 'BackOff'),
      event('e5', 'Service', 'shop', 'Wrong'),
    );
    const { events, unread } = await diagnose(kube, kube.at('deployments', 'shop', 'shop'));
    expect(events.map((words) => words.split(' ')[1])).toEqual(['Odd', 'FailedCreate', 'FailedScheduling']);
    expect(unread).toEqual([]);
    expect(kube.calls.length).toBeLessThanOrEqual(10);
  });

  it('finds why there are no pods, of the ReplicaSet that was to make them', async () => {
    const kube = homeless();
    const shop: KubeObject = kube.at('deployments', 'shop', 'shop');
    kube.put(event('e2', 'ReplicaSet', 'shop-h1', 'FailedCreate'));
    expect((await diagnose(kube, shop, [])).events).toEqual(['Warning FailedCreate replicaset/shop-h1: FailedCreate of shop-h1']);
  });
});
