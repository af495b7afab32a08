import { describe, expect, it } from '@jest/globals';
import type { Command } from '../src/command.js';
import { reconcile, standingOf } from '../src/reconcile.js';
import { runCommand } from '../src/run-command.js';
import type { Evidence, Phase, RolloutState } from '../src/state.js';
import { deps, find, imageOf, instantClock, namespace, shop, stateOf, target, v1, v2, weightOf } from './shop.js';

const start: Command = { kind: 'start', image: v2, version: 'v2.0.0' };
const promote: Command = { kind: 'promote', version: null, weight: 100 };
const quiet = 90_000;
const rest = 1_800_000;
const patience = { quiet, rest };
type Kube = ReturnType<typeof shop>;

async function atTenPercent(router: 'istio' | 'replicas' = 'istio'): Promise<Kube> {
  const kube = shop();
  await runCommand(deps(kube, { target: target(router) }), start);
  return kube;
}

/** Runs a command that dies before its nth write to the cluster's Deployments or routes, with the lease in its hands. */
async function died(kube: Kube, command: Command, dies: (call: { verb: string; plural: string; name: string }) => boolean): Promise<void> {
  let dead = false;
  kube.before = (call) => {
    dead ||= dies(call);
    if (dead) throw new Error('killed');
    return undefined;
  };
  await expect(runCommand(deps(kube), command)).rejects.toThrow('killed');
  kube.before = () => undefined;
}

const write = (kube: Kube, change: (state: RolloutState) => Partial<RolloutState>) => {
  const state = stateOf(kube);
  const next = { ...state, ...change(state), generation: state.generation + 1 };
  kube.put({ ...kube.at('configmaps', namespace, 'slipway-shop'), data: { 'state.json': JSON.stringify(next) } });
};

const atWork = (kube: Kube) => write(kube, ({ evidence }) => ({ evidence: { ...evidence, running: true } as Evidence }));

async function analysed(router: 'istio' | 'replicas' = 'istio'): Promise<Kube> {
  const kube = await atTenPercent(router);
  atWork(kube);
  return kube;
}

/** The API server's note of an object's last write: `ago` milliseconds before the sweeper comes. */
function writtenAgo(kube: Kube, plural: 'configmaps' | 'leases', ago: number): void {
  const object = kube.at(plural, namespace, 'slipway-shop');
  const time = new Date(instantClock().now() - ago).toISOString();
  kube.put({ ...object, metadata: { ...object.metadata, managedFields: [{ manager: 'node', operation: 'Update', time }] } });
}

/** Looks of a sweeper, between two of which `meanwhile` happens; the number of milliseconds that it took. */
function sweeper(kube: Kube, meanwhile: (ms: number) => void = () => undefined) {
  const run = deps(kube, { holder: 'acme/shop/99/1/sweep' });
  const clock = instantClock();
  const began = clock.now();
  const { sleep } = clock;
  clock.sleep = async (ms, signal) => {
    await sleep(ms, signal);
    meanwhile(clock.now() - began);
  };
  run.context.clock = clock;
  return { run, took: () => clock.now() - began };
}

