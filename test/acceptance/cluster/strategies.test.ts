import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ShopRouter } from '@slipway/sandbox';
import { failures, former, image, scene, type World } from './release.js';

/** A shop by `router` whose slipway.yml says this of it. */
function strategy(router: ShopRouter, settings: string, body: (shop: World) => Promise<void>): () => Promise<void> {
  return scene({ shop: { router, headerShare: 0.2 } }, async (shop) => {
    const service = `    shop: { ready-timeout: 20s, drain: 1s, analysis: { window: 1s, warm-up: 1s }, ${settings} }\n`;
    const text = `version: 1\nenvironments:\n  production: { namespace: shop }\nservices:\n${service.slice(2)}`;
    writeFileSync(join(shop.cwd, '.github/slipway.yml'), text);
    await body(shop);
  });
}

/** Users that met a version within the next second, and all of them. */
async function metSoon({ sandbox }: World, version: string): Promise<{ met: number; sent: number }> {
  const second = () => new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
  await sandbox.settled();
  await second();
  const from = Date.now();
  await second();
  const { byVersion, total } = sandbox.stats('shop/shop', { from, to: from });
  return { met: byVersion[version]?.sent ?? 0, sent: total.sent };
}

const deploy = (shop: World, command: string, inputs: Record<string, string> = {}, job = command) =>
  shop.run('canary-deploy', { command, ...inputs }, { job });
const v2 = { image: image('v1.4.0') };

describe('blue/green by the Service’s selector', () => {
  const settings = 'strategy: blue-green, steps: [{ weight: 0, duration: 2s }, { weight: 100, duration: 4s }]';

  it.concurrent(
    'nobody meets the preview, one write switches everybody, one brings them back, and no user notices',
    strategy('service', settings, async (shop) => {
      const began = Date.now();
      const { sandbox } = shop;
      const writesToService = () =>
        sandbox.writes.filter(({ resource, name, status }) => resource === 'services' && name === 'shop' && status < 300);
      expect(await deploy(shop, 'start', v2)).toMatchObject({ code: 0, outputs: { reason: 'STEP_IN_FORCE', weight: '0' } });
      expect((await metSoon(shop, 'v1.4.0')).met).toBe(0);
      const before = writesToService().length;
      expect(await deploy(shop, 'step')).toMatchObject({ code: 0, outputs: { reason: 'STEP_IN_FORCE', weight: '100' } });
      expect(writesToService().length).toBe(before + 1);
      const { met, sent } = await metSoon(shop, 'v1.4.0');
      expect(sent).toBeGreaterThan(50);
      expect(met).toBe(sent);
      expect(await deploy(shop, 'abort')).toMatchObject({ code: 0, outputs: { reason: 'ABORTED' } });
      expect((await metSoon(shop, 'v1.4.0')).met).toBe(0);
      expect([shop.servedImage(), shop.hasCanary()]).toEqual([former, false]);
      expect(sandbox.find('Service', 'shop', 'shop-preview')).toBeUndefined();
      expect(sandbox.get('Service', 'shop', 'shop').spec.selector).toEqual({ app: 'shop', track: 'stable' });
      expect(failures(sandbox, began)).toEqual({ failed: 0, unanswered: 0 });
    }),
    60_000,
  );
});

describe('shadow', () => {
  it.concurrent(
    'a bad release is found out by copies of requests alone: no user meets it',
    strategy('istio', 'strategy: shadow, traffic: istio, steps: [{ mirror: 50%, duration: 30s }]', async (shop) => {
      const began = Date.now();
      await deploy(shop, 'start', { image: image('v1.4.0-errors-20pct') });
      const analysed = await shop.run('canary-analyze', {});
      expect(analysed).toMatchObject({ code: 1, outputs: { outcome: 'fail' } });
      const { byVersion, mirror } = shop.sandbox.stats('shop/shop', { from: began });
      expect(mirror.byVersion['v1.4.0-errors-20pct']?.sent).toBeGreaterThan(20);
      expect(byVersion['v1.4.0-errors-20pct']).toBeUndefined();
      expect(failures(shop.sandbox, began)).toEqual({ failed: 0, unanswered: 0 });
      expect([shop.servedImage(), shop.hasCanary(), shop.state().phase]).toEqual([former, false, 'aborted']);
    }),
    90_000,
  );
});

