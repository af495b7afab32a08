import { describe, expect, it } from '@jest/globals';
import { type CounterSample, createJudge } from '@slipway/analysis';
import { argoShop, flaggerShop, image, namespace } from '../../cluster/test/engine-controllers.js';
import type { MemoryKube } from '../../cluster/test/memory-kube.js';
import { analyze } from '../src/analyze.js';
import { runEngineCommand } from '../src/engines/run-engine-command.js';
import type { AnalyzeOptions } from '../src/step-analysis.js';
import { instantClock, deps as shopDeps, stateOf, type TestDeps, target } from './shop.js';

type Engine = 'argo-rollouts' | 'flagger';
type Shop = MemoryKube & { tick?: () => void };

/** A run on a clock on which Flagger looks once in `interval` milliseconds. */
function run(kube: Shop, engine: Engine, interval = 10_000): TestDeps {
  const made = shopDeps(kube, { target: { ...target('replicas'), engine } });
  const clock = instantClock();
  let looked: number | undefined;
  const { sleep } = clock;
  clock.sleep = async (ms, signal) => {
    looked ??= clock.at;
    await sleep(ms, signal);
    for (; looked + interval <= clock.at; looked += interval) kube.tick?.();
  };
  return { ...made, context: { ...made.context, clock } };
}

/** The counters of two pods that fail this share of their requests; `look` is called at each reading. */
function options(made: TestDeps, errors: number, more: Partial<AnalyzeOptions> & { look?: (nth: number) => void } = {}): AnalyzeOptions {
  const { look, ...others } = more;
  const { clock } = made.context;
  const began = clock.now();
  let looks = 0;
  const series = (track: 'stable' | 'canary', rate: number) => {
    const n = Math.round((clock.now() - began) / 20);
    return { id: track, track, startedAt: began - 600_000, counters: { n: n + 1000, e: Math.round(n * rate), b: [n + 1000] } };
  };
  return {
    watch: (pods) => ({
      judge: createJudge({ warmUp: 0 }),
      source: {
        name: 'steady',
        async sample(): Promise<CounterSample> {
          look?.(looks++);
          await pods();
          return { at: clock.now(), bounds: [0.5], series: [series('stable', 0.001), series('canary', errors)], problems: [] };
        },
      },
      window: 2_000,
      history: 0,
    }),
    policy: { onNodata: 'hold', onInconclusive: 'hold' },
    mode: 'enforce',
    duration: 120_000,
    ...others,
  };
}

async function started(engine: Engine): Promise<Shop> {
  const kube: Shop = engine === 'flagger' ? flaggerShop() : argoShop();
  await runEngineCommand(run(kube, engine), { kind: 'start', image: image('v2'), version: null });
  return kube;
}

/** Analyses on a clock that begins when the step came into force. */
function watching(kube: Shop, engine: Engine, interval?: number): TestDeps {
  const made = run(kube, engine, interval);
  Object.assign(made.context.clock, { at: Date.parse(stateOf(kube).stepStartedAt ?? '') });
  return made;
}

const desired = (kube: Shop, engine: Engine): string =>
  kube.at(engine === 'flagger' ? 'deployments' : 'rollouts', namespace, 'shop').spec.template.spec.containers[0].image;

const held = (kube: Shop, engine: Engine): boolean =>
  engine === 'flagger'
    ? kube.at('canaries', namespace, 'shop').spec.suspend === true
    : kube.at('rollouts', namespace, 'shop').spec.paused === true;

describe.each<Engine>(['argo-rollouts', 'flagger'])('our judge over %s', (engine) => {
  it('aborts what fails requests', async () => {
    const kube = await started(engine);
    const made = watching(kube, engine);
    const { verdict, state } = await analyze(made, options(made, 0.1));
    expect(verdict).toMatchObject({ outcome: 'fail', reason: expect.stringMatching(/^ERROR_/) });
    expect(state).toMatchObject({ phase: 'aborted', ended: { reason: verdict.reason } });
    expect(desired(kube, engine)).toBe(image('v1'));
  });

  it('only says so in `mode: observe`', async () => {
    const kube = await started(engine);
    const made = watching(kube, engine, 1e9);
    const writes = kube.writes().filter(({ plural }) => plural !== 'configmaps').length;
    const { verdict } = await analyze(made, options(made, 0.1, { mode: 'observe' }));
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'OBSERVED_FAIL' });
    expect(kube.writes().filter(({ plural }) => plural !== 'configmaps')).toHaveLength(writes);
    expect(desired(kube, engine)).toBe(image('v2'));
  });

  it('is cancelled: the controller is told at once', async () => {
    const kube = await started(engine);
    const made = watching(kube, engine, 1e9);
    const { verdict, state } = await analyze(made, options(made, 0.001, { look: (nth) => nth === 2 && made.abort() }));
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'CANCELLED' });
    expect(state?.phase).toBe('aborting');
    if (engine === 'flagger') expect(desired(kube, engine)).toBe(image('v1'));
    else expect(kube.at('rollouts', namespace, 'shop').status).toMatchObject({ abort: true, phase: 'Degraded' });
  });
});

it('undecided: the controller is held until a person decides', async () => {
  const kube = await started('argo-rollouts');
  const object = structuredClone(kube.at('rollouts', namespace, 'shop'));
  // A controller that would go on by itself: it rests a while and is not held.
  object.spec.strategy.canary.steps[1] = { pause: { duration: 600 } };
  kube.put(object);
  const made = watching(kube, 'argo-rollouts');
  const { verdict } = await analyze(made, options(made, 0.001, { duration: 4_000 }));
  expect(verdict).toMatchObject({ outcome: 'hold', reason: 'INCONCLUSIVE', summary: expect.stringContaining('is held at 25 %') });
  expect(held(kube, 'argo-rollouts')).toBe(true);
});

it('the controller gives it up first: its verdict counts', async () => {
  const kube = await started('flagger');
  const made = watching(kube, 'flagger', 1e9);
  const look = (nth: number) => {
    if (nth !== 2) return;
    kube.at('canaries', namespace, 'shop').status.failedChecks = 2;
    kube.tick?.();
  };
  const { verdict, state } = await analyze(made, options(made, 0.001, { look }));
  expect(verdict).toMatchObject({ outcome: 'fail', reason: 'ENGINE_ABORTED' });
  expect(state?.phase).toBe('aborted');
  expect(desired(kube, 'flagger')).toBe(image('v1'));
});

it('follows the controller from weight to weight, and ends when it promotes', async () => {
  const kube = await started('flagger');
  const made = watching(kube, 'flagger', 60_000);
  const { verdict, state } = await analyze(made, options(made, 0.001, { duration: 600_000 }));
  expect(verdict.outcome).toBe('pass');
  expect(state?.evidence).toMatchObject({ step: 1 });
  expect(state).toMatchObject({ step: 1, weight: 50 });
});
