import { afterEach, describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@slipway/cluster';
import type { Command } from '../src/command.js';
import { readPlan } from '../src/plan/plan.js';
import { runCommand } from '../src/run-command.js';
import type { RolloutTarget } from '../src/target.js';
import { image, type PlanScene, planScene, targetOf, type Way, ways } from './plan-world.js';
import { namespace } from './shop.js';

let scene: PlanScene;
afterEach(() => scene.end());

const v2 = image('v1.4.0');
const start: Command = { kind: 'start', image: v2, version: null };

async function plan(aim?: RolloutTarget, wanted: string | undefined = v2) {
  return readPlan(scene.as('admin', aim), { image: wanted, provider: 'pods' });
}

const checkOf = ({ plan: { checks, rollback } }: Awaited<ReturnType<typeof plan>>, what: RegExp) =>
  [...checks, ...rollback].filter((check) => what.test(check.what));

/** The sandbox's writes by the plan itself: dry runs and access reviews, nothing else. */
function expectNothingWritten(before: string): void {
  const kept = scene.sandbox.writes.filter(({ dryRun, resource }) => !dryRun && !resource.startsWith('selfsubjectaccessreviews'));
  expect(kept).toEqual([]);
  expect(scene.version()).toBe(before);
}

describe.each(ways)('a plan for %s', (way) => {
  it('changes nothing, needs no more than docs/rbac grants, and its steps are those that come', async () => {
    scene = await planScene(way);
    await scene.sandbox.settled();
    const before = scene.version();
    const planned = await plan();
    expect(planned.verdict).toMatchObject({ outcome: 'pass', reason: 'PLANNED' });
    expectNothingWritten(before);
    expect(planned.plan.checks.filter(({ outcome }) => outcome === 'refused')).toEqual([]);
    for (const { step, canary, stable } of planned.plan.steps) {
      await runCommand(scene.as('admin'), step === 1 ? start : { kind: 'step' });
      const pods = (name: string) => scene.sandbox.get('Deployment', namespace, name).spec.replicas;
      expect([pods('shop-canary'), pods('shop')]).toEqual([canary, stable]);
    }
  }, 60_000);
});

describe('what would be refused', () => {
  const refused = async (way: Way, prepare: (scene: PlanScene) => unknown, aim?: RolloutTarget) => {
    scene = await planScene(way);
    await prepare(scene);
    const planned = await plan(aim);
    expect(planned.verdict).toMatchObject({ outcome: 'fail', reason: 'PLAN_REFUSED' });
    return planned.verdict.summary;
  };
  const change =
    (kind: string, name: string, body: (draft: KubeObject) => void) =>
    ({ sandbox }: PlanScene) =>
      sandbox.cluster.store.modify(kind, sandbox.get(kind, namespace, name), body as never);

  it('a quota without room for the canary’s pods', async () => {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'tight', namespace }, spec: { hard: { pods: '5' } } };
    const counted = async ({ sandbox }: PlanScene) => {
      sandbox.apply(quota);
      await sandbox.until('the quota is counted', () => sandbox.get('ResourceQuota', namespace, 'tight').status?.used?.pods === '4');
    };
    expect(await refused('istio', counted)).toMatch(
      /no room for 2 more pods: ResourceQuota tight has 1 of pods left, 2 needed.*QUOTA_EXCEEDED/,
    );
  });

  it('a paused Deployment', async () => {
    const paused = change('Deployment', 'shop', ({ spec }) => Object.assign(spec, { paused: true }));
    expect(await refused('istio', paused)).toMatch(/is paused.*WORKLOAD_PAUSED/);
  });

  it('a Service that is not there, and all else that is wrong, at once', async () => {
    const words = await refused('istio', ({ sandbox }) => {
      sandbox.remove('Service', namespace, 'shop');
      sandbox.remove('VirtualService', namespace, 'shop');
      change('Deployment', 'shop', ({ spec }) => Object.assign(spec, { paused: true }))(scene);
    });
    expect(words).toMatch(/VIRTUAL_SERVICE_NOT_FOUND/);
    expect(words).toMatch(/WORKLOAD_PAUSED/);
    const noService = await planOf('istio', ({ sandbox }) => sandbox.remove('Service', namespace, 'shop'));
    expect(noService.verdict.summary).toMatch(/SERVICE_NOT_FOUND/);
  });

  it('an image that the API server does not take', async () => {
    scene = await planScene('istio');
    const { verdict } = await plan(undefined, ' ');
    expect(verdict).toMatchObject({ reason: 'PLAN_REFUSED', summary: expect.stringContaining('image') });
  });

  it('a Deployment of the canary’s name that is somebody else’s', async () => {
    const words = await refused('istio', ({ sandbox }) => {
      const { metadata, spec } = sandbox.get('Deployment', namespace, 'shop');
      const labels = { app: 'other' };
      const template = { ...spec.template, metadata: { labels } };
      sandbox.apply({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'shop-canary', namespace: metadata.namespace },
        spec: { replicas: 0, selector: { matchLabels: labels }, template },
      });
    });
    expect(words).toMatch(/CANARY_NAME_TAKEN/);
  });

  it('an autoscaler whose maximum is below what stable runs, and two that fight', async () => {
    expect(await refused('istio', ({ sandbox }) => sandbox.apply(hpa({ minReplicas: 1, maxReplicas: 3 })))).toMatch(/FLOOR_ABOVE_MAX/);
    const two = ({ sandbox }: PlanScene) => {
      sandbox.apply(hpa());
      sandbox.apply(hpa({}, 'shop-2'));
    };
    await scene.end();
    expect(await refused('istio', two)).toMatch(/SCALER_AMBIGUOUS/);
  });

  it('an autoscaler where the number of pods is the route', async () => {
    expect(await refused('replicas', ({ sandbox }) => sandbox.apply(hpa()))).toMatch(/HPA_OWNS_REPLICAS/);
  });
});

