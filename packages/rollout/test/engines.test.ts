import { describe, expect, it } from '@jest/globals';
import { argoShop, flaggerShop, image, namespace, rollout } from '../../cluster/test/engine-controllers.js';
import type { MemoryKube } from '../../cluster/test/memory-kube.js';
import type { Command } from '../src/command.js';
import { listEnginePods } from '../src/engines/engine-pods.js';
import { readEngineStatus } from '../src/engines/engine-status.js';
import { runEngineCommand } from '../src/engines/run-engine-command.js';
import { instantClock, deps as shopDeps, stateOf, type TestDeps, target } from './shop.js';

type Engine = 'argo-rollouts' | 'flagger';
type Shop = MemoryKube & { running: boolean; tick?: () => void };

const shopOf = (engine: Engine): Shop => (engine === 'flagger' ? flaggerShop() : argoShop());

/** A run on a clock on which Flagger looks once in ten seconds. */
function run(kube: Shop, engine: Engine, holder = 'acme/shop/77/1/job'): TestDeps {
  const made = shopDeps(kube, { target: { ...target('replicas'), engine }, holder });
  const clock = instantClock();
  let looked = clock.at;
  const { sleep } = clock;
  clock.sleep = async (ms, signal) => {
    await sleep(ms, signal);
    for (; looked + 10_000 <= clock.at; looked += 10_000) kube.tick?.();
  };
  return { ...made, context: { ...made.context, clock } };
}

const start: Command = { kind: 'start', image: image('v2'), version: 'v2.0.0' };
const step: Command = { kind: 'step' };
const promote: Command = { kind: 'promote', version: null };
const abort: Command = { kind: 'abort', reason: 'ERROR_RATE_WORSE', summary: 'errors.' };
const rollBack: Command = { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'errors.' };

/** What the controller's objects ask for and serve. */
function world(kube: Shop, engine: Engine) {
  if (engine === 'flagger') {
    const { status, spec } = kube.at('canaries', namespace, 'shop');
    const of = (name: string) => kube.at('deployments', namespace, name).spec.template.spec.containers[0].image;
    return {
      desired: of('shop'),
      serves: of('shop-primary'),
      weight: status.canaryWeight,
      phase: status.phase,
      left: spec.suspend === true || spec.skipAnalysis === true,
    };
  }
  const { status, spec } = kube.at('rollouts', namespace, 'shop');
  const stable = kube.at('replicasets', namespace, `shop-${status.stableRS}`).spec.template.spec.containers[0].image;
  return {
    desired: spec.template.spec.containers[0].image,
    serves: stable,
    weight: status.canary.weights.canary.weight,
    phase: status.phase,
    left: spec.paused === true,
  };
}

const atRestOn = (tag: string) => ({ desired: image(tag), serves: image(tag), weight: 0, left: false });

