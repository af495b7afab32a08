import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@slipway/cluster';
import type { Command } from '../src/command.js';
import { runCommand } from '../src/run-command.js';
import { readStatus } from '../src/status.js';
import type { RolloutTarget, StepConfig } from '../src/target.js';
import { deps, find, imageOf, namespace, shop, stateOf, target, v1, v2, weightOf } from './shop.js';

const v3 = 'registry.example/shop:v3';
const start: Command = { kind: 'start', image: v2, version: null };
const step: Command = { kind: 'step' };
const promote: Command = { kind: 'promote', version: null };
const abort: Command = { kind: 'abort', reason: 'ABORTED', summary: 'by hand.' };
const minute = 60_000;

function withSteps(steps: StepConfig[], more: Partial<RolloutTarget> = {}): RolloutTarget {
  return { ...target(), steps, ...more };
}

/** Each command in a job of its own. */
function runner(kube: ReturnType<typeof shop>, aim: RolloutTarget) {
  let job = 0;
  return async (command: Command) => {
    job += 1;
    return (await runCommand(deps(kube, { target: aim, holder: `acme/shop/77/1/job-${job}` }), command)).verdict;
  };
}

const canaryPods = (kube: ReturnType<typeof shop>) => find(kube, 'shop-canary')?.spec.replicas;
const routes = (kube: ReturnType<typeof shop>): KubeObject[] => kube.at('virtualservices', namespace, 'shop').spec.http;

describe('blue/green by a route', () => {
  const blueGreen = withSteps(
    [
      { weight: 0, duration: minute, replicas: 1 },
      { weight: 100, duration: minute, replicas: 1 },
    ],
    { strategy: 'blue-green' },
  );

  it('shows the new version to nobody, switches everybody at once, and keeps the former one until it is promoted', async () => {
    const kube = shop();
    const run = runner(kube, blueGreen);
    expect(await run(start)).toMatchObject({ outcome: 'pass', reason: 'STEP_IN_FORCE', summary: expect.stringContaining('No user meets') });
    expect([weightOf(kube), canaryPods(kube)]).toEqual([0, 10]);
    expect(await run(step)).toMatchObject({ outcome: 'pass', summary: expect.stringContaining('100 % of users') });
    expect([weightOf(kube), imageOf(kube), find(kube, 'shop')?.spec.replicas]).toEqual([100, v1, 10]);
    expect(await run(promote)).toMatchObject({ reason: 'PROMOTED' });
    expect([weightOf(kube), imageOf(kube), canaryPods(kube)]).toEqual([0, v2, undefined]);
  });

  it('switches back with one write of the route, before anything else is written but the state', async () => {
    const kube = shop();
    const run = runner(kube, blueGreen);
    await run(start);
    await run(step);
    const before = kube.writes().length;
    expect(await run(abort)).toMatchObject({ reason: 'ABORTED' });
    const first = kube
      .writes()
      .slice(before)
      .find(({ plural }) => plural !== 'configmaps' && plural !== 'leases');
    expect(first).toMatchObject({ verb: 'patch', plural: 'virtualservices' });
    expect([weightOf(kube), imageOf(kube), canaryPods(kube)]).toEqual([0, v1, undefined]);
  });
});

describe('shadow', () => {
  const shadow = withSteps([{ weight: 0, mirror: 0.2, duration: minute }], { strategy: 'shadow' });

  it('sends copies alone, with pods for as many, and none after it', async () => {
    const kube = shop();
    const run = runner(kube, shadow);
    expect(await run(start)).toMatchObject({ summary: expect.stringContaining('copies of 20 % of requests') });
    expect([weightOf(kube), canaryPods(kube)]).toEqual([0, 2]);
    expect(routes(kube)[0]).toMatchObject({ mirror: { subset: 'canary' }, mirrorPercentage: { value: 20 } });
    expect(await run(abort)).toMatchObject({ reason: 'ABORTED' });
    expect(routes(kube)).toEqual([{ name: 'primary', route: [{ destination: { host: 'shop', subset: 'stable' }, weight: 100 }] }]);
  });
});

