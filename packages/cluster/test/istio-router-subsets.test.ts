import { describe, expect, it } from '@jest/globals';
import { canarySubset, rule, stableSubset, to, world } from './istio-router-world.js';
import { deployment } from './objects.js';

const route = [{ route: [to('stable')] }];
const subset = (name: string, labels?: Record<string, string>) => (labels ? { name, labels } : { name });

function check(destinationRule: ReturnType<typeof rule>, pods?: Record<string, string>): Promise<void> {
  const { kube, router } = world(route, {}, {}, destinationRule);
  if (pods) {
    const shop = deployment('shop', { labels: { app: 'shop' } });
    shop.spec.template.metadata.labels = pods;
    kube.put(shop);
  }
  return router.check();
}

describe('the DestinationRule', () => {
  it('may choose the pods by their track, adopted already or not yet, and by what both have', async () => {
    await check(rule(stableSubset, canarySubset), { app: 'shop', track: 'stable' });
    await check(rule(stableSubset, canarySubset), { app: 'shop' });
    await check(rule(subset('stable', { app: 'shop', track: 'stable' }), subset('canary', { app: 'shop', track: 'canary' })), {
      app: 'shop',
    });
  });

  it.each([
    ['stable’s labels are among the canary’s', subset('stable', { app: 'shop' }), canarySubset],
    ['the canary’s labels are among stable’s', stableSubset, subset('canary', {})],
    ['a subset without labels', subset('stable'), canarySubset],
    ['the same labels', stableSubset, subset('canary', { track: 'stable' })],
  ])('is refused when its subsets overlap: %s', async (_, stable, canary) => {
    await expect(check(rule(stable, canary), { app: 'shop' })).rejects.toMatchObject({
      reason: 'SUBSETS_OVERLAP',
      next: ['Tell them apart:\n  - name: stable\n    labels: {track: stable}\n  - name: canary\n    labels: {track: canary}'],
    });
  });

  it('is refused when a subset chooses the other track by the labels that the pods have', async () => {
    const byApp = rule(subset('stable', { app: 'shop' }), canarySubset);
    await expect(check(byApp, { app: 'shop' })).rejects.toMatchObject({
      reason: 'SUBSETS_OVERLAP',
      message: expect.stringContaining('"stable" also choose the pods of "canary"'),
    });
    const canaryByTier = rule(stableSubset, subset('canary', { tier: 'web' }));
    await expect(check(canaryByTier, { app: 'shop', tier: 'web' })).rejects.toMatchObject({
      message: expect.stringContaining('"canary" also choose the pods of "stable"'),
    });
  });

  it('is refused when a subset would have no pods: by another label, or by a version that the release changes', async () => {
    const typo = rule(stableSubset, subset('canary', { trakc: 'canary' }));
    await expect(check(typo, { app: 'shop' })).rejects.toMatchObject({ reason: 'SUBSET_EXCLUDES_PODS' });
    const byVersion = rule(subset('stable', { version: 'v1' }), canarySubset);
    await expect(check(byVersion, { app: 'shop', version: 'v1' })).rejects.toMatchObject({ reason: 'SUBSET_EXCLUDES_PODS' });
  });

  it('may be about the Service by any of its names, but not about another', async () => {
    for (const host of ['shop', 'shop.shop.svc.cluster.local'])
      await check({ ...rule(), spec: { host, subsets: [stableSubset, canarySubset] } });
    for (const host of ['cart', 'shop.other.svc.cluster.local', undefined]) {
      await expect(check({ ...rule(), spec: { host, subsets: [stableSubset, canarySubset] } })).rejects.toMatchObject({
        reason: 'DESTINATION_RULE_OTHER_HOST',
      });
    }
  });
});

describe('a GitOps controller', () => {
  const managedFields = [{ manager: 'argocd-controller', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:http': {} } } }];

  it('that owns the routes is refused, unless it was told to ignore them', async () => {
    for (const gitopsIgnoresWeights of [false, true]) {
      const { kube, router } = world(route, { gitopsIgnoresWeights });
      const service = kube.at('virtualservices', 'shop', 'shop');
      kube.put({ ...service, metadata: { ...service.metadata, managedFields } });
      const refused = await router.check().then(
        () => undefined,
        (error: { reason: string }) => error.reason,
      );
      expect(refused).toBe(gitopsIgnoresWeights ? undefined : 'GITOPS_OWNED');
    }
  });
});
