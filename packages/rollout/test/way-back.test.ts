import { describe, expect, it } from '@jest/globals';
import type { Resource } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Command } from '../src/command.js';
import { finishCancelled } from '../src/finish-cancelled.js';
import { runCommand } from '../src/run-command.js';
import { readStatus } from '../src/status.js';
import { deps, find, imageOf, namespace, shop, stateOf, target, v1, v2, weightOf } from './shop.js';

const start: Command = { kind: 'start', image: v2, version: 'v2.0.0' };
const promote: Command = { kind: 'promote', version: null, weight: 100 };
const abort: Command = { kind: 'abort', reason: 'ABORTED', summary: 'by hand.' };
const rollBack: Command = { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'errors.' };
type Kube = ReturnType<typeof shop>;

async function atTenPercent(router: 'istio' | 'replicas' = 'istio'): Promise<Kube> {
  const kube = shop();
  await runCommand(deps(kube, { target: target(router) }), start);
  return kube;
}

const forget = (kube: Kube) =>
  kube.remove({ group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' }, namespace, 'slipway-shop');
const removeStable = (kube: Kube) =>
  kube.remove({ group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' }, namespace, 'shop');
const corrupt = (kube: Kube) =>
  kube.put({ ...kube.at('configmaps', namespace, 'slipway-shop'), data: { 'state.json': '{"schema": 1, "id"' } });

describe.each([abort, rollBack, { ...rollBack, image: v2 }])('$kind without a record', (command) => {
  it.each(['istio', 'replicas'] as const)('goes by the cluster: users are sent back and the canary goes (%s)', async (router) => {
    const kube = await atTenPercent(router);
    await forget(kube);
    const { verdict } = await runCommand(deps(kube, { target: target(router) }), command);
    expect(verdict.outcome).toBe('pass');
    expect(verdict.summary).toMatch(/^No rollout was on record\. All users meet stable/);
    expect(weightOf(kube)).toBe(0);
    expect(find(kube, 'shop-canary')).toBeUndefined();
    expect(find(kube, 'shop')?.spec.replicas).toBe(10);
  });

  it('that can be read: users are sent back, and the failure is told', async () => {
    const kube = await atTenPercent();
    corrupt(kube);
    const { verdict } = await runCommand(deps(kube), command);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'STATE_CORRUPT' });
    expect(verdict.summary).toMatch(/All users meet stable/);
    expect(weightOf(kube)).toBe(0);
    expect(find(kube, 'shop-canary')).toBeUndefined();
  });
});

describe('a record that is gone or broken', () => {
  it('does not pass where stable has the canary’s image already', async () => {
    const kube = await atTenPercent();
    const stable = kube.at('deployments', namespace, 'shop');
    stable.spec.template.spec.containers[0].image = v2;
    await forget(kube);
    expect((await runCommand(deps(kube), abort)).verdict).toMatchObject({ outcome: 'fail', reason: 'NO_LAST_GOOD' });
    expect(weightOf(kube)).toBe(0);
  });

  it('with nothing in the cluster: nothing to do, or still broken', async () => {
    const kube = shop();
    expect((await runCommand(deps(kube), abort)).verdict).toMatchObject({ outcome: 'skipped', reason: 'NOTHING_TO_DO' });
    await runCommand(deps(kube), start);
    await runCommand(deps(kube), promote);
    corrupt(kube);
    await expect(runCommand(deps(kube), abort)).rejects.toMatchObject({ reason: 'STATE_CORRUPT' });
  });

  it('leaves a canary of another image alone when one is named', async () => {
    const kube = await atTenPercent();
    await forget(kube);
    const { verdict } = await runCommand(deps(kube), { ...rollBack, image: 'registry.example/shop:v3' });
    expect(verdict.outcome).toBe('skipped');
    expect(weightOf(kube)).toBe(10);
  });

  it('leaves a Deployment alone that is not our canary', async () => {
    const kube = await atTenPercent();
    await forget(kube);
    const { annotations: _, ...metadata } = kube.at('deployments', namespace, 'shop-canary').metadata;
    kube.put({ ...kube.at('deployments', namespace, 'shop-canary'), metadata });
    expect((await runCommand(deps(kube), abort)).verdict.outcome).toBe('skipped');
    expect(find(kube, 'shop-canary')?.spec.replicas).toBe(1);
  });
});

describe('status', () => {
  it('says when users meet a canary that is on no record', async () => {
    const kube = await atTenPercent();
    await forget(kube);
    const { verdict } = await readStatus(deps(kube));
    expect(verdict.summary).toMatch(/No rollout is on record, but users meet a canary: 10 %/);
    expect(verdict.next).toEqual([expect.stringContaining('abort')]);
  });

  it('says since when a step is in force, and where there never was a rollout', async () => {
    const kube = await atTenPercent();
    expect((await readStatus(deps(kube))).verdict.summary).toMatch(/step 1 of 2 since 2026-.*: 10 % to the canary/);
    expect((await readStatus(deps(shop()))).verdict.summary).toBe('There never was a rollout of Deployment shop/shop.');
    const typo = deps(shop(), { target: { ...target(), workload: 'shpo' } });
    await expect(readStatus(typo)).rejects.toMatchObject({
      reason: 'WORKLOAD_NOT_FOUND',
      next: [expect.stringMatching(/--workload and --namespace, or in slipway\.yml/)],
    });
  });
});

describe('stable deleted during a rollout', () => {
  it.each(['istio', 'replicas'] as const)(
    'abort removes the canary, ends the rollout, and says that nobody serves (%s)',
    async (router) => {
      const kube = await atTenPercent(router);
      await removeStable(kube);
      const run = deps(kube, { target: target(router) });
      const { verdict } = await runCommand(run, abort);
      expect(verdict).toMatchObject({ outcome: 'fail', reason: 'WORKLOAD_NOT_FOUND' });
      expect(verdict.summary).toMatch(/nobody serves: Deployment shop\/shop was deleted/);
      expect(find(kube, 'shop-canary')).toBeUndefined();
      expect(weightOf(kube)).toBe(0);
      expect(stateOf(kube)).toMatchObject({ phase: 'aborted', intent: null, ended: { reason: 'WORKLOAD_NOT_FOUND' } });
      await expect(runCommand(run, { kind: 'step' })).rejects.toMatchObject({ reason: 'WORKLOAD_NOT_FOUND' });
    },
  );

  const hpas: Resource = { group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers', kind: 'HorizontalPodAutoscaler' };
  const hpa = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop', namespace },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 20 },
  };

  it.each(['stays', 'is gone, too', 'goes while it is looked at'])(
    'gives its autoscaler back its own limit, when that %s',
    async (fate) => {
      const kube = shop();
      kube.put(structuredClone(hpa));
      await runCommand(deps(kube), start);
      const floorNow = () => kube.at('horizontalpodautoscalers', namespace, 'shop').spec.minReplicas;
      expect(floorNow()).toBe(10);
      await removeStable(kube);
      if (fate === 'is gone, too') await kube.remove(hpas, namespace, 'shop');
      kube.before = ({ verb, plural }) => {
        const goes = fate === 'goes while it is looked at' && verb === 'patch' && plural === 'horizontalpodautoscalers';
        if (goes) throw new OperationError('there is none', { reason: 'NOT_FOUND' });
        return undefined;
      };
      expect((await runCommand(deps(kube), abort)).verdict).toMatchObject({ outcome: 'fail', reason: 'WORKLOAD_NOT_FOUND' });
      if (fate === 'stays') expect(floorNow()).toBe(2);
      expect(stateOf(kube)).toMatchObject({ phase: 'aborted', floor: null });
    },
  );

  it('a step moves nobody', async () => {
    const kube = await atTenPercent();
    await removeStable(kube);
    await expect(runCommand(deps(kube), { kind: 'step' })).rejects.toMatchObject({ reason: 'WORKLOAD_NOT_FOUND' });
    expect(weightOf(kube)).toBe(10);
  });
});

it('an abort is not turned away by evidence that the analysis wrote between its look and its first write', async () => {
  const kube = await atTenPercent();
  kube.before = ({ verb, plural }) => {
    if (verb !== 'patch' || plural !== 'configmaps') return undefined;
    kube.before = () => undefined;
    const state = stateOf(kube);
    kube.put({
      ...kube.at('configmaps', namespace, 'slipway-shop'),
      data: { 'state.json': JSON.stringify({ ...state, generation: state.generation + 1 }) },
    });
    return undefined;
  };
  const { verdict } = await runCommand(deps(kube, { holder: 'ann@laptop/77' }), abort);
  expect(verdict).toMatchObject({ outcome: 'pass', reason: 'ABORTED' });
  expect(weightOf(kube)).toBe(0);
});

describe('an image that is set but does not serve', () => {
  it.each([start, { ...promote, image: v2 } as Command])('is not "already released": $kind', async (command) => {
    const kube = shop();
    kube.react = (object) => {
      if (object.kind === 'Deployment')
        object.status = { observedGeneration: object.metadata.generation, replicas: 10, updatedReplicas: 10 };
    };
    const stable = kube.at('deployments', namespace, 'shop');
    stable.spec.template.spec.containers[0].image = v2;
    kube.put(stable);
    await expect(runCommand(deps(kube), command)).rejects.toMatchObject({ reason: 'READY_TIMEOUT' });
  });
});

describe('a run that is cancelled', () => {
  it('while a rolling release is on: the former template is set at once, and nobody is told that users are back already', async () => {
    const kube = shop();
    const run = deps(kube);
    kube.before = ({ verb }) => {
      if (verb === 'get' && imageOf(kube) === v2) run.abort();
      return undefined;
    };
    kube.react = (object) => {
      if (object.kind === 'Deployment')
        object.status = { observedGeneration: object.metadata.generation, replicas: 10, updatedReplicas: 3 };
    };
    kube.put({ ...kube.at('deployments', namespace, 'shop') });
    const { verdict } = await runCommand(run, { kind: 'promote', image: v2, version: null });
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'CANCELLED' });
    expect(verdict.summary).toMatch(/v1 is being put back/);
    expect(imageOf(kube)).toBe(v1);
    expect(stateOf(kube).phase).toBe('aborting');
  });

  it('while a canary is promoted: the route and the template go back', async () => {
    const kube = await atTenPercent();
    const run = deps(kube, { holder: 'acme/shop/77/1/all' });
    const react = kube.react;
    kube.react = (object) => {
      react(object);
      if (object.kind === 'Deployment' && imageOf(kube) === v2) object.status = { ...object.status, updatedReplicas: 3 };
    };
    kube.before = ({ verb, plural }) => {
      if (verb === 'get' && plural === 'deployments' && imageOf(kube) === v2) run.abort();
      return undefined;
    };
    const { verdict } = await runCommand(run, promote);
    expect(verdict.summary).toMatch(/v1 is being put back/);
    expect(weightOf(kube)).toBe(0);
    expect(imageOf(kube)).toBe(v1);
    kube.before = () => undefined;
    kube.react = react;
    expect((await finishCancelled(deps(kube))).reason).toBe('ABORTED');
    expect(stateOf(kube)).toMatchObject({ phase: 'aborted', ended: { reason: 'CANCELLED' } });
  });

  it('and cannot reach the route does not say that users are back', async () => {
    const kube = await atTenPercent();
    const run = deps(kube, { holder: 'acme/shop/77/1/half' });
    kube.before = ({ verb, plural }) => {
      if (verb === 'patch' && plural === 'deployments') run.abort();
      if (verb === 'patch' && plural === 'virtualservices') throw new OperationError('may not patch', { reason: 'FORBIDDEN' });
      return undefined;
    };
    const { verdict } = await runCommand(run, { kind: 'step' });
    expect(verdict.summary).toMatch(/could NOT be sent back/);
    expect(weightOf(kube)).toBe(10);
    expect(stateOf(kube).phase).toBe('aborting');
  });

  it('does not take back another run’s rollout in `post`', async () => {
    const kube = await atTenPercent();
    expect((await finishCancelled(deps(kube, { holder: 'acme/shop/78/1/canary' }), 'registry.example/shop:v3')).outcome).toBe('skipped');
    expect(weightOf(kube)).toBe(10);
    expect((await finishCancelled(deps(kube), v2)).reason).toBe('ABORTED');
    expect(weightOf(kube)).toBe(0);
  });

  it('is finished in `post` even where the record is broken', async () => {
    const kube = await atTenPercent();
    corrupt(kube);
    expect((await finishCancelled(deps(kube))).reason).toBe('STATE_CORRUPT');
    expect(weightOf(kube)).toBe(0);
  });
});