async function planOf(way: Way, prepare: (scene: PlanScene) => unknown, aim?: RolloutTarget) {
  await scene?.end();
  scene = await planScene(way);
  await prepare(scene);
  return plan(aim);
}

function hpa(spec: object = { minReplicas: 2, maxReplicas: 20 }, name = 'shop') {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
      minReplicas: 2,
      maxReplicas: 20,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }],
      behavior: { scaleDown: { selectPolicy: 'Disabled' } },
      ...spec,
    },
  };
}

describe('what is told besides', () => {
  it('an autoscaler: its floor is in the steps, and what it averages is a warning', async () => {
    scene = await planScene('istio');
    scene.sandbox.apply(hpa());
    const planned = await plan();
    expect(planned.verdict).toMatchObject({ outcome: 'pass' });
    expect(planned.plan.steps[0]?.changes).toContain('keep HorizontalPodAutoscaler shop from going below 4');
    expect(planned.plan.end.at(-1)).toMatch(/its own lower limit back/);
    expect(checkOf(planned, /capacity/).map(({ words }) => words)).toEqual([expect.stringMatching(/averaged over all pods/)]);
  });

  it('a GitOps controller that keeps the image, with what to tell it', async () => {
    scene = await planScene('istio');
    const manager = {
      manager: 'argocd-controller',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } } } },
    };
    const shop = scene.sandbox.get('Deployment', namespace, 'shop');
    scene.sandbox.cluster.store.modify('Deployment', shop, ({ metadata }) => Object.assign(metadata, { managedFields: [manager] }));
    const planned = await plan();
    expect(planned.verdict).toMatchObject({ outcome: 'pass', summary: expect.stringMatching(/\d warning/) });
    expect(checkOf(planned, /GitOps/)).toEqual([
      expect.objectContaining({ outcome: 'warning', words: expect.stringContaining('Argo CD') }),
    ]);
    expect(planned.report).toContain('ignoreDifferences');
  });

  it('a mirror whose copies may change something, unless its route takes none that could', async () => {
    scene = await planScene('istio');
    const shadow: RolloutTarget = { ...targetOf('istio'), strategy: 'shadow', steps: [{ weight: 0, mirror: 0.5, duration: 0 }] };
    expect(checkOf(await plan(shadow), /copied/)).toEqual([
      expect.objectContaining({ outcome: 'warning', words: expect.stringContaining('POST') }),
    ]);
    const service = scene.sandbox.get('VirtualService', namespace, 'shop');
    scene.sandbox.cluster.store.modify('VirtualService', service, ({ spec }) => {
      spec.http = [
        { ...spec.http[0], name: 'reads', match: [{ method: { exact: 'GET' } }, { method: { exact: 'HEAD' } }] },
        { ...spec.http[0], name: 'writes' },
      ];
    });
    const { traffic } = shadow;
    const reads = { ...shadow, traffic: { ...traffic, route: 'reads' } as RolloutTarget['traffic'] };
    expect(checkOf(await plan(reads), /copied/)).toEqual([]);
    const writes = { ...shadow, traffic: { ...traffic, route: 'writes' } as RolloutTarget['traffic'] };
    expect(checkOf(await plan(writes), /copied/)).toHaveLength(1);
  });

  it('a watchdog, or that there is none', async () => {
    scene = await planScene('istio');
    expect(checkOf(await plan(), /runner dies/)).toEqual([
      expect.objectContaining({ outcome: 'warning', words: expect.stringContaining('not there') }),
    ]);
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'watchdog', image: 'node:24' }] } };
    const spec = { schedule: '* * * * *', jobTemplate: { spec: { template } } };
    scene.sandbox.apply({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'slipway-watchdog-shop', namespace }, spec });
    expect(checkOf(await plan(), /runner dies/)).toEqual([expect.objectContaining({ outcome: 'ok' })]);
  });

  it('who works on it', async () => {
    scene = await planScene('istio');
    const times = { acquireTime: new Date().toISOString().replace('Z', '000Z'), renewTime: new Date().toISOString().replace('Z', '000Z') };
    scene.sandbox.apply({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'slipway-shop', namespace },
      spec: { holderIdentity: 'acme/shop/7/1/deploy', leaseDurationSeconds: 60, leaseTransitions: 1, ...times },
    });
    expect((await plan()).verdict.summary).toMatch(/acme\/shop\/7\/1\/deploy works on it now/);
  });
});

