import { describe, expect, it } from '@jest/globals';
import { advancePatches, promoteFullPatches } from '../src/engines/argo-patches.js';
import { argoRollouts } from '../src/engines/argo-rollouts.js';
import { argoView } from '../src/engines/argo-view.js';
import { endOf } from '../src/engines/engine.js';
import { flagger } from '../src/engines/flagger.js';
import { flaggerView } from '../src/engines/flagger-view.js';
import { goDuration } from '../src/engines/go-duration.js';
import type { KubeObject } from '../src/kube.js';
import { argoShop, flaggerShop, image, namespace, rollout } from './engine-controllers.js';
import { memoryKube, refusal } from './memory-kube.js';
import { deployment } from './objects.js';

const options = { namespace, name: 'shop' };

/** A Rollout in the middle of an update, with this status and spec. */
function updating(status: object, spec: Record<string, unknown> = {}): KubeObject {
  const object = rollout(spec);
  object.status = { observedGeneration: '1', currentPodHash: 'new', stableRS: 'old', currentStepIndex: 1, ...status };
  return object;
}

const viewOf = (object: KubeObject) => argoView({ rollout: object, templated: object, stableImage: image('v1') }, undefined);

describe('what kubectl-argo-rollouts would patch', () => {
  const paused = { pauseConditions: [{ reason: 'CanaryPauseStep' }], controllerPause: true };
  const inconclusive = { canary: { currentStepAnalysisRunStatus: { status: 'Inconclusive' } } };
  const analysis = { strategy: { canary: { steps: [{ setWeight: 25 }, { analysis: {} }, { setWeight: 50 }] } } };

  it.each<[string, KubeObject, object[]]>([
    ['a pause: its conditions are cleared', updating(paused), [{ subresource: 'status', body: { status: { pauseConditions: null } } }]],
    [
      'an inconclusive analysis: its step is left, too',
      updating({ ...paused, ...inconclusive }),
      [{ subresource: 'status', body: { status: { pauseConditions: null, controllerPause: false, currentStepIndex: 2 } } }],
    ],
    [
      'an analysis under way: its step is left',
      updating({}, analysis),
      [{ subresource: 'status', body: { status: { pauseConditions: null, currentStepIndex: 2 } } }],
    ],
    ['a weight that is being brought about: nothing', updating({ currentStepIndex: 0 }), []],
    [
      'paused by hand in a pause: both are ended',
      updating(paused, { paused: true }),
      [{ subresource: 'status', body: { status: { pauseConditions: null } } }, { body: { spec: { paused: false } } }],
    ],
  ])('promote, %s', (_what, object, patches) => expect(advancePatches(object)).toEqual(patches));

  it('promote --full', () => {
    expect(promoteFullPatches(updating({}))).toEqual([{ subresource: 'status', body: { status: { promoteFull: true } } }]);
    expect(promoteFullPatches(updating({ stableRS: 'new' }))).toEqual([]);
    expect(promoteFullPatches(updating({}, { paused: true })).at(-1)).toEqual({ body: { spec: { paused: false } } });
  });
});

