import { afterEach, describe, expect, it } from '@jest/globals';
import { readScaler, readWorkload, resources } from '@slipway/cluster';
import type { PolicyRule } from '@slipway/sandbox';
import { refusal } from '../../cluster/test/memory-kube.js';
import type { Command } from '../src/command.js';
import { accessWords } from '../src/plan/access.js';
import { readPlan } from '../src/plan/plan.js';
import { requiredAccess } from '../src/plan/required-access.js';
import { missingOf, reviewAccess } from '../src/plan/review-access.js';
import { runCommand } from '../src/run-command.js';
import { readStatus } from '../src/status.js';
import { image, type PlanScene, planScene, rules, targetOf, type Way, ways } from './plan-world.js';
import { namespace, shop } from './shop.js';

let scene: PlanScene | undefined;
afterEach(async () => {
  await scene?.end();
  scene = undefined;
});

/** Both autoscalers that a shop may have, and pods that read a ConfigMap: what asks for most rights. */
async function everything(way: Way): Promise<string[]> {
  const kube = shop();
  const stable = await readWorkload(kube, namespace, 'shop');
  stable.deployment.spec.template.spec.volumes = [{ configMap: { name: 'shop-config' } }];
  kube.put(autoscaler);
  const hpa = await readScaler(kube, namespace, { kind: 'Deployment', name: 'shop' });
  const scalers = [hpa, hpa && { ...hpa, kind: 'keda' as const }];
  return scalers.flatMap((scaler) => requiredAccess(targetOf(way), { provider: 'pods', stable, scaler }).map(accessWords));
}

const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'shop', namespace },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 9 },
};

/** The rules as `verb resource name`. */
function granted(): string[] {
  const group = (name: string) => (name === '' ? '' : `.${name}`);
  return rules().flatMap(({ apiGroups, resources: kinds, verbs, resourceNames = [''] }) =>
    apiGroups.flatMap((apiGroup) =>
      kinds.flatMap((kind) => {
        const [plural, subresource] = kind.split('/');
        const what = `${plural}${group(apiGroup)}${subresource ? `/${subresource}` : ''}`;
        return verbs.flatMap((verb) => resourceNames.map((name) => `${verb} ${what} ${name}`.trim()));
      }),
    ),
  );
}

it('docs/rbac/slipway.yaml grants what rollouts need, and nothing else', async () => {
  const needed = new Set((await Promise.all(ways.map(everything))).flat());
  // The sandbox's HTTPRoute leads to a stable Service of its own.
  needed.delete('get services shop-stable');
  expect([...needed].sort()).toEqual([...new Set(granted())].sort());
});

const start: Command = { kind: 'start', image: image('v1.4.0'), version: null };

describe.each(ways)('%s', (way) => {
  it('with these rights alone a release goes out, and another comes back; nothing is asked that the plan does not name', async () => {
    scene = await planScene(way);
    const { sandbox } = scene;
    if (way === 'gateway-api') sandbox.apply(stableServiceRole);
    const go = async (command: Command) => (await runCommand((scene as PlanScene).as('slipway'), command)).verdict.reason;
    sandbox.requestLog.reset();
    const steps = targetOf(way).steps.length;
    expect(await go(start)).toBe(steps > 0 ? 'STEP_IN_FORCE' : 'PROMOTED');
    await readStatus(scene.as('slipway'));
    for (let step = 1; step < steps; step++) expect(await go({ kind: 'step' })).toBe('STEP_IN_FORCE');
    if (steps > 0) expect(await go({ kind: 'promote', version: null })).toBe('PROMOTED');
    expect(await go({ kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'by hand.' })).toBe('ROLLED_BACK');
    if (steps > 0) {
      await go({ ...start, image: image('v1.5.0') });
      expect(await go({ kind: 'abort', reason: 'ABORTED', summary: 'by hand.' })).toBe('ABORTED');
    }
    const all = sandbox.requestLog.all().filter(({ path }) => path.includes('/namespaces/shop/'));
    expect(all.filter(({ status }) => status === 403).map(({ verb, path }) => `${verb} ${path}`)).toEqual([]);
    const named = new Set(requiredAccess(targetOf(way), { provider: 'pods' }).map(accessWords));
    const asked = [...new Set(all.map(accessOf))];
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter((access) => !named.has(access))).toEqual([]);
  }, 60_000);
});

