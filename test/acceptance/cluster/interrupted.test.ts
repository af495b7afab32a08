import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type RunningAction, repositoryRoot } from '../run-action.js';
import { failures, former, image, type World, world } from './release.js';

let shop: World;
afterEach(() => shop.end());

/** Milliseconds from SIGINT until the routes send nobody to the canary. */
async function interrupt({ child }: RunningAction): Promise<number> {
  const began = Date.now();
  child.kill('SIGINT');
  await shop.sandbox.until('nobody routed to the canary', () => shop.weight() === 0);
  return Date.now() - began;
}

describe('SIGINT at 10 %', () => {
  it.each([0, 300])(
    'while the canary is analysed, the API server answering after %d ms: users are back within 2 s',
    async (ms) => {
      shop = await world({ config: { duration: '60s' } });
      await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0-errors-20pct') });
      shop.sandbox.faults.latency = { ms };
      const analysis = shop.start('canary-analyze', { judge: 'threshold' });
      await sleep(3_000 + 10 * ms);
      expect(shop.weight()).toBe(10);
      expect(await interrupt(analysis)).toBeLessThan(2_000);
      const main = await analysis.finished;
      expect(main).toMatchObject({ code: 1, outputs: { reason: 'CANCELLED' } });
      expect(shop.state().phase).toBe('aborting');

      const post = await shop.run('canary-analyze', {}, { phase: 'post', state: main.state });
      expect(post.code).toBe(0);
      expect(shop.state()).toMatchObject({ phase: 'aborted', ended: { reason: 'CANCELLED' } });
      expect(shop.hasCanary()).toBe(false);
      expect(shop.servedImage()).toBe(former);
    },
    60_000,
  );

  it('while the next step is brought about', async () => {
    shop = await world();
    await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') });
    shop.sandbox.faults.latency = { ms: 150 };
    const step = shop.start('canary-deploy', { command: 'step' }, { job: 'half' });
    await shop.sandbox.until('the canary is scaled', () => shop.sandbox.get('Deployment', 'shop', 'shop-canary').spec.replicas === 2);
    expect(await interrupt(step)).toBeLessThan(2_000);
    const main = await step.finished;
    expect(main.outputs.reason).toBe('CANCELLED');
    shop.sandbox.faults.clear();
    await shop.run('canary-deploy', { command: 'step' }, { job: 'half', phase: 'post', state: main.state });
    expect(shop.state().phase).toBe('aborted');
    expect(shop.weight()).toBe(0);
    expect(shop.hasCanary()).toBe(false);
  }, 60_000);

  it('leaves the split as it is with `on-cancel: hold`', async () => {
    shop = await world({ config: { duration: '60s' } });
    await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') });
    const analysis = shop.start('canary-analyze', { 'on-cancel': 'hold' });
    await sleep(2_500);
    analysis.child.kill('SIGINT');
    const main = await analysis.finished;
    expect(main.outputs.reason).toBe('CANCELLED');
    await shop.run('canary-analyze', { 'on-cancel': 'hold' }, { phase: 'post', state: main.state });
    expect(shop.weight()).toBe(10);
    expect(shop.state().phase).toBe('progressing');
  }, 60_000);

  it('leaves a finished step alone: `post` after a good end changes nothing', async () => {
    shop = await world();
    const main = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') });
    const writes = shop.sandbox.writes.length;
    await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') }, { phase: 'post', state: main.state });
    expect(shop.sandbox.writes.length).toBe(writes);
    expect(shop.weight()).toBe(10);
  }, 60_000);
});

describe('kill -9', () => {
  /** Requests of `start` and `promote` at which the process is killed: a sample over the whole way. */
  it.each([3, 8, 12, 16, 20, 24])(
    'at request %d of `start`: the re-run ends at 10 %, and no user met a track without pods',
    async (nth) => {
      shop = await world();
      const began = Date.now();
      shop.sandbox.requestLog.reset();
      const run = shop.start('canary-deploy', { command: 'start', image: image('v1.4.0') });
      shop.sandbox.faults.killAt(nth, () => run.child.kill('SIGKILL'));
      expect(await run.finished).toMatchObject({ code: null, signal: 'SIGKILL' });
      shop.sandbox.faults.clear();
      const again = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') }, { attempt: 2 });
      expect(again).toMatchObject({ code: 0, outputs: { reason: 'STEP_IN_FORCE', step: '1' } });
      expect(shop.weight()).toBe(10);
      await shop.sandbox.settled();
      expect(failures(shop.sandbox, began)).toEqual({ failed: 0, unanswered: 0 });
    },
    60_000,
  );

  it('in the middle of an analysis: the re-run goes on with its evidence, and finds the fault', async () => {
    shop = await world({ config: { duration: '60s' } });
    await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0-errors-4pct') });
    const analysis = shop.start('canary-analyze', {});
    await sleep(3_500);
    analysis.child.kill('SIGKILL');
    await analysis.finished;
    const watched: number = shop.state().evidence?.watched ?? 0;
    const again = await shop.run('canary-analyze', {}, { attempt: 2 });
    expect(again).toMatchObject({ code: 1, outputs: { verdict: 'fail' } });
    expect(shop.state().evidence.watched).toBeGreaterThanOrEqual(watched);
    expect(shop.servedImage()).toBe(former);
    expect(shop.hasCanary()).toBe(false);
  }, 90_000);
});

