import { afterEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

let sandbox: Sandbox;
afterEach(() => sandbox.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a release in the sandbox', () => {
  it('keeps capacity through a rolling update, and no user meets a failure', async () => {
    sandbox = await startSandbox({ seed: 7 });
    await shop(sandbox, { replicas: 4, rps: 200, router: 'replicas', namespaces: ['shop'] });
    await pause(200);
    let least = 4;
    let most = 0;
    const watch = setInterval(() => {
      const pods = sandbox.list('Pod', 'shop').filter((pod) => !pod.metadata.deletionTimestamp);
      const status = sandbox.get('Deployment', 'shop', 'shop').status;
      least = Math.min(least, status.availableReplicas ?? 0);
      most = Math.max(most, pods.length);
    }, 10);
    const image = 'registry.example/shop:v1.4.0';
    const patch = { spec: { template: { spec: { containers: [{ name: 'web', image }] } } } };
    const answer = await api(sandbox).patch(
      '/apis/apps/v1/namespaces/shop/deployments/shop',
      patch,
      'application/strategic-merge-patch+json',
    );
    expect(answer.status).toBe(200);
    expect(answer.body.metadata.generation).toBe(2);
    const isDone = () => {
      const { status } = sandbox.get('Deployment', 'shop', 'shop');
      return status.observedGeneration === 2 && status.updatedReplicas === 4 && status.replicas === 4 && status.availableReplicas === 4;
    };
    await sandbox.until('rolled out', isDone);
    await pause(600);
    clearInterval(watch);
    expect(least).toBe(3);
    expect(most).toBe(5);
    const { total, byVersion } = sandbox.stats('shop/shop');
    expect(total['2xx'] + total.inFlight).toBe(total.sent);
    expect(byVersion['v1.4.0']?.sent).toBeGreaterThan(50);
    const deployment = sandbox.get('Deployment', 'shop', 'shop');
    expect(deployment.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
    expect(deployment.status.conditions.map((one: { type: string; reason: string }) => one.reason)).toEqual([
      'MinimumReplicasAvailable',
      'NewReplicaSetAvailable',
    ]);
  });
});