describe.each<Engine>(['argo-rollouts', 'flagger'])('%s', (engine) => {
  const go = (kube: Shop, command: Command, holder?: string) => runEngineCommand(run(kube, engine, holder), command);

  it('start, step, promote', async () => {
    const kube = shopOf(engine);
    expect(await go(kube, start)).toMatchObject({ verdict: { outcome: 'pass', reason: 'STEP_IN_FORCE' }, state: { weight: 25, step: 0 } });
    expect(await go(kube, step)).toMatchObject({ verdict: { reason: 'STEP_IN_FORCE' }, state: { weight: 50, step: 1 } });
    expect(await go(kube, promote)).toMatchObject({
      verdict: { outcome: 'pass', reason: 'PROMOTED' },
      state: { phase: 'promoted', weight: 100 },
    });
    expect(world(kube, engine)).toMatchObject(atRestOn('v2'));
    expect((await go(kube, start)).verdict).toMatchObject({ outcome: 'skipped', reason: 'ALREADY_RELEASED' });
  });

  it('abort: users are back and the spec names what runs', async () => {
    const kube = shopOf(engine);
    await go(kube, start);
    expect((await go(kube, abort)).verdict).toMatchObject({ outcome: 'pass', reason: 'ABORTED' });
    expect(world(kube, engine)).toMatchObject(atRestOn('v1'));
    expect((await go(kube, abort)).verdict.reason).toBe('NOTHING_TO_DO');
    expect((await go(kube, step)).verdict.reason).toBe('ROLLOUT_ABORTED');
    expect((await go(kube, start)).verdict.reason).toBe('STEP_IN_FORCE');
  });

  it('roll-back of what was promoted, once', async () => {
    const kube = shopOf(engine);
    for (const command of [start, step, promote]) await go(kube, command);
    expect(await go(kube, rollBack)).toMatchObject({ verdict: { outcome: 'pass', reason: 'ROLLED_BACK' }, state: { phase: 'undone' } });
    expect(world(kube, engine)).toMatchObject(atRestOn('v1'));
    expect((await go(kube, rollBack)).verdict.reason).toBe('ALREADY_GOOD');
  });

  it('promote with weight 100 leaves the steps out; what it overwrote is put back', async () => {
    const kube = shopOf(engine);
    await go(kube, start);
    expect((await go(kube, { ...promote, weight: 100 })).verdict.reason).toBe('PROMOTED');
    expect(world(kube, engine)).toMatchObject(atRestOn('v2'));
  });

  it('promote with an image releases without a canary', async () => {
    const kube = shopOf(engine);
    expect((await go(kube, { ...promote, image: image('v2') })).verdict.reason).toBe('PROMOTED');
    expect(world(kube, engine)).toMatchObject(atRestOn('v2'));
  });

  it('another image while one is on its way is refused, and an update that Slipway did not begin, too', async () => {
    const kube = shopOf(engine);
    await go(kube, start);
    expect((await go(kube, { ...start, image: image('v3') })).verdict.reason).toBe('ROLLOUT_IN_PROGRESS');
    kube.put({ ...kube.at('configmaps', namespace, 'slipway-shop'), data: {} });
    expect((await go(kube, { ...start, image: image('v3') })).verdict.reason).toBe('ENGINE_BUSY');
    expect((await go(kube, abort)).verdict.reason).toBe('ABORTED');
    expect(world(kube, engine)).toMatchObject(atRestOn('v1'));
  });

  it('pause holds the controller, resume lets it go', async () => {
    const kube = shopOf(engine);
    await go(kube, start);
    expect((await go(kube, { kind: 'pause', why: 'lunch' })).verdict.reason).toBe('ROLLOUT_PAUSED');
    expect(world(kube, engine).left).toBe(true);
    expect((await go(kube, step)).verdict.reason).toBe('ROLLOUT_PAUSED');
    expect((await go(kube, { kind: 'resume' })).verdict.reason).toBe('ROLLOUT_RESUMED');
    expect((await go(kube, step)).state).toMatchObject({ weight: 50 });
  });

  it('held by somebody else at rest: a release would not begin', async () => {
    const kube = shopOf(engine);
    const field = engine === 'flagger' ? 'suspend' : 'paused';
    const object = engine === 'flagger' ? kube.at('canaries', namespace, 'shop') : kube.at('rollouts', namespace, 'shop');
    object.spec[field] = true;
    expect((await go(kube, start)).verdict.reason).toBe('ENGINE_SUSPENDED');
    expect(world(kube, engine)).toMatchObject({ desired: image('v1') });
  });

  it('a controller that does not run: the image is taken back from the spec, so that nothing begins unwatched later', async () => {
    const kube = shopOf(engine);
    kube.running = false;
    const { verdict, state } = await go(kube, start);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'ENGINE_NOT_RESPONDING' });
    expect(state).toMatchObject({ phase: 'aborted' });
    expect(world(kube, engine).desired).toBe(image('v1'));
  });

  it('a controller that stops in the middle: an abort says that it was not carried out, and its re-run ends it', async () => {
    const kube = shopOf(engine);
    await go(kube, start);
    kube.running = false;
    await expect(go(kube, abort)).rejects.toMatchObject({ reason: 'ENGINE_NOT_RESPONDING' });
    expect(stateOf(kube).phase).toBe('aborting');
    kube.running = true;
    if (engine === 'argo-rollouts') kube.put(kube.at('rollouts', namespace, 'shop'));
    expect((await go(kube, abort)).verdict.reason).toBe('ABORTED');
    expect(world(kube, engine)).toMatchObject(atRestOn('v1'));
  });

  it('what the controller aborted by itself is recorded as its verdict', async () => {
    const kube = shopOf(engine);
    await go(kube, start);
    if (engine === 'flagger') {
      kube.at('canaries', namespace, 'shop').status.failedChecks = 2;
      kube.tick?.();
    } else {
      const object = structuredClone(kube.at('rollouts', namespace, 'shop'));
      object.status.abort = true;
      kube.put(object);
    }
    expect((await go(kube, step)).verdict.reason).toBe('ROLLOUT_ABORTED');
    expect(stateOf(kube)).toMatchObject({ phase: 'aborted', ended: { reason: 'ENGINE_ABORTED' } });
    expect(world(kube, engine)).toMatchObject(atRestOn('v1'));
  });

  it('pods that crash end it at once', async () => {
    const kube = shopOf(engine);
    const labels = await canaryLabels(kube, engine);
    kube.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'shop-new', namespace, labels },
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'web', restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      },
    });
    expect((await go(kube, { ...start, image: image('v9') })).verdict).toMatchObject({ outcome: 'fail', reason: 'CRASH_LOOP' });
    expect(world(kube, engine)).toMatchObject(atRestOn('v1'));
  });

  it('a cancellation at any moment of a start tells the controller; post brings it to rest', async () => {
    let cancelled = 0;
    for (let nth = 1; nth < 40; nth++) {
      const kube = shopOf(engine);
      const made = run(kube, engine);
      let count = 0;
      kube.before = () => {
        if (++count === nth) made.abort();
        return undefined;
      };
      const ended = await runEngineCommand(made, start).catch((error: Error) => error);
      kube.before = () => undefined;
      if (count < nth) break;
      if (!(ended instanceof Error) && ended.verdict.reason === 'CANCELLED') cancelled += 1;
      await go(kube, abort);
      expect({ nth, ...world(kube, engine) }).toMatchObject({ nth, ...atRestOn('v1') });
    }
    expect(cancelled).toBeGreaterThan(2);
  });

  it('status reads and changes nothing', async () => {
    const kube = shopOf(engine);
    await go(kube, start);
    const before = kube.writes().length;
    const { verdict, lines } = await readEngineStatus(run(kube, engine));
    expect(verdict.summary).toContain('25 %');
    expect(lines).toContain(`Serves: ${image('v1')}`);
    expect(kube.writes()).toHaveLength(before);
  });
});