/** What the sandbox's shop has on top of the file: the HTTPRoute's own stable Service. */
const stableServiceRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: slipway-stable, namespace: shop}
rules: [{apiGroups: [""], resources: [services], resourceNames: [shop-stable], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: slipway-stable, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: slipway-stable}
subjects: [{kind: ServiceAccount, name: slipway, namespace: shop}]
`;

/** A logged request in the words of RBAC. */
function accessOf({ verb, path, query }: { verb: string; path: string; query: string }): string {
  const [, group = '', plural = '', inPath = '', subresource = ''] =
    /^\/apis?(?:\/([^/]+))?\/[^/]+\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?/.exec(path) ?? [];
  const resource = Object.values(resources).find((each) => each.group === group && each.plural === plural);
  if (!resource) throw new Error(`unknown resource in ${path}`);
  // A watch has its one name in the query.
  const name = inPath || (/metadata\.name(?:=|%3D)([^&]+)/.exec(query)?.[1] ?? '');
  // Rights on what belongs to pods are not given by the pods' names, which nobody knows beforehand.
  const which = name === '' || plural === 'pods' ? {} : { name };
  return accessWords({ verb, resource, ...which, ...(subresource === '' ? {} : { subresource: subresource as 'log' }) });
}

describe('a right that is missing', () => {
  it('is named by the plan, which then looks no further; one that is optional stops nothing', async () => {
    scene = await planScene('istio');
    const needed = requiredAccess(targetOf('istio'), { provider: 'pods' });
    const rulesWithout = (left: (typeof needed)[number]) => needed.filter((each) => each !== left).map(ruleOf);
    for (const left of needed.filter(({ without }) => without === undefined)) {
      const { verdict, plan } = await readPlan(scene.as(rulesWithout(left)), { image: image('v1.4.0'), provider: 'pods' });
      expect(verdict).toMatchObject({
        outcome: 'fail',
        reason: 'PLAN_FORBIDDEN',
        summary: expect.stringContaining(`: ${accessWords(left)}.`),
      });
      expect(plan.checks).toEqual([]);
    }
    const required = needed.filter(({ without }) => without === undefined).map(ruleOf);
    const { verdict, report, plan } = await readPlan(scene.as(required), { image: image('v1.4.0'), provider: 'pods' });
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'PLANNED' });
    expect(report).toContain('missing, optional');
    expect(plan.steps).toHaveLength(2);
  }, 60_000);

  it('that only this service needs is asked for when the service is known', async () => {
    scene = await planScene('istio');
    scene.sandbox.apply({ ...autoscaler, metadata: { name: 'odd-name', namespace } });
    const { verdict } = await readPlan(scene.as('slipway'), { image: undefined, provider: 'pods' });
    expect(verdict.summary).toContain('patch horizontalpodautoscalers.autoscaling odd-name');
  });

  it('is told as not known where the API server does not answer reviews', async () => {
    const kube = shop();
    kube.before = () => {
      throw refusal('FORBIDDEN', 403, 'selfsubjectaccessreviews');
    };
    const reviewed = await reviewAccess(kube, namespace, requiredAccess(targetOf('istio'), { provider: 'pods' }));
    expect(new Set(reviewed.map(({ allowed }) => allowed))).toEqual(new Set([null]));
    expect(missingOf(reviewed)).toEqual([]);
  });
});

function ruleOf({ verb, resource, subresource, name }: ReturnType<typeof requiredAccess>[number]): PolicyRule {
  const plural = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  return { apiGroups: [resource.group], resources: [plural], verbs: [verb], ...(name === undefined ? {} : { resourceNames: [name] }) };
}