describe('reconcile', () => {
  it('ends at once where nothing is on its way, and says so', async () => {
    const kube = shop();
    const first = sweeper(kube);
    expect((await reconcile(first.run, patience)).verdict).toMatchObject({ outcome: 'skipped', reason: 'NOTHING_TO_DO' });
    await runCommand(deps(kube), start);
    await runCommand(deps(kube), promote);
    const second = sweeper(kube);
    const { verdict, rolledBack } = await reconcile(second.run, patience);
    expect(verdict).toMatchObject({ outcome: 'skipped', reason: 'NOTHING_TO_DO' });
    expect([rolledBack, first.took(), second.took(), imageOf(kube)]).toEqual([false, 0, 0, v2]);
  });

  it('leaves a paused rollout alone', async () => {
    const kube = await atTenPercent();
    await runCommand(deps(kube), { kind: 'pause', why: 'lunch' });
    const { run, took } = sweeper(kube);
    expect((await reconcile(run, patience)).verdict).toMatchObject({ outcome: 'skipped', reason: 'ROLLOUT_PAUSED' });
    expect([took(), weightOf(kube)]).toEqual([0, 10]);
  });

  it.each([
    ['the state, as an analysis does', (kube: Kube) => write(kube, () => ({}))],
    [
      'the lease, as a waiting command does',
      (kube: Kube) => {
        const lease = kube.at('leases', namespace, 'slipway-shop');
        kube.put({ ...lease, spec: { ...lease.spec, holderIdentity: 'live', renewTime: new Date().toISOString() } });
      },
    ],
  ])('leaves a rollout alone of which somebody writes %s', async (_what, alive) => {
    const kube = await analysed();
    const { run, took } = sweeper(kube, (ms) => ms === 80_000 && alive(kube));
    const { verdict } = await reconcile(run, patience);
    expect(verdict).toMatchObject({ outcome: 'skipped', reason: 'SOMEBODY_WORKS' });
    expect([took(), weightOf(kube)]).toEqual([80_000, 10]);
  });

  it.each(['istio', 'replicas'] as const)('sends users back when nobody writes for `quiet`, and the canary goes (%s)', async (router) => {
    const kube = await analysed(router);
    const { run, took } = sweeper(kube);
    const { verdict, rolledBack, state } = await reconcile(run, patience);
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'RECONCILED' });
    expect(verdict.summary).toContain('nothing was written for 1m30s while it was progressing');
    expect(rolledBack).toBe(true);
    expect(state).toMatchObject({ phase: 'aborted', ended: { reason: 'RUNNER_LOST' } });
    expect([weightOf(kube), find(kube, 'shop-canary'), imageOf(kube)]).toEqual([0, undefined, v1]);
    expect(took()).toBeGreaterThanOrEqual(quiet);
  });

  it.each<[string, number | undefined, number | undefined, RegExp]>([
    ['was written lately', rest - 1_000, rest - 1_000, /rests between two jobs, since 2026-11-22T18:30:01\.000Z, which is less than 30m\./],
    ['was written long ago, but its lease lately', 2 * rest, 60_000, /since 2026-11-22T18:59:00\.000Z/],
    ['was written nobody knows when', undefined, undefined, /since when cannot be known/],
    ['was written nobody knows when, though its lease long ago', undefined, 2 * rest, /since when cannot be known/],
  ])('leaves a rollout alone between two jobs whose state %s', async (_what, state, lease, words) => {
    const kube = await atTenPercent();
    if (state !== undefined) writtenAgo(kube, 'configmaps', state);
    if (lease !== undefined) writtenAgo(kube, 'leases', lease);
    const { run, took } = sweeper(kube);
    const { verdict, rolledBack } = await reconcile(run, patience);
    expect(verdict).toMatchObject({ outcome: 'skipped', reason: 'RESTING', summary: expect.stringMatching(words) });
    expect([took(), rolledBack, weightOf(kube)]).toEqual([0, false, 10]);
  });

  it('sends users back when nobody went on for `rest` between two jobs, without waiting for that long', async () => {
    const kube = await atTenPercent();
    writtenAgo(kube, 'configmaps', rest);
    writtenAgo(kube, 'leases', rest + 1_000);
    const { run, took } = sweeper(kube);
    const { verdict, rolledBack, state } = await reconcile(run, patience);
    expect(verdict).toMatchObject({
      outcome: 'pass',
      reason: 'RECONCILED',
      summary: expect.stringContaining('nothing was written for 30m'),
    });
    expect(state).toMatchObject({ phase: 'aborted', ended: { reason: 'RUNNER_LOST' } });
    expect([rolledBack, weightOf(kube), find(kube, 'shop-canary')]).toEqual([true, 0, undefined]);
    expect(took()).toBeLessThan(quiet);
  });

  it('takes back what is left of a run that died in the middle of its first command', async () => {
    const kube = shop();
    await died(
      kube,
      start,
      ({ verb, plural }) => verb === 'get' && plural === 'virtualservices' && find(kube, 'shop-canary') !== undefined,
    );
    const lease = kube.at('leases', namespace, 'slipway-shop');
    kube.put({ ...lease, spec: { ...lease.spec, holderIdentity: 'acme/shop/77/1/canary' } });
    const { verdict } = await reconcile(sweeper(kube).run, patience);
    expect(verdict.reason).toBe('RECONCILED');
    expect(find(kube, 'shop-canary')).toBeUndefined();
    expect(kube.at('leases', namespace, 'slipway-shop').spec.holderIdentity).toBe('');
  });

  it('finishes a promotion that stable has begun to get, and takes back one that it has not', async () => {
    const begun = await atTenPercent();
    await died(begun, promote, ({ verb, plural }) => imageOf(begun) === v2 && verb === 'patch' && plural === 'virtualservices');
    const finished = await reconcile(sweeper(begun).run, patience);
    expect(finished).toMatchObject({ verdict: { outcome: 'pass', reason: 'RECONCILED' }, rolledBack: false, state: { phase: 'promoted' } });
    expect([imageOf(begun), weightOf(begun), find(begun, 'shop-canary')]).toEqual([v2, 0, undefined]);

    const announced = await atTenPercent();
    await died(announced, promote, ({ verb, plural, name }) => verb === 'patch' && plural === 'deployments' && name === 'shop');
    expect(stateOf(announced).phase).toBe('promoting');
    const taken = await reconcile(sweeper(announced).run, patience);
    expect(taken).toMatchObject({ verdict: { outcome: 'pass', reason: 'RECONCILED' }, rolledBack: true, state: { phase: 'aborted' } });
    expect(imageOf(announced)).toBe(v1);
  });

  it('goes on with a way back, whatever it was begun for', async () => {
    const kube = await atTenPercent();
    const abort: Command = { kind: 'abort', reason: 'ERROR_RATE_WORSE', summary: '9 of 100 failed.' };
    await died(kube, abort, ({ verb, plural }) => verb === 'patch' && plural === 'virtualservices');
    const { verdict, state } = await reconcile(sweeper(kube).run, patience);
    expect(verdict.reason).toBe('RECONCILED');
    expect(state).toMatchObject({ phase: 'aborted', ended: { reason: 'ERROR_RATE_WORSE' } });
    expect(weightOf(kube)).toBe(0);
  });

  it('gives way to a run that comes between its last look and its first write', async () => {
    const kube = await analysed();
    const { run } = sweeper(kube);
    const { sleep } = run.context.clock;
    let looks = 0;
    kube.before = ({ verb, plural }) => {
      // The look after the last sleep was the eighteenth; then the command reads the state, and then it takes the lease.
      if (verb === 'get' && plural === 'configmaps') looks += 1;
      if (verb === 'get' && plural === 'configmaps' && looks === 20) write(kube, () => ({}));
      return undefined;
    };
    run.context.clock = { ...run.context.clock, sleep };
    const { verdict } = await reconcile(run, patience);
    expect(verdict).toMatchObject({ outcome: 'skipped', reason: 'SOMEBODY_WORKS' });
    expect(weightOf(kube)).toBe(10);
  });

  it('does not take a pass for what nobody serves', async () => {
    const kube = await analysed();
    await kube.remove({ group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' }, namespace, 'shop');
    const { verdict } = await reconcile(sweeper(kube).run, patience);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'WORKLOAD_NOT_FOUND' });
  });
});

