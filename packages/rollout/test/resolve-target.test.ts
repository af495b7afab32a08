import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { resolveTarget } from '../src/resolve-target.js';

const config = '.github/slipway.yml';

function checkout(text?: string): string {
  const cwd = mkdtempSync(join(tmpdir(), 'slipway-target-'));
  mkdirSync(join(cwd, '.github'));
  if (text !== undefined) writeFileSync(join(cwd, config), text);
  return cwd;
}

const two = `version: 1
environments:
  staging: { namespace: shop-staging }
  production: { namespace: shop, context: prod }
services:
  shop: { container: web, traffic: { router: istio } }
  cart: { workload: cart-v2 }
`;

describe('resolveTarget', () => {
  it('takes the service and the environment that are named', async () => {
    const { target, context } = await resolveTarget({ config, service: 'cart', environment: 'production' }, checkout(two));
    expect(target).toMatchObject({
      service: 'cart',
      namespace: 'shop',
      workload: 'cart-v2',
      canary: 'cart-v2-canary',
      traffic: { router: 'replicas' },
    });
    expect(context).toBe('prod');
  });

  it('lets inputs override names', async () => {
    const inputs = { config, service: 'shop', environment: 'staging', namespace: 'elsewhere', workload: 'shop-b', container: 'app' };
    const { target } = await resolveTarget(inputs, checkout(two));
    expect(target).toMatchObject({ namespace: 'elsewhere', workload: 'shop-b', canary: 'shop-b-canary', container: 'app' });
  });

  it.each([
    [{ service: 'shopp', environment: 'staging' }, /did you mean "shop"/],
    [{ service: 'shop', environment: 'prodction' }, /did you mean "production"/],
    [{ environment: 'staging' }, /service.*required/],
  ])('%j is refused with what there is', async (inputs, words) => {
    await expect(resolveTarget({ config, ...inputs }, checkout(two))).rejects.toThrow(words);
  });

  it('needs no file when namespace and workload are given', async () => {
    const { target } = await resolveTarget({ config, namespace: 'shop', workload: 'shop' }, checkout());
    expect(target).toMatchObject({ service: 'shop', namespace: 'shop', workload: 'shop', steps: [{ weight: 10 }, { weight: 50 }] });
  });

  it('does not overlook a file that is there but broken', async () => {
    await expect(resolveTarget({ config, namespace: 'shop', workload: 'shop' }, checkout('version: 2'))).rejects.toThrow(/version/);
  });

  it('says that there is no file otherwise', async () => {
    await expect(resolveTarget({ config }, checkout())).rejects.toMatchObject({
      problems: [
        { file: config, message: expect.stringMatching(/does not exist/), allowed: expect.stringMatching(/`namespace` and `workload`/) },
      ],
    });
  });

  it('freezes how a service is judged, but not its triggers or the inputs', async () => {
    const hash = async (text: string, more = {}) =>
      (await resolveTarget({ config, service: 'shop', environment: 'staging', ...more }, checkout(text))).configHash;
    const before = await hash(two);
    expect(await hash(two, { container: 'other' })).toBe(before);
    expect(await hash(two.replace('container: web,', 'container: web, triggers: { min-requests: 5 },'))).toBe(before);
    expect(await hash(two.replace('container: web,', 'container: web, analysis: { window: 5s },'))).not.toBe(before);
    expect(await hash(two.replace('container: web,', 'container: web, steps: [{ weight: 20, duration: 1m }],'))).not.toBe(before);
  });
});