describe('rolling', () => {
  it('needs no step: start rolls it out, and undoes what does not get ready', async () => {
    const kube = shop();
    const rolling = withSteps([], { strategy: 'rolling' });
    expect(await runner(kube, rolling)(start)).toMatchObject({ outcome: 'pass', reason: 'PROMOTED' });
    expect([imageOf(kube), weightOf(kube), canaryPods(kube)]).toEqual([v2, 0, undefined]);
    const react = kube.react;
    kube.react = (object) => {
      react(object);
      if (object.kind !== 'Deployment' || object.spec.template.spec.containers[0].image !== v3) return;
      object.status = {
        ...object.status,
        availableReplicas: 8,
        updatedReplicas: 3,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'no progress' }],
      };
    };
    const before = kube.writes().length;
    expect(await runner(kube, rolling)({ ...start, image: v3 })).toMatchObject({ outcome: 'fail', reason: 'PROGRESS_DEADLINE_EXCEEDED' });
    expect(imageOf(kube)).toBe(v2);
    expect(
      kube
        .writes()
        .slice(before)
        .filter(({ plural }) => plural === 'virtualservices'),
    ).toEqual([]);
  });
});

describe('a header first', () => {
  const header = withSteps(
    [
      { weight: 0, match: true, duration: minute },
      { weight: 10, match: true, duration: minute },
    ],
    {},
  );
  header.traffic = { ...(header.traffic as Extract<RolloutTarget['traffic'], { router: 'istio' }>), header: 'x-canary', cookie: 'beta' };

  it('leads requests with the header or cookie to one pod, then users, and takes both routes away at the end', async () => {
    const kube = shop();
    const run = runner(kube, header);
    expect(await run(start)).toMatchObject({ summary: expect.stringContaining('No users but requests with the header or cookie') });
    expect([weightOf(kube), canaryPods(kube), routes(kube).length]).toEqual([0, 1, 3]);
    await run(step);
    expect(routes(kube).length).toBe(3);
    await run(promote);
    expect(routes(kube)).toHaveLength(1);
  });
});

describe('a pause', () => {
  it('holds steps and the promotion until it is resumed, and shows who paused', async () => {
    const kube = shop();
    const run = runner(
      kube,
      withSteps([
        { weight: 10, duration: minute, pause: true },
        { weight: 50, duration: minute },
      ]),
    );
    await run(start);
    expect(stateOf(kube)?.paused).toMatchObject({ by: 'slipway.yml' });
    expect(await run(step)).toMatchObject({ outcome: 'hold', reason: 'ROLLOUT_PAUSED' });
    expect(weightOf(kube)).toBe(10);
    expect(await run({ kind: 'resume' })).toMatchObject({ outcome: 'pass', reason: 'ROLLOUT_RESUMED' });
    expect(await run({ kind: 'resume' })).toMatchObject({ outcome: 'skipped' });
    expect(await run(step)).toMatchObject({ outcome: 'pass' });
    expect(await run({ kind: 'pause', why: 'load test' })).toMatchObject({ outcome: 'pass', reason: 'ROLLOUT_PAUSED' });
    expect((await readStatus(deps(kube))).lines.join('\n')).toMatch(/paused by acme\/shop.*load test/);
    expect(await run(promote)).toMatchObject({ outcome: 'hold', summary: expect.stringContaining('load test') });
    expect(await run(abort)).toMatchObject({ outcome: 'pass', reason: 'ABORTED' });
    expect(await run({ kind: 'pause', why: 'too late' })).toMatchObject({ reason: 'ROLLOUT_ABORTED' });
  });
});

describe('another release on its way', () => {
  it('is refused, or sent back first when that is asked for', async () => {
    const kube = shop();
    const run = runner(kube, target());
    await run(start);
    expect(await run({ ...start, image: v3 })).toMatchObject({ outcome: 'fail', reason: 'ROLLOUT_IN_PROGRESS' });
    const before = kube.writes().length;
    expect(await run({ ...start, image: v3, supersede: true })).toMatchObject({ outcome: 'pass', reason: 'STEP_IN_FORCE' });
    expect([imageOf(kube, 'shop-canary'), weightOf(kube), imageOf(kube)]).toEqual([v3, 10, v1]);
    const words = kube
      .writes()
      .slice(before)
      .map(({ verb, plural }) => `${verb} ${plural}`);
    expect(words.indexOf('remove deployments')).toBeGreaterThan(words.indexOf('patch virtualservices'));
    expect(stateOf(kube)?.image).toEqual({ from: v1, to: v3 });
  });
});