describe('rolling', () => {
  it.concurrent(
    'what does not come up is undone',
    strategy('replicas', 'strategy: rolling', async (shop) => {
      const began = Date.now();
      expect(await deploy(shop, 'start', v2)).toMatchObject({ code: 0, outputs: { reason: 'PROMOTED' } });
      const bad = await deploy(shop, 'start', { image: image('v1.5.0-crash') });
      expect(bad).toMatchObject({ code: 1, outputs: { reason: 'CRASH_LOOP', phase: 'aborted' } });
      expect(shop.servedImage()).toBe(image('v1.4.0'));
      expect(failures(shop.sandbox, began).unanswered).toBe(0);
    }),
    90_000,
  );
});

describe('canary', () => {
  it.concurrent(
    'a header first: only those with it meet the new version, then half of all',
    strategy(
      'istio',
      'traffic: { router: istio, header: x-canary }, steps: [{ weight: 0, match: true, duration: 2s }, { weight: 50, duration: 2s }]',
      async (shop) => {
        const began = Date.now();
        expect(await deploy(shop, 'start', v2)).toMatchObject({ code: 0, outputs: { weight: '0' } });
        const first = await metSoon(shop, 'v1.4.0');
        expect(first.met / first.sent).toBeGreaterThan(0.08);
        expect(first.met / first.sent).toBeLessThan(0.35);
        const { byHeader } = shop.sandbox.stats('shop/shop', { from: began });
        expect(byHeader.with?.sent).toBeGreaterThanOrEqual(first.met);
        expect(await deploy(shop, 'step')).toMatchObject({ code: 0, outputs: { weight: '50' } });
        await deploy(shop, 'abort');
        expect((await metSoon(shop, 'v1.4.0')).met).toBe(0);
        expect(failures(shop.sandbox, began)).toEqual({ failed: 0, unanswered: 0 });
      },
    ),
    60_000,
  );

  it.concurrent(
    'a pause holds it (exit code 3) until it is resumed; a plan and a watch change nothing',
    strategy('istio', 'traffic: istio, steps: [{ weight: 10, duration: 2s, pause: true }, { weight: 50, duration: 2s }]', async (shop) => {
      const kept = () => shop.sandbox.writes.filter(({ dryRun, resource }) => !dryRun && !resource.startsWith('selfsubject')).length;
      const planned = await deploy(shop, 'plan', v2);
      expect(planned).toMatchObject({ code: 0, outputs: { reason: 'PLANNED' }, summary: expect.stringContaining('pause until') });
      expect(kept()).toBe(0);
      await deploy(shop, 'start', v2);
      expect(await deploy(shop, 'step')).toMatchObject({ code: 3, outputs: { outcome: 'hold', reason: 'ROLLOUT_PAUSED' } });
      const written = kept();
      const watch = shop.start('canary-deploy', { command: 'status', watch: 'true' });
      const told = new Promise<void>((seen) =>
        watch.child.stdout?.on('data', (text) => /Phase\s+progressing, paused/.test(String(text)) && seen()),
      );
      await Promise.race([told, watch.finished]);
      watch.child.kill('SIGINT');
      expect(await watch.finished).toMatchObject({ code: 0, outputs: { reason: 'STATUS', phase: 'progressing' } });
      expect(kept()).toBe(written);
      expect(await deploy(shop, 'resume')).toMatchObject({ code: 0, outputs: { reason: 'ROLLOUT_RESUMED' } });
      expect(await deploy(shop, 'step')).toMatchObject({ code: 0, outputs: { weight: '50' } });
    }),
    60_000,
  );
});
