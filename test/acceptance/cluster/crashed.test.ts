import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../run-action.js';
import { failures, former, image, scene, type World, watched } from './release.js';

/**
 * Starts a rollout whose process gets SIGKILL at its nth request, when that was done and before its answer. The fault is armed before the
 * process exists, and a process that came to its end without it tells what it said.
 */
async function killed({ sandbox, start }: World, nth: number): Promise<void> {
  let kill: () => unknown = () => undefined;
  sandbox.requestLog.reset();
  const fault = sandbox.faults.killAt(nth, () => kill());
  const run = start('canary-deploy', { command: 'start', image: image('v1.4.0') });
  kill = () => run.child.kill('SIGKILL');
  const { code, signal, stdout, stderr } = await run.finished;
  const told = signal === 'SIGKILL' ? '' : `after ${sandbox.requestLog.count} requests: ${stdout}${stderr}`;
  expect({ code, signal, fired: fault.fired, told }).toEqual({ code: null, signal: 'SIGKILL', fired: 1, told: '' });
  sandbox.faults.clear();
}

describe('kill -9', () => {
  /** One request in the middle; every one is test/acceptance/crash's. */
  it.concurrent.each([16])(
    'at request %d of `start`: the re-run ends at 10 %, and no user met a track without pods',
    scene({}, async (shop, nth: number) => {
      const began = Date.now();
      await killed(shop, nth);
      const again = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') }, { attempt: 2 });
      expect(again).toMatchObject({ code: 0, outputs: { reason: 'STEP_IN_FORCE', step: '1' } });
      expect(shop.weight()).toBe(10);
      await shop.sandbox.settled();
      expect(failures(shop.sandbox, began)).toEqual({ failed: 0, unanswered: 0 });
    }),
    60_000,
  );

  it.concurrent(
    'in the middle of an analysis: the re-run goes on with its evidence, and finds the fault',
    scene({ config: { duration: '60s' } }, async (shop) => {
      await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0-errors-8pct') });
      const analysis = shop.start('canary-analyze', {});
      await watched(shop);
      analysis.child.kill('SIGKILL');
      await analysis.finished;
      const before: number = shop.state().evidence.watched;
      const again = await shop.run('canary-analyze', {}, { attempt: 2 });
      expect(again).toMatchObject({ code: 1, outputs: { verdict: 'fail' } });
      expect(shop.state().evidence.watched).toBeGreaterThan(before);
      expect(shop.servedImage()).toBe(former);
      expect(shop.hasCanary()).toBe(false);
    }),
    90_000,
  );
});

describe('an API server that', () => {
  it.concurrent(
    'forbids is told with the verb and the resource that is missing',
    scene({}, async (shop) => {
      shop.sandbox.addUser('looker', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }] });
      const { code, result } = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') }, { user: 'looker' });
      expect(code).toBe(1);
      expect(result.reason).toBe('FORBIDDEN');
      expect(result.summary).toMatch(/create.*leases/);
      expect(shop.weight()).toBe(0);
    }),
    60_000,
  );

  it.concurrent(
    'answers some requests with 500, 429 or 409, or drops them after doing them, is asked again',
    scene({}, async (shop) => {
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
    }),
    60_000,
  );

  it.concurrent(
    'is gone loses nothing: the next run goes on',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') });
      shop.sandbox.faults.add({ path: '/deployments/shop-canary', method: 'PATCH', times: 0, action: 'status', code: 503, retryAfter: 60 });
      const failed = await shop.run('canary-deploy', { command: 'step' }, { job: 'half' });
      expect(failed).toMatchObject({ code: 1, result: { reason: 'API_UNAVAILABLE' } });
      expect(shop.weight()).toBe(10);
      shop.sandbox.faults.clear();
      const again = await shop.run('canary-deploy', { command: 'step' }, { job: 'half', attempt: 2 });
      expect(again).toMatchObject({ code: 0, outputs: { step: '2', weight: '50' } });
      expect(shop.weight()).toBe(50);
    }),
    120_000,
  );
});

describe('docs/rbac/slipway.yaml', () => {
  const role = readFileSync(join(repositoryRoot, 'docs/rbac/slipway.yaml'), 'utf8');
  const user = 'system:serviceaccount:shop:slipway';

  it.concurrent(
    'is enough for a release and its rollback',
    scene({ config: { duration: '2s' } }, async (shop) => {
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
    }),
    90_000,
  );

  it.concurrent(
    'without one of its verbs, that verb is named',
    scene({}, async (shop) => {
      shop.sandbox.apply(
        role.replace(
          'resources: [virtualservices]\n  resourceNames: [shop]\n  verbs: [get, patch]',
          'resources: [virtualservices]\n  resourceNames: [shop]\n  verbs: [get]',
        ),
      );
      const { code, result } = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') }, { user });
      expect({ code, reason: result.reason }).toEqual({ code: 1, reason: 'FORBIDDEN' });
      expect(result.summary).toMatch(/patch.*virtualservices/);
    }),
    60_000,
  );
});

describe('two runs at once', () => {
  it.concurrent(
    'the second is refused, and says who is at work',
    scene({}, async (shop) => {
      shop.sandbox.faults.latency = { ms: 100 };
      const first = shop.start('canary-deploy', { command: 'start', image: image('v1.4.0') });
      await shop.sandbox.until('a lease is held', () => Boolean(shop.sandbox.find('Lease', 'shop', 'slipway-shop')?.spec.holderIdentity));
      const second = await shop.run('canary-deploy', { command: 'start', image: image('v1.5.0') }, { job: 'other' });
      expect(['LEASE_HELD', 'ROLLOUT_IN_PROGRESS']).toContain(second.result.reason);
      expect((await first.finished).outputs.reason).toBe('STEP_IN_FORCE');
      expect(shop.state().image.to).toBe(image('v1.4.0'));
    }),
    120_000,
  );
});