describe('an API server that', () => {
  it('forbids is told with the verb and the resource that is missing', async () => {
    shop = await world();
    shop.sandbox.addUser('looker', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }] });
    const { code, result } = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') }, { user: 'looker' });
    expect(code).toBe(1);
    expect(result.reason).toBe('FORBIDDEN');
    expect(result.summary).toMatch(/create.*leases/);
    expect(shop.weight()).toBe(0);
  }, 60_000);

  it('answers some requests with 500, 429 or 409, or drops them after doing them, is asked again', async () => {
    shop = await world();
    const { faults } = shop.sandbox;
    faults.add({ path: '/deployments/', method: 'GET', action: 'status', code: 500 });
    faults.add({ path: '/virtualservices/', method: 'GET', action: 'status', code: 503 });
    faults.add({ path: '/configmaps/', method: 'PATCH', action: 'drop-after' });
    faults.add({ path: '/virtualservices/', method: 'PATCH', action: 'status', code: 429, retryAfter: 1 });
    faults.add({ path: '/deployments', method: 'POST', action: 'drop-after' });
    const started = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') });
    expect(started).toMatchObject({ code: 0, outputs: { reason: 'STEP_IN_FORCE' } });
    expect(faults.list().every(({ fired }) => fired === 1)).toBe(true);
    expect(shop.weight()).toBe(10);
  }, 60_000);

  it('is gone loses nothing: the next run goes on', async () => {
    shop = await world();
    await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') });
    shop.sandbox.faults.add({ path: '/deployments/shop-canary', method: 'PATCH', times: 0, action: 'status', code: 500 });
    const failed = await shop.run('canary-deploy', { command: 'step' }, { job: 'half' });
    expect(failed).toMatchObject({ code: 1, result: { reason: 'API_UNAVAILABLE' } });
    expect(shop.weight()).toBe(10);
    shop.sandbox.faults.clear();
    const again = await shop.run('canary-deploy', { command: 'step' }, { job: 'half', attempt: 2 });
    expect(again).toMatchObject({ code: 0, outputs: { step: '2', weight: '50' } });
    expect(shop.weight()).toBe(50);
  }, 120_000);
});

describe('docs/rbac/slipway.yaml', () => {
  const role = readFileSync(join(repositoryRoot, 'docs/rbac/slipway.yaml'), 'utf8');
  const user = 'system:serviceaccount:shop:slipway';

  it('is enough for a release and its rollback', async () => {
    shop = await world({ config: { duration: '2s' } });
    shop.sandbox.apply(role);
    const how = { user };
    for (const [entry, inputs] of [
      ['canary-deploy', { command: 'start', image: image('v1.4.0') }],
      ['canary-analyze', {}],
      ['canary-deploy', { command: 'promote', weight: '100' }],
      ['auto-rollback', {}],
    ] as const) {
      const { code, result } = await shop.run(entry, inputs, how);
      expect({ entry, code, reason: result.reason }).toEqual({ entry, code: 0, reason: expect.any(String) });
    }
    expect(shop.servedImage()).toBe(former);
  }, 90_000);

  it('without one of its verbs, that verb is named', async () => {
    shop = await world();
    shop.sandbox.apply(
      role.replace(
        'resources: [virtualservices]\n  resourceNames: [shop]\n  verbs: [get, patch]',
        'resources: [virtualservices]\n  resourceNames: [shop]\n  verbs: [get]',
      ),
    );
    const { code, result } = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') }, { user });
    expect({ code, reason: result.reason }).toEqual({ code: 1, reason: 'FORBIDDEN' });
    expect(result.summary).toMatch(/patch.*virtualservices/);
  }, 60_000);
});

describe('two runs at once', () => {
  it('the second is refused, and says who is at work', async () => {
    shop = await world();
    shop.sandbox.faults.latency = { ms: 250 };
    const first = shop.start('canary-deploy', { command: 'start', image: image('v1.4.0') });
    await shop.sandbox.until('a lease is held', () => Boolean(shop.sandbox.find('Lease', 'shop', 'slipway-shop')?.spec.holderIdentity));
    const second = await shop.run('canary-deploy', { command: 'start', image: image('v1.5.0') }, { job: 'other' });
    expect(['LEASE_HELD', 'ROLLOUT_IN_PROGRESS']).toContain(second.result.reason);
    expect((await first.finished).outputs.reason).toBe('STEP_IN_FORCE');
    expect(shop.state().image.to).toBe(image('v1.4.0'));
  }, 120_000);
});