describe('a Rollout read', () => {
  it.each<[string, KubeObject, object]>([
    ['not seen by the controller', updating({ observedGeneration: '0' }), { standing: 'unseen' }],
    ['never seen by a controller', rollout(), { standing: 'unseen' }],
    ['its pause cleared, not yet acted on', updating({ controllerPause: true }), { standing: 'unseen' }],
    [
      'in a pause without end',
      updating({ phase: 'Paused', pauseConditions: [{ reason: 'CanaryPauseStep' }], canary: { weights: { canary: { weight: 25 } } } }),
      { standing: 'underway', weight: 25, step: 0, held: 'CanaryPauseStep', canAdvance: true },
    ],
    [
      'in a pause of 90 seconds',
      updating(
        { pauseConditions: [{ reason: 'CanaryPauseStep' }] },
        { strategy: { canary: { steps: [{ setWeight: 25 }, { pause: { duration: '1m30s' } }] } } },
      ),
      { held: null, rests: 90_000, steps: [{ weight: 25, pause: 90_000 }], weight: 25 },
    ],
    ['inconclusive', updating({ pauseConditions: [{ reason: 'InconclusiveAnalysisRun' }] }), { held: 'InconclusiveAnalysisRun' }],
    [
      'aborted: Degraded is how that ends',
      updating({ abort: true, abortedAt: '2026-11-22T19:00:00Z', phase: 'Degraded', currentStepIndex: 0 }),
      { standing: 'aborted', settled: true, broken: null },
    ],
    [
      'told to abort, users not yet back',
      updating({ abort: true, canary: { weights: { canary: { weight: 25 } } } }),
      { standing: 'aborted', settled: false },
    ],
    [
      'Degraded without an abort',
      updating({ phase: 'Degraded', message: 'ProgressDeadlineExceeded' }),
      { standing: 'underway', broken: 'ProgressDeadlineExceeded' },
    ],
    ['past its steps', updating({ currentStepIndex: 4 }), { standing: 'promoting' }],
    [
      'at rest',
      updating({ currentPodHash: 'old', phase: 'Healthy' }),
      { standing: 'stable', settled: true, tracks: { stable: 'app=shop,rollouts-pod-template-hash=old', canary: null } },
    ],
    [
      'without a canary strategy: blue/green',
      updating({ blueGreen: { activeSelector: 'old' }, pauseConditions: [{ reason: 'BlueGreenPause' }] }, { strategy: { blueGreen: {} } }),
      { standing: 'underway', weight: 0, held: 'BlueGreenPause', step: 0 },
    ],
    [
      'with damaged fields',
      updating({ canary: { weights: { canary: { weight: 'all' } } }, message: 7, pauseConditions: [{ reason: {} }] }),
      { weight: 0, message: '', held: null },
    ],
  ])('%s', (_what, object, expected) => expect(viewOf(object)).toMatchObject(expected));

  it('of a Deployment (workloadRef): seen only when the Deployment’s generation was', () => {
    const workload = deployment('shop', { namespace, image: image('v2') });
    const object = updating(
      { workloadObservedGeneration: '1' },
      { workloadRef: { kind: 'Deployment', name: 'shop' }, template: undefined },
    );
    object.metadata.annotations = { 'rollout.argoproj.io/workload-generation': '1' };
    const view = () => argoView({ rollout: object, templated: workload, stableImage: image('v1') }, undefined);
    expect(view()).toMatchObject({ standing: 'underway', image: { desired: image('v2'), stable: image('v1') } });
    workload.metadata.generation = 2;
    expect(view().standing).toBe('unseen');
  });
});

describe('a Rollout that cannot be driven', () => {
  const check = (...objects: object[]) => argoRollouts(memoryKube(...objects), options).check();

  it.each<[string, object[]]>([
    ['ENGINE_OBJECT_NOT_FOUND', []],
    ['ROLLOUT_WITHOUT_STRATEGY', [rollout({ strategy: {} })]],
    ['ENGINE_OBJECTS_AMBIGUOUS', [rollout(), { ...rollout(), metadata: { name: 'shop-2', namespace, uid: 'other' } }]],
    ['ENGINE_TARGET_UNSUPPORTED', [rollout({ workloadRef: { kind: 'StatefulSet', name: 'shop' } })]],
    ['ENGINE_SPEC_INVALID', [{ ...rollout(), status: { conditions: [{ type: 'InvalidSpec', message: 'no such Service' }] } }]],
    [
      'CONTAINER_AMBIGUOUS',
      [
        rollout({
          template: {
            spec: {
              containers: [
                { name: 'a', image: 'a' },
                { name: 'b', image: 'b' },
              ],
            },
          },
        }),
      ],
    ],
  ])('%s', async (reason, objects) => {
    await expect(check(...objects)).rejects.toMatchObject({ reason });
  });

  it('ENGINE_NOT_INSTALLED: the API server does not know the resource', async () => {
    const kube = memoryKube();
    kube.before = ({ verb }) => {
      if (verb === 'list') throw refusal('NOT_FOUND', 404, '404 page not found');
      return undefined;
    };
    await expect(argoRollouts(kube, options).check()).rejects.toMatchObject({ reason: 'ENGINE_NOT_INSTALLED' });
    await expect(flagger(kube, options).check()).rejects.toMatchObject({ reason: 'ENGINE_NOT_INSTALLED' });
  });

  it('is not promoted while it is aborted', async () => {
    const kube = argoShop();
    const engine = argoRollouts(kube, options);
    await engine.start(image('v2'), { id: 'r1', version: null });
    await engine.abort();
    await expect(engine.advance()).rejects.toMatchObject({ reason: 'ROLLOUT_ABORTED' });
    await expect(engine.promoteFull()).rejects.toMatchObject({ reason: 'ROLLOUT_ABORTED' });
  });
});

