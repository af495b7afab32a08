import { afterEach, describe, expect, it } from '@jest/globals';
import type { RunningAction } from '../run-action.js';
import { former, image, type World, watched, world } from './release.js';

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
      await watched(shop);
      expect(shop.weight()).toBe(10);
      expect(await interrupt(analysis)).toBeLessThan(2_000);
      const main = await analysis.finished;
      expect(main).toMatchObject({ code: 1, outputs: { reason: 'CANCELLED' } });
      expect(shop.state().phase).toBe('aborting');

      shop.sandbox.faults.clear();
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
    await watched(shop);
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
