import { describe, expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import type { Command } from '../src/command.js';
import { measuredWeight } from '../src/measured-split.js';
import { runCommand } from '../src/run-command.js';
import type { RolloutState } from '../src/state.js';
import { readStatus } from '../src/status.js';
import { deps, find, imageOf, namespace, shop, stateOf, target, v1, v2, weightOf } from './shop.js';

const start: Command = { kind: 'start', image: v2, version: 'v2.0.0' };
const step: Command = { kind: 'step' };
const promote: Command = { kind: 'promote', version: null };
const abort: Command = { kind: 'abort', reason: 'ABORTED', summary: 'by hand.' };
const rollBack: Command = { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'errors.' };

describe('a rollout by Istio routes', () => {
  it('goes start → step → promote in three runs', async () => {
    const kube = shop();
    const first = await runCommand(deps(kube), start);
    expect(first.verdict).toMatchObject({ outcome: 'pass', reason: 'STEP_IN_FORCE' });
    expect(weightOf(kube)).toBe(10);
    expect(find(kube, 'shop-canary')?.spec.replicas).toBe(1);
    expect(imageOf(kube, 'shop-canary')).toBe(v2);
    expect(imageOf(kube)).toBe(v1);

    const second = await runCommand(deps(kube, { holder: 'acme/shop/77/1/half' }), step);
    expect(second.verdict.reason).toBe('STEP_IN_FORCE');
    expect(weightOf(kube)).toBe(50);
    expect(find(kube, 'shop-canary')?.spec.replicas).toBe(5);

    const third = await runCommand(deps(kube, { holder: 'acme/shop/77/1/all' }), promote);
    expect(third.verdict).toMatchObject({ outcome: 'pass', reason: 'PROMOTED' });
    expect(imageOf(kube)).toBe(v2);
    expect(weightOf(kube)).toBe(0);
    expect(find(kube, 'shop-canary')).toBeUndefined();
    expect(stateOf(kube)).toMatchObject({ phase: 'promoted', weight: 100, intent: null, image: { from: v1, to: v2 } });
  });

  it('writes down each change before it makes it', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    const writes = kube.writes().filter(({ plural }) => plural !== 'leases');
    writes.forEach(({ plural, name }, index) => {
      if (plural === 'configmaps') return;
      const before = writes[index - 1];
      expect(`${before?.plural}/${before?.name}, then ${plural}/${name}`).toMatch(/^configmaps\/slipway-shop, then/);
    });
  });

  it('routes only to a canary that is ready', async () => {
    const kube = shop();
    let ready = false;
    kube.before = (call) => {
      if (call.plural === 'virtualservices' && call.verb === 'patch') {
        const { status, spec } = kube.at('deployments', namespace, 'shop-canary');
        ready = status.availableReplicas === spec.replicas;
      }
      return undefined;
    };
    await runCommand(deps(kube), start);
    expect(ready).toBe(true);
  });

  it('aborts by routing first, and leaves nothing', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    const { verdict } = await runCommand(deps(kube), abort);
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'ABORTED' });
    expect(weightOf(kube)).toBe(0);
    expect(find(kube, 'shop-canary')).toBeUndefined();
    const order = kube.writes().map(({ verb, plural }) => `${verb} ${plural}`);
    // First 10 %, then 0 %; only then the canary goes.
    const routed = order.indexOf('patch virtualservices', order.indexOf('patch virtualservices') + 1);
    expect(routed).toBeGreaterThan(0);
    expect(order.indexOf('remove deployments')).toBeGreaterThan(routed);
    expect(stateOf(kube)).toMatchObject({ phase: 'aborted', ended: { reason: 'ABORTED' } });
  });

  it('takes a promoted release back once', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    await runCommand(deps(kube), { ...promote, weight: 100 });
    expect(imageOf(kube)).toBe(v2);
    const back = await runCommand(deps(kube), rollBack);
    expect(back.verdict).toMatchObject({ outcome: 'pass', reason: 'ROLLED_BACK' });
    expect(imageOf(kube)).toBe(v1);
    const again = await runCommand(deps(kube), rollBack);
    expect(again.verdict).toMatchObject({ outcome: 'skipped', reason: 'ALREADY_GOOD' });
  });

  it('refuses a snapshot that was changed, and restores nothing', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    await runCommand(deps(kube), { ...promote, weight: 100 });
    const snapshot = kube.at('configmaps', namespace, 'slipway-shop-snapshot-1');
    kube.put({ ...snapshot, data: { 'snapshot.json': snapshot.data['snapshot.json'].replace(v1, 'registry.example/evil:v1') } });
    await expect(runCommand(deps(kube), rollBack)).rejects.toMatchObject({ reason: 'SNAPSHOT_TAMPERED' });
    expect(imageOf(kube)).toBe(v2);
  });

  it('adopts a Deployment without the track label first', async () => {
    const kube = shop({ tracked: false });
    await runCommand(deps(kube), start);
    expect(kube.at('deployments', namespace, 'shop').spec.template.metadata.labels).toEqual({ app: 'shop', track: 'stable' });
    expect(weightOf(kube)).toBe(10);
  });

  it('takes a release back whose pods crash, in the same run', async () => {
    const kube = shop();
    const react = kube.react;
    kube.react = (object) => {
      react(object);
      if (object.metadata.name === 'shop-canary') {
        object.status = {
          ...object.status,
          availableReplicas: 0,
          conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'no progress' }],
        };
      }
    };
    const run = deps(kube);
    const { verdict } = await runCommand(run, start);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'PROGRESS_DEADLINE_EXCEEDED' });
    expect(find(kube, 'shop-canary')).toBeUndefined();
    expect(run.lines.join('\n')).toMatch(/no progress\. Users are being sent back\./);
    expect(weightOf(kube)).toBe(0);
    expect(kube.writes().some(({ plural }) => plural === 'virtualservices')).toBe(false);
  });

  it('begins no canary of a Deployment that stops its pods first, and does not promote one that came to do so', async () => {
    const kube = shop();
    const stable = () => kube.at('deployments', namespace, 'shop');
    const strategy = (type: string) => kube.put({ ...stable(), spec: { ...stable().spec, strategy: { type } } });
    strategy('Recreate');
    await expect(runCommand(deps(kube), start)).rejects.toMatchObject({ reason: 'RECREATE_STRATEGY' });
    expect(find(kube, 'shop-canary')).toBeUndefined();
    strategy('RollingUpdate');
    await runCommand(deps(kube), start);
    strategy('Recreate');
    const all: Command = { ...promote, weight: 100 };
    await expect(runCommand(deps(kube), all)).rejects.toMatchObject({ reason: 'RECREATE_STRATEGY' });
    expect([imageOf(kube), weightOf(kube), stateOf(kube).phase]).toEqual([v1, 10, 'progressing']);
    strategy('RollingUpdate');
    expect((await runCommand(deps(kube), all)).verdict.reason).toBe('PROMOTED');
  });

  it('names a Deployment that is not there, and writes nothing', async () => {
    const kube = shop();
    await expect(runCommand(deps(kube, { target: { ...target(), workload: 'shopp' } }), start)).rejects.toMatchObject({
      reason: 'WORKLOAD_NOT_FOUND',
    });
    expect(kube.writes()).toEqual([]);
  });

  it('refuses to begin where traffic goes to a canary that is on no record', async () => {
    const kube = shop();
    const service = kube.at('virtualservices', namespace, 'shop');
    service.spec.http[0].route = [
      { destination: { host: 'shop', subset: 'stable' }, weight: 80 },
      { destination: { host: 'shop', subset: 'canary' }, weight: 20 },
    ];
    await expect(runCommand(deps(kube), start)).rejects.toMatchObject({ reason: 'UNEXPECTED_SPLIT' });
    expect(weightOf(kube)).toBe(20);
  });

  it('does not build on a state that a newer holder has written', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    const state = stateOf(kube);
    const map = kube.at('configmaps', namespace, 'slipway-shop');
    kube.before = (call) => {
      // Another run takes over between this run's reading and its first write.
      if (call.verb === 'patch' && call.plural === 'configmaps') {
        kube.before = () => undefined;
        kube.put({
          ...map,
          metadata: { ...map.metadata, resourceVersion: undefined },
          data: { 'state.json': JSON.stringify({ ...state, fencing: 99, generation: 99 }) },
        });
      }
      return undefined;
    };
    await expect(runCommand(deps(kube, { holder: 'acme/shop/77/1/half' }), step)).rejects.toMatchObject({ reason: 'ROLLOUT_SUPERSEDED' });
    expect(weightOf(kube)).toBe(10);
  });
});