/** Labels of the pods that v9 gets. */
async function canaryLabels(kube: Shop, engine: Engine): Promise<Record<string, string>> {
  if (engine === 'flagger') return { app: 'shop' };
  const other = argoShop(
    rollout({ template: { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'web', image: image('v9') }] } } }),
  );
  const hash = other.at('rollouts', namespace, 'shop').status.currentPodHash;
  expect(hash).not.toBe(kube.at('rollouts', namespace, 'shop').status.currentPodHash);
  return { app: 'shop', 'rollouts-pod-template-hash': hash };
}

describe('the pods of both tracks', () => {
  it('are told apart as the controller does', async () => {
    const kube = argoShop();
    const pod = (name: string, hash: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: 'shop', 'rollouts-pod-template-hash': hash } },
      status: { phase: 'Running' },
    });
    kube.put(pod('old-1', 'old'), pod('new-1', 'new'), pod('older', 'older'));
    const hash = (of: string) => `app=shop,rollouts-pod-template-hash=${of}`;
    const pods = await listEnginePods(kube, { namespace }, { tracks: { stable: hash('old'), canary: hash('new') } });
    expect(pods.map(({ name, track }) => [name, track])).toEqual([
      ['old-1', 'stable'],
      ['new-1', 'canary'],
    ]);
  });
});