describe('a Rollout driven', () => {
  it('after an abort its spec names what runs again, exactly', async () => {
    const kube = argoShop();
    const before = structuredClone(kube.at('rollouts', namespace, 'shop').spec);
    const engine = argoRollouts(kube, options);
    await engine.start(image('v2'), { id: 'r1', version: null });
    expect(await engine.read()).toMatchObject({ standing: 'underway', weight: 25, image: { desired: image('v2'), stable: image('v1') } });
    await engine.abort();
    expect(await engine.read()).toMatchObject({ standing: 'aborted', settled: true, image: { desired: image('v2') } });
    expect(await engine.restoreSpec()).toBe(true);
    expect(kube.at('rollouts', namespace, 'shop').spec).toEqual(before);
    expect(await engine.read()).toMatchObject({ standing: 'stable' });
  });

  it('with the image of an aborted update: it is tried again', async () => {
    const kube = argoShop();
    const engine = argoRollouts(kube, options);
    await engine.start(image('v2'), { id: 'r1', version: null });
    await engine.abort();
    await engine.start(image('v2'), { id: 'r2', version: null });
    expect(await engine.read()).toMatchObject({ standing: 'underway', weight: 25 });
  });

  it('an abort sends one patch and reads nothing', async () => {
    const kube = argoShop();
    const engine = argoRollouts(kube, options);
    await engine.read();
    const before = kube.calls.length;
    await engine.abort();
    expect(kube.calls.slice(before)).toMatchObject([{ verb: 'patch', plural: 'rollouts', body: { status: { abort: true } } }]);
  });
});

