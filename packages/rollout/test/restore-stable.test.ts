import { describe, expect, it } from '@jest/globals';
import { workloadOf } from '@slipway/cluster';
import { type MemoryKube, memoryKube } from '../../cluster/test/memory-kube.js';
import { deployment } from '../../cluster/test/objects.js';
import { restoreStable } from '../src/restore-stable.js';
import { takeSnapshot } from '../src/snapshot.js';
import { deps, namespace, target, v1, v2 } from './shop.js';
import { state } from './states.js';

/** The ReplicaSet that the deployment controller keeps for a revision. */
function replicaSet(revision: string, image: string) {
  const { template } = deployment('shop', { image }).spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `shop-${revision}`,
      namespace,
      labels: { app: 'shop', 'pod-template-hash': revision },
      annotations: { 'deployment.kubernetes.io/revision': revision, note: `revision ${revision}` },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: 'uid-shop', controller: true }],
    },
    spec: { replicas: 0, template: { ...template, metadata: { labels: { app: 'shop', 'pod-template-hash': revision } } } },
  };
}

const released = deployment('shop', { image: v2 });
const promoted = state('undoing', { revision: { from: '7', to: '8' }, snapshot: null });
const imageIn = (kube: MemoryKube) => kube.at('deployments', namespace, 'shop').spec.template.spec.containers[0].image;

describe('restoreStable', () => {
  it('takes the revision before the rollout, whatever came before and after it', async () => {
    const kube = memoryKube(released, replicaSet('6', 'registry.example/shop:v0'), replicaSet('7', v1), replicaSet('8', v2));
    await restoreStable(kube, promoted, workloadOf(kube.at('deployments', namespace, 'shop')));
    const { spec, metadata } = kube.at('deployments', namespace, 'shop');
    expect(spec.template.spec.containers[0].image).toBe(v1);
    expect(spec.template.metadata.labels).toEqual({ app: 'shop' });
    expect(metadata.annotations).toMatchObject({ note: 'revision 7' });
  });

  it('takes the snapshot when that revision is gone, or has another image by now', async () => {
    for (const sets of [[replicaSet('8', v2)], [replicaSet('7', 'registry.example/shop:other'), replicaSet('8', v2)]]) {
      const kube = memoryKube(released, ...sets);
      const snapshot = await takeSnapshot(
        deps(kube),
        kube,
        { ...promoted, target: target('replicas') },
        workloadOf(deployment('shop', { image: v1 })),
      );
      await restoreStable(kube, { ...promoted, snapshot }, workloadOf(kube.at('deployments', namespace, 'shop')));
      expect(imageIn(kube)).toBe(v1);
    }
  });

  it('refuses when both are gone, and touches nothing', async () => {
    const kube = memoryKube(released);
    const workload = workloadOf(kube.at('deployments', namespace, 'shop'));
    await expect(restoreStable(kube, promoted, workload)).rejects.toMatchObject({ reason: 'NO_LAST_GOOD' });
    expect(kube.writes()).toEqual([]);
  });

  it('refuses a snapshot of a Deployment that was deleted and made anew', async () => {
    const kube = memoryKube({ ...released, metadata: { ...released.metadata, uid: 'another' } });
    const snapshot = await takeSnapshot(
      deps(kube),
      kube,
      { ...promoted, target: target('replicas') },
      workloadOf(deployment('shop', { image: v1 })),
    );
    const workload = workloadOf(kube.at('deployments', namespace, 'shop'));
    await expect(restoreStable(kube, { ...promoted, snapshot }, workload)).rejects.toMatchObject({ reason: 'SNAPSHOT_TAMPERED' });
    expect(imageIn(kube)).toBe(v2);
  });

  it('changes nothing when stable has that template already', async () => {
    const kube = memoryKube(deployment('shop', { image: v1 }), replicaSet('7', v1));
    await restoreStable(kube, promoted, workloadOf(kube.at('deployments', namespace, 'shop')));
    expect(kube.writes()).toEqual([]);
  });
});