describe('while a rollout is on', () => {
  it('the way out is tried; when somebody has changed the route since, what was kept for a watchdog is said to be stale', async () => {
    scene = await planScene('istio');
    await runCommand(scene.as('admin'), start);
    const writes = scene.sandbox.writes.length;
    const good = await plan();
    expect(good.verdict).toMatchObject({
      outcome: 'pass',
      summary: expect.stringMatching(/progressing \(25 % → 50 %\), and could be sent back now/),
    });
    expect(checkOf(good, /abort|watchdog are|snapshot|step 2/).map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(good.plan.steps.map(({ state }) => state)).toEqual(['in force', 'to come']);
    expect(scene.sandbox.writes.slice(writes).every(({ dryRun, resource }) => dryRun || resource.startsWith('selfsubject'))).toBe(true);
    const service = scene.sandbox.get('VirtualService', namespace, 'shop');
    scene.sandbox.cluster.store.modify('VirtualService', service, ({ spec }) => spec.http.unshift(another));
    const stale = await plan();
    expect(checkOf(stale, /watchdog are/)).toEqual([
      expect.objectContaining({ outcome: 'warning', words: expect.stringContaining('fit no longer') }),
    ]);
    expect(checkOf(stale, /by `abort`/)).toEqual([expect.objectContaining({ outcome: 'ok' })]);
    scene.sandbox.remove('VirtualService', namespace, 'shop');
    const gone = await plan();
    expect(gone.verdict).toMatchObject({ reason: 'PLAN_REFUSED', summary: expect.stringMatching(/VIRTUAL_SERVICE_NOT_FOUND/) });
    expect(checkOf(gone, /by `abort`/)).toEqual([expect.objectContaining({ outcome: 'refused' })]);
  }, 30_000);

  const another = { name: 'new', match: [{ port: 99 }], route: [{ destination: { host: 'elsewhere' } }] };

  it('a snapshot that was changed by hand is no snapshot', async () => {
    scene = await planScene('istio');
    await runCommand(scene.as('admin'), start);
    const map = scene.sandbox.get('ConfigMap', namespace, 'slipway-shop-snapshot-1');
    scene.sandbox.cluster.store.modify('ConfigMap', map, (draft) => {
      const [key] = Object.keys(draft.data ?? {});
      if (key) draft.data[key] += ' ';
      else draft.binaryData = {};
    });
    expect(checkOf(await plan(), /snapshot/)).toEqual([
      expect.objectContaining({ outcome: 'refused', words: expect.stringMatching(/SNAPSHOT_/) }),
    ]);
  }, 30_000);

  it('after a promotion the former version can be put back', async () => {
    scene = await planScene('rolling');
    expect(checkOf(await plan(), /former version/)).toEqual([
      expect.objectContaining({ outcome: 'warning', words: expect.stringContaining('first') }),
    ]);
    await runCommand(scene.as('admin'), start);
    const planned = await plan(undefined, image('v1.5.0'));
    expect(checkOf(planned, /former version|snapshot/).map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
    expect(planned.verdict.summary).toMatch(/rolling update/);
  }, 30_000);
});