describe('a rolling release', () => {
  const release: Command = { kind: 'promote', image: v2, version: 'v2.0.0' };

  it('goes by `strategy: Recreate`, whose downtime the user chose', async () => {
    const kube = shop();
    const stable = kube.at('deployments', namespace, 'shop');
    kube.put({ ...stable, spec: { ...stable.spec, strategy: { type: 'Recreate' } } });
    expect((await runCommand(deps(kube), release)).verdict.reason).toBe('PROMOTED');
  });

  it('sets the image and sees it serve', async () => {
    const kube = shop();
    expect((await runCommand(deps(kube), release)).verdict).toMatchObject({ outcome: 'pass', reason: 'PROMOTED' });
    expect(imageOf(kube)).toBe(v2);
    expect((await runCommand(deps(kube), release)).verdict).toMatchObject({ outcome: 'skipped', reason: 'ALREADY_RELEASED' });
  });

  it('is undone when it does not get ready', async () => {
    const kube = shop();
    const react = kube.react;
    kube.react = (object) => {
      react(object);
      if (object.kind === 'Deployment' && object.spec.template.spec.containers[0].image === v2) {
        object.status = { ...object.status, updatedReplicas: 0 };
      }
    };
    const { verdict } = await runCommand(deps(kube), release);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'READY_TIMEOUT' });
    expect(imageOf(kube)).toBe(v1);
    expect(stateOf(kube).phase).toBe('aborted');
  });
});