describe('standingOf', () => {
  const paused = { at: '2026-11-22T19:00:00Z', by: 'ann', why: 'lunch' };
  const stepStartedAt = '2026-11-22T19:00:00Z';
  it.each<[Phase, boolean, string]>([
    ['none', false, 'at-rest'],
    ['starting', false, 'at-work'],
    ['starting', true, 'paused'],
    ['progressing', false, 'at-work'],
    ['progressing', true, 'paused'],
    ['promoting', false, 'at-work'],
    ['promoted', false, 'at-rest'],
    ['aborting', true, 'at-work'],
    ['aborted', true, 'at-rest'],
    ['undoing', false, 'at-work'],
    ['undone', false, 'at-rest'],
  ])('%s, paused %s, the step not in force: %s', (phase, isPaused, standing) => {
    const state = { phase, stepStartedAt: null, ...(isPaused ? { paused } : {}) } as RolloutState;
    expect(standingOf(state, undefined)).toBe(standing);
  });

  it.each<[string, Partial<RolloutState>, string | undefined, string]>([
    ['nobody is at work', {}, undefined, 'between-jobs'],
    ['the lease was given up', {}, '', 'between-jobs'],
    ['the lease has a holder', {}, 'acme/shop/77/1/canary', 'at-work'],
    ['an analysis runs', { evidence: { running: true } as Evidence }, '', 'at-work'],
    ['an analysis has ended', { evidence: { running: false } as Evidence }, '', 'between-jobs'],
    ['it is paused, and an analysis runs', { paused, evidence: { running: true } as Evidence }, 'x', 'paused'],
  ])('at a step in force, when %s', (_what, given, holder, standing) => {
    expect(standingOf({ phase: 'progressing', stepStartedAt, ...given } as RolloutState, holder)).toBe(standing);
  });
});

describe('roll-back with onlyUnfinished', () => {
  const back: Command = { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'it failed.', image: v2, onlyUnfinished: true };

  it('leaves a promoted release as it is, and takes back one that is on its way', async () => {
    const kube = await atTenPercent();
    expect((await runCommand(deps(kube), back)).verdict).toMatchObject({ outcome: 'pass', reason: 'ROLLED_BACK' });
    await runCommand(deps(kube), start);
    await runCommand(deps(kube), promote);
    expect((await runCommand(deps(kube), back)).verdict).toMatchObject({ outcome: 'skipped', reason: 'NOTHING_TO_DO' });
    expect(imageOf(kube)).toBe(v2);
  });
});