describe('the rollback window', () => {
  it('puts back a version that served not long ago, without steps', async () => {
    const kube = shop();
    const run = runner(kube, { ...target(), rollbackWindow: 2 });
    await run(start);
    await run({ ...promote, weight: 100 });
    kube.put(replicaSet('1', v1), replicaSet('2', v2));
    expect(await run({ ...start, image: v1 })).toMatchObject({ outcome: 'pass', reason: 'PROMOTED' });
    expect([imageOf(kube), canaryPods(kube)]).toEqual([v1, undefined]);
    expect(await run({ ...start, image: v3 })).toMatchObject({ reason: 'STEP_IN_FORCE' });
  });

  it('does not take for one that served what was taken back', async () => {
    const kube = shop();
    const run = runner(kube, { ...target(), rollbackWindow: 2 });
    await run(start);
    await run({ ...promote, weight: 100 });
    await run({ kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'errors.' });
    // As the deployment controller counts: the former revision is the newest now, and its ReplicaSet the older one.
    kube.put(replicaSet('2', v2, '2'), replicaSet('3', v1, '1'));
    expect(await run(start)).toMatchObject({ reason: 'STEP_IN_FORCE' });
    expect(imageOf(kube)).toBe(v1);
  });

  function replicaSet(revision: string, image: string, born = revision): KubeObject {
    const stable = find(shop(), 'shop') as KubeObject;
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: stable.metadata.uid ?? '', controller: true };
    return {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `shop-${revision}`,
        namespace,
        creationTimestamp: `2026-11-22T1${born}:00:00Z`,
        labels: { app: 'shop' },
        annotations: { 'deployment.kubernetes.io/revision': revision },
        ownerReferences: [owner],
      },
      spec: { template: { ...stable.spec.template, spec: { containers: [{ name: 'web', image }] } } },
    };
  }
});

describe('a gate', () => {
  it('keeps users where they are until it opens', async () => {
    let open = false;
    const gate = createServer((_, response) => response.writeHead(open ? 200 : 423).end());
    await new Promise<void>((listening) => gate.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}/may-i`;
    try {
      const kube = shop();
      const run = runner(kube, withSteps([{ weight: 10, duration: minute, gate: url }]));
      expect(await run(start)).toMatchObject({ outcome: 'hold', reason: 'GATE_CLOSED' });
      expect(weightOf(kube)).toBe(0);
      open = true;
      expect(await run(start)).toMatchObject({ outcome: 'pass', reason: 'STEP_IN_FORCE' });
      expect(weightOf(kube)).toBe(10);
    } finally {
      gate.close();
      gate.closeAllConnections();
    }
  });
});

describe('an autoscaler', () => {
  const hpa = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop', namespace },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 20 },
  };
  const floorOf = (kube: ReturnType<typeof shop>) => kube.at('horizontalpodautoscalers', namespace, 'shop').spec.minReplicas;

  it.each<[string, Command[]]>([
    ['an abort', [abort]],
    ['a promotion', [step, promote]],
  ])('is kept from shrinking stable until the end (%s), and its Deployment’s replicas are never written', async (_, commands) => {
    const kube = shop();
    kube.put(structuredClone(hpa));
    const run = runner(kube, target());
    await run(start);
    expect(floorOf(kube)).toBe(10);
    // It has grown meanwhile: the canary is sized by what is there now.
    kube.put({ ...(find(kube, 'shop') as KubeObject), spec: { ...find(kube, 'shop')?.spec, replicas: 16 } });
    for (const command of commands) {
      await run(command);
      if (command === step) expect(canaryPods(kube)).toBe(8);
    }
    expect(floorOf(kube)).toBe(2);
    const scaled = kube
      .writes()
      .filter(({ plural, name, body }) => plural === 'deployments' && name === 'shop' && JSON.stringify(body).includes('"replicas"'));
    expect(scaled).toEqual([]);
  });
});
