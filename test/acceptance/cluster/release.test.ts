import { describe, expect, it } from '@jest/globals';
import { failures, former, image, scene, watched } from './release.js';

describe.each(['istio', 'replicas'] as const)('by %s', (router) => {
  it.concurrent(
    'a good release goes through 10 % and 50 % to everybody, and no user notices',
    scene({ config: { router, duration: '4s' } }, async (shop) => {
      const began = Date.now();
      const started = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0'), version: 'v1.4.0' });
      expect(started).toMatchObject({
        code: 0,
        outputs: { reason: 'STEP_IN_FORCE', phase: 'progressing', step: '1', weight: '10', done: 'false', 'previous-image': former },
      });
      const first = await shop.run('canary-analyze', {});
      expect(first).toMatchObject({ code: 0, outputs: { outcome: 'pass' } });
      expect(Number(first.outputs.windows)).toBeGreaterThanOrEqual(2);
      expect(Number(first.outputs['canary-requests'])).toBeGreaterThan(10);
      expect((await shop.run('canary-deploy', { command: 'step' }, { job: 'half' })).outputs).toMatchObject({
        reason: 'STEP_IN_FORCE',
        weight: '50',
      });
      expect(await shop.run('canary-analyze', {}, { job: 'half' })).toMatchObject({ code: 0, outputs: { outcome: 'pass' } });
      const promoted = await shop.run('canary-deploy', { command: 'promote' }, { job: 'all' });
      expect(promoted).toMatchObject({ code: 0, outputs: { reason: 'PROMOTED', phase: 'promoted', weight: '100', done: 'true' } });
      expect(shop.servedImage()).toBe(image('v1.4.0'));
      expect(shop.hasCanary()).toBe(false);
      await shop.sandbox.settled();
      expect(failures(shop.sandbox, began)).toEqual({ failed: 0, unanswered: 0 });
    }),
    90_000,
  );

  it.concurrent(
    'a release that fails requests is caught at 10 % and taken back',
    scene({ config: { router, duration: '30s' } }, async (shop) => {
      const began = Date.now();
      await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0-errors-20pct') });
      const analysed = await shop.run('canary-analyze', {});
      expect(analysed).toMatchObject({ code: 1, outputs: { outcome: 'fail', verdict: 'fail' } });
      expect(analysed.outputs.reason).toMatch(/^(ERROR_RATE_WORSE|ERROR_LIMIT)$/);
      expect(analysed.summary).toMatch(/Canary errors/);
      expect(shop.servedImage()).toBe(former);
      expect(shop.hasCanary()).toBe(false);
      expect(shop.state()).toMatchObject({ phase: 'aborted', weight: 0 });
      expect(failures(shop.sandbox, began).unanswered).toBe(0);
      const again = await shop.run('canary-deploy', { command: 'promote' }, { job: 'all' });
      expect(again).toMatchObject({ code: 1, outputs: { reason: 'ROLLOUT_ABORTED' } });
    }),
    90_000,
  );
});

it.concurrent(
  'a release that crashes never meets a user, and its last words are told',
  scene({}, async (shop) => {
    const began = Date.now();
    const { code, outputs, stdout } = await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0-crash') });
    expect({ code, reason: outputs.reason, phase: outputs.phase }).toEqual({ code: 1, reason: 'CRASH_LOOP', phase: 'aborted' });
    expect(stdout).toMatch(/CrashLoopBackOff/);
    expect(shop.hasCanary()).toBe(false);
    expect(shop.sandbox.stats('shop/shop', { from: began }).byVersion['v1.4.0-crash']).toBeUndefined();
  }),
  60_000,
);

it.concurrent(
  'a rolling release to staging is undone when it does not come up',
  scene({}, async (shop) => {
    const staging = { environment: 'staging' };
    const good = await shop.run('canary-deploy', { ...staging, command: 'promote', image: image('v1.4.0') });
    expect(good).toMatchObject({ code: 0, outputs: { reason: 'PROMOTED', 'previous-image': former } });
    const bad = await shop.run('canary-deploy', { ...staging, command: 'promote', image: image('v1.5.0-nopull') });
    expect(bad).toMatchObject({ code: 1, outputs: { reason: 'IMAGE_PULL_FAILED', phase: 'aborted' } });
    expect(shop.sandbox.get('Deployment', 'shop-staging', 'shop').spec.template.spec.containers[0].image).toBe(image('v1.4.0'));
  }),
  90_000,
);