describe('a rollout by the number of pods', () => {
  const replicas = { target: target('replicas') };

  it('says the share that whole pods make, not the one that was asked for', async () => {
    const kube = shop({ replicas: 4 });
    const { verdict, state } = await runCommand(deps(kube, replicas), start);
    expect(verdict.summary).toMatch(/^About 20 % of users meet v2\.0\.0: 1 of 5 ready pods .*; 10 % was asked \(step 1 of 2\)\.$/);
    expect(measuredWeight(state as RolloutState)).toBe(20);
    expect((await runCommand(deps(kube, replicas), start)).verdict.summary).toBe(verdict.summary);
    expect((await readStatus(deps(kube, replicas))).state?.split?.weight).toBe(20);
  });

  it('promotes with stable at its full number before the canary goes', async () => {
    const kube = shop();
    await runCommand(deps(kube, replicas), start);
    expect(find(kube, 'shop-canary')?.spec.replicas).toBe(1);
    expect(find(kube, 'shop')?.spec.replicas).toBe(9);
    await runCommand(deps(kube, { ...replicas, holder: 'acme/shop/77/1/half' }), step);
    expect(find(kube, 'shop')?.spec.replicas).toBe(5);
    let fewest = Number.POSITIVE_INFINITY;
    kube.before = () => {
      const pods = (name: string) => find(kube, name)?.spec.replicas ?? 0;
      fewest = Math.min(fewest, pods('shop') + pods('shop-canary'));
      return undefined;
    };
    const { verdict } = await runCommand(deps(kube, { ...replicas, holder: 'acme/shop/77/1/all' }), promote);
    expect(verdict.reason).toBe('PROMOTED');
    expect(find(kube, 'shop')?.spec.replicas).toBe(10);
    expect(fewest).toBeGreaterThanOrEqual(10);
  });
});

describe('a cancelled run', () => {
  it('sends users back with the prepared patch, and the next run tidies up', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    const run = deps(kube, { holder: 'acme/shop/77/1/half' });
    kube.before = (call) => {
      if (call.verb === 'patch' && call.plural === 'deployments') run.abort();
      return undefined;
    };
    const { verdict } = await runCommand(run, step);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'CANCELLED' });
    expect(weightOf(kube)).toBe(0);
    expect(find(kube, 'shop-canary')).toBeDefined();
    expect(stateOf(kube).phase).toBe('aborting');
    kube.before = () => undefined;
    await runCommand(deps(kube), abort);
    expect(find(kube, 'shop-canary')).toBeUndefined();
  });

  it('leaves the split as it is with `hold`', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    const run = deps(kube, { holder: 'acme/shop/77/1/half', onCancel: 'hold' });
    kube.before = (call) => {
      if (call.verb === 'patch' && call.plural === 'deployments') run.abort();
      return undefined;
    };
    const { verdict } = await runCommand(run, step);
    expect(verdict.reason).toBe('CANCELLED');
    expect(weightOf(kube)).toBe(10);
    expect(stateOf(kube).phase).toBe('progressing');
  });
});

describe('errors of the API server', () => {
  it('leave the rollout where it is, to be taken up again', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    kube.before = (call) => {
      if (call.verb === 'patch' && call.plural === 'virtualservices') throw new OperationError('may not patch', { reason: 'FORBIDDEN' });
      return undefined;
    };
    await expect(runCommand(deps(kube, { holder: 'acme/shop/77/1/half' }), step)).rejects.toMatchObject({ reason: 'FORBIDDEN' });
    expect(stateOf(kube)).toMatchObject({ phase: 'progressing', step: 1, stepStartedAt: null, intent: { change: 'route' } });
    kube.before = () => undefined;
    const { verdict } = await runCommand(deps(kube, { holder: 'acme/shop/77/2/half' }), step);
    expect(verdict.reason).toBe('STEP_IN_FORCE');
    expect(stateOf(kube).step).toBe(1);
    expect(weightOf(kube)).toBe(50);
  });
});