describe('a Canary', () => {
  const canary = (status: object, spec: object = {}): KubeObject => ({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'shop', namespace, uid: 'c' },
    spec: {
      targetRef: { kind: 'Deployment', name: 'shop' },
      analysis: { interval: '10s', threshold: 5, stepWeight: 20, maxWeight: 50 },
      ...spec,
    },
    status,
  });
  const view = (object: KubeObject, tag = 'v2') =>
    flaggerView(
      {
        canary: object,
        target: deployment('shop', { namespace, image: image(tag) }),
        primary: deployment('shop-primary', { namespace, labels: { app: 'shop-primary' } }),
      },
      undefined,
    );

  it.each<[string, object, object]>([
    [
      'in its second step',
      view(canary({ phase: 'Progressing', canaryWeight: 40, failedChecks: 2 })),
      { standing: 'underway', weight: 40, step: 1, checks: [{ message: '2 of 5 that it allows' }] },
    ],
    [
      'its last weight is the first at or above the maximum',
      view(canary({ phase: 'Progressing' })),
      { step: -1, steps: [{ weight: 20 }, { weight: 40 }, { weight: 60 }] },
    ],
    ['failed', view(canary({ phase: 'Failed' })), { standing: 'aborted', settled: true }],
    ['failed, and its former template put back', view(canary({ phase: 'Failed' }), 'v1'), { standing: 'stable' }],
    ['not yet seen', view(canary({ phase: 'Succeeded' })), { standing: 'unseen' }],
    ['suspended', view(canary({ phase: 'Progressing' }, { suspend: true })), { held: 'spec.suspend', canAdvance: true }],
    ['waiting for its webhook', view(canary({ phase: 'WaitingPromotion' })), { standing: 'underway', canAdvance: false }],
    ['promoting', view(canary({ phase: 'Promoting' })), { standing: 'promoting' }],
    ['not initialised', view(canary({})), { standing: 'unready' }],
    [
      'with damaged fields',
      view(canary({ phase: 7, canaryWeight: 'x', conditions: 'none' })),
      { standing: 'unready', weight: 0, message: '' },
    ],
    [
      'with iterations in place of weights',
      view(canary({ phase: 'Progressing', iterations: 2 }, { analysis: { iterations: 10 } })),
      { steps: [{ weight: 0 }], step: 0 },
    ],
  ])('%s', (_what, seen, expected) => expect(seen).toMatchObject(expected));

  it('is aborted in two parts: users first, then the pods; its template is put back exactly', async () => {
    const kube = flaggerShop();
    const template = () => kube.at('deployments', namespace, 'shop').spec.template;
    const former = structuredClone(template());
    const engine = flagger(kube, options);
    await engine.start(image('v2'), { id: 'r1', version: null });
    kube.tick();
    kube.tick();
    expect(await engine.read()).toMatchObject({ standing: 'underway', weight: 25 });
    const before = kube.calls.length;
    await engine.abort();
    expect(kube.calls.slice(before)).toMatchObject([{ verb: 'patch', plural: 'deployments' }]);
    expect(template()).toMatchObject({ spec: former.spec, metadata: { annotations: { 'slipway.dev/rollout': 'aborted-r1' } } });
    await engine.read();
    await engine.abort();
    expect(kube.writes()).toHaveLength(2); // said once is enough
    kube.tick();
    expect(await engine.read()).toMatchObject({ phase: 'Progressing', weight: 0 });
    await engine.abort();
    expect(template()).toEqual(former);
    expect(kube.at('canaries', namespace, 'shop').status.failedChecks).toBe(2);
    kube.tick();
    expect(await engine.read()).toMatchObject({ phase: 'Failed', standing: 'stable', weight: 0 });
    kube.tick();
    expect((await engine.read()).phase).toBe('Failed');
  });

  it('begins anew with the image that failed before', async () => {
    const kube = flaggerShop();
    const engine = flagger(kube, options);
    await engine.start(image('v2'), { id: 'r1', version: null });
    for (let look = 0; look < 2; look++) kube.tick();
    kube.at('canaries', namespace, 'shop').status.failedChecks = 2;
    kube.tick();
    expect(await engine.read()).toMatchObject({ standing: 'aborted' });
    await engine.start(image('v2'), { id: 'r2', version: null });
    kube.tick();
    expect(await engine.read()).toMatchObject({ standing: 'underway' });
  });

  it('of which there are two for one Deployment is refused, and one that targets no Deployment', async () => {
    const kube = flaggerShop();
    kube.put({ ...canary({}), metadata: { name: 'shop-2', namespace, uid: 'other' } });
    await expect(flagger(kube, options).check()).rejects.toMatchObject({ reason: 'ENGINE_OBJECTS_AMBIGUOUS' });
    const daemons = memoryKube(canary({}, { targetRef: { kind: 'DaemonSet', name: 'shop' } }));
    await expect(flagger(daemons, options).check()).rejects.toMatchObject({ reason: 'ENGINE_TARGET_UNSUPPORTED' });
  });
});

describe('the end of an update', () => {
  it('is the new image alone, or the former one', () => {
    const stable = viewOf(updating({ currentPodHash: 'old', phase: 'Healthy' }));
    expect(endOf(stable, image('v1'))).toBe('promoted');
    expect(endOf(stable, image('v2'))).toBe('aborted');
    expect(endOf(viewOf(updating({})), image('v2'))).toBeUndefined();
  });
});

it.each([
  [90, 90_000],
  ['90', 90_000],
  ['1m30s', 90_000],
  ['500ms', 500],
  ['1.5h', 5_400_000],
  ['', undefined],
  ['soon', undefined],
  [-1, undefined],
  [null, undefined],
])('the Go duration %j is %j ms', (text, ms) => expect(goDuration(text)).toBe(ms));
