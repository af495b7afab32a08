import { afterEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
afterEach(() => sandbox.stop());

const canary = () => sandbox.get('Canary', 'shop', 'shop').status ?? {};
const phase = (wanted: string) => sandbox.until(`phase ${wanted}`, () => canary().phase === wanted, 15_000);
const route = () => sandbox.get('VirtualService', 'shop', 'shop').spec.http[0].route;
const imageOf = (name: string) => sandbox.get('Deployment', 'shop', name).spec.template.spec.containers[0].image;

/** A Deployment that Flagger has taken over. */
async function open(analysis: object = {}): Promise<void> {
  sandbox = await startSandbox({ seed: 4, readyDelay: 50, stopDelay: 400, applyDelay: 100 });
  await shop(sandbox, { router: 'replicas', replicas: 2, rps: 200, namespaces: ['shop'] });
  sandbox.setRps('shop/shop', 0);
  const metrics = [{ name: 'request-success-rate', thresholdRange: { min: 95 }, interval: '2s' }];
  const spec = {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    service: { port: 80, targetPort: 8080, apex: { annotations: { 'sandbox.slipway.dev/rps': '200' } } },
    progressDeadlineSeconds: 5,
    analysis: { interval: '1s', threshold: 2, maxWeight: 50, stepWeight: 25, metrics, ...analysis },
  };
  sandbox.apply({ apiVersion: 'flagger.app/v1beta1', kind: 'Canary', metadata: { name: 'shop', namespace: 'shop' }, spec });
  await phase('Initialized');
}

async function setImage(tag: string): Promise<void> {
  const body = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: `registry.example/shop:${tag}` }];
  const answer = await api(sandbox).patch('/apis/apps/v1/namespaces/shop/deployments/shop', body, 'application/json-patch+json');
  expect(answer.status).toBe(200);
}

describe('a Canary of Flagger', () => {
  it('takes over, advances while the analysis passes, and promotes', async () => {
    await open();
    expect(sandbox.get('Deployment', 'shop', 'shop').spec.replicas).toBe(0);
    expect(sandbox.get('Deployment', 'shop', 'shop-primary').status.availableReplicas).toBe(2);
    expect(sandbox.get('Service', 'shop', 'shop').spec.selector).toEqual({ app: 'shop-primary' });
    await setImage('v1.4.0');
    await phase('Progressing');
    const seen = new Set<number>();
    await sandbox.until(
      'promoting',
      () => {
        seen.add(canary().canaryWeight);
        return canary().phase === 'Promoting';
      },
      15_000,
    );
    expect([...seen]).toEqual([0, 25, 50]);
    await phase('Succeeded');
    expect(imageOf('shop-primary')).toBe('registry.example/shop:v1.4.0');
    expect(sandbox.get('Deployment', 'shop', 'shop').spec.replicas).toBe(0);
    expect(route().map(({ weight }: { weight: number }) => weight)).toEqual([100, 0]);
    expect(canary().conditions[0]).toMatchObject({ type: 'Promoted', status: 'True', reason: 'Succeeded' });
    const { byVersion } = sandbox.stats('shop/shop');
    expect(byVersion['v1.4.0']?.sent).toBeGreaterThan(50);
  }, 40_000);

  it('goes back when checks fail, one look after the last', async () => {
    await open();
    await setImage('v1.4.0-errors-50pct');
    await sandbox.until('two failed checks', () => canary().failedChecks === 2, 15_000);
    expect(canary().phase).toBe('Progressing');
    await phase('Failed');
    expect(canary()).toMatchObject({ canaryWeight: 0, conditions: [{ status: 'False', reason: 'Failed' }] });
    expect(route()[1].weight).toBe(0);
    expect(sandbox.get('Deployment', 'shop', 'shop').spec.replicas).toBe(0);
    expect(imageOf('shop-primary')).toBe('registry.example/shop:v1.3.0');
  }, 40_000);

  it('waits for its pods until the deadline, without counting that as failure', async () => {
    await open();
    await setImage('v1.4.0-crash');
    await phase('Failed');
    expect(canary().failedChecks).toBe(0);
    expect(sandbox.stats('shop/shop').byVersion['v1.4.0-crash']).toBeUndefined();
  }, 40_000);
});