describe('auto-rollback', () => {
  it.concurrent(
    'takes a promoted release back, once',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', { command: 'promote', image: image('v1.4.0') });
      const back = await shop.run('auto-rollback', { why: 'payments fail' });
      expect(back).toMatchObject({
        code: 0,
        outputs: { reason: 'ROLLED_BACK', 'rolled-back': 'true', 'from-image': image('v1.4.0'), 'to-image': former },
      });
      expect(Number(back.outputs['rollback-seconds'])).toBeLessThan(60);
      expect(shop.servedImage()).toBe(former);
      expect(await shop.run('auto-rollback', {})).toMatchObject({
        code: 0,
        outputs: { outcome: 'skipped', reason: 'ALREADY_GOOD', 'rolled-back': 'false' },
      });
    }),
    60_000,
  );

  it.concurrent(
    'by a person, while a job analyses the canary: users are back, and the job stops and fails',
    scene({ config: { duration: '60s' } }, async (shop) => {
      await shop.run('canary-deploy', { command: 'start', image: image('v1.4.0') });
      const analysis = shop.start('canary-analyze', {});
      await watched(shop);
      const back = await shop.run('auto-rollback', { why: 'payments fail' }, { job: 'person' });
      expect(back).toMatchObject({ code: 0, outputs: { reason: 'ROLLED_BACK', 'rolled-back': 'true', 'to-image': former } });
      expect(await analysis.finished).toMatchObject({ code: 1, outputs: { reason: 'ROLLOUT_SUPERSEDED' } });
      expect(shop.hasCanary()).toBe(false);
      expect(shop.state()).toMatchObject({ phase: 'aborted', ended: { summary: 'payments fail.' } });
    }),
    60_000,
  );

  it.concurrent(
    'leaves a release alone that is not the one named',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', { command: 'promote', image: image('v1.4.0') });
      expect(await shop.run('auto-rollback', { image: image('v1.5.0') })).toMatchObject({ code: 0, outputs: { reason: 'NOTHING_TO_DO' } });
      expect(shop.servedImage()).toBe(image('v1.4.0'));
    }),
    60_000,
  );

  it.concurrent(
    'watch goes back when pods keep restarting',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', { command: 'promote', image: image('v1.4.0-crashevery-3s') });
      const watched = await shop.run('auto-rollback', { command: 'watch', duration: '40s', interval: '1s' });
      expect(watched).toMatchObject({ code: 1, outputs: { 'rolled-back': 'true', 'to-image': former } });
      expect(watched.outputs.reason).toMatch(/^TRIGGER_(RESTARTS|HEALTH_FAILURES)$/);
      expect(shop.servedImage()).toBe(former);
    }),
    90_000,
  );

  it.concurrent(
    'watch passes where nothing is wrong',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', { command: 'promote', image: image('v1.4.0') });
      expect(await shop.run('auto-rollback', { command: 'watch', duration: '3s', interval: '1s' })).toMatchObject({
        code: 0,
        outputs: { reason: 'WATCH_PASSED' },
      });
    }),
    60_000,
  );
});

it.concurrent(
  'works without slipway.yml, from a namespace and a name',
  scene({ config: { router: 'replicas' } }, async (shop) => {
    const inputs = { config: 'nowhere.yml', environment: '', namespace: 'shop', workload: 'shop' };
    expect(await shop.run('canary-deploy', { ...inputs, command: 'start', image: image('v1.4.0') })).toMatchObject({
      code: 0,
      outputs: { weight: '10' },
    });
    const status = await shop.run('canary-deploy', { ...inputs, command: 'status' });
    expect(status.summary).toMatch(/v1\.4\.0/);
    expect(await shop.run('canary-deploy', { ...inputs, command: 'abort' })).toMatchObject({
      code: 0,
      outputs: { reason: 'ABORTED', done: 'true' },
    });
  }),
  60_000,
);
