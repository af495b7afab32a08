import { describe, expect, it } from '@jest/globals';
import { argoShop, flaggerShop, image, namespace } from '../../cluster/test/engine-controllers.js';
import type { MemoryKube } from '../../cluster/test/memory-kube.js';
import type { Command } from '../src/command.js';
import { runEngineCommand } from '../src/engines/run-engine-command.js';
import { instantClock, deps as shopDeps, stateOf, type TestDeps, target } from './shop.js';

type Engine = 'argo-rollouts' | 'flagger';
type Shop = MemoryKube & { tick?: () => void };

/** The process dies: nothing that it would do afterwards, not even giving up its lease, is done. */
class Killed extends Error {}

function run(kube: Shop, engine: Engine, attempt: number, job: string): TestDeps {
  const made = shopDeps(kube, { target: { ...target('replicas'), engine }, holder: `acme/shop/77/${attempt}/${job}` });
  const clock = instantClock();
  let looked = clock.at;
  const { sleep } = clock;
  clock.sleep = async (ms, signal) => {
    await sleep(ms, signal);
    for (; looked + 10_000 <= clock.at; looked += 10_000) kube.tick?.();
  };
  return { ...made, context: { ...made.context, clock } };
}

function killAt(kube: Shop, nth: number, when: 'before' | 'after'): () => number {
  let count = 0;
  let dead = false;
  kube.before = () => {
    if (dead) throw new Killed();
    count += 1;
    if (count !== nth) return undefined;
    dead = true;
    if (when === 'before') throw new Killed();
    return () => {
      throw new Killed();
    };
  };
  return () => count;
}

const start: Command = { kind: 'start', image: image('v2'), version: null };
const step: Command = { kind: 'step' };
const promote: Command = { kind: 'promote', version: null };
const abort: Command = { kind: 'abort', reason: 'ERROR_RATE_WORSE', summary: 'errors.' };
const rollBack: Command = { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'errors.' };

/** Kills `victim` before and after each of its requests, lets the controller go on for a while, runs it again and looks at the end. */
async function everyCut(engine: Engine, before: Command[], victim: Command, expectEnd: (kube: Shop) => void): Promise<number> {
  let cuts = 0;
  for (const when of ['before', 'after'] as const) {
    for (let nth = 1; ; nth++) {
      const kube: Shop = engine === 'flagger' ? flaggerShop() : argoShop();
      for (const command of before) await runEngineCommand(run(kube, engine, 1, command.kind), command);
      const requests = killAt(kube, nth, when);
      const died = await runEngineCommand(run(kube, engine, 1, 'victim'), victim).then(
        () => false,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return true;
        },
      );
      if (!died && requests() < nth) break;
      kube.before = () => undefined;
      kube.tick?.();
      const { verdict } = await runEngineCommand(run(kube, engine, 2, 'victim'), victim);
      expect({ when, nth, reason: verdict.reason, outcome: verdict.outcome }).toMatchObject({
        when,
        nth,
        outcome: expect.stringMatching(/pass|skipped/),
      });
      expectEnd(kube);
      cuts += 1;
    }
  }
  return cuts;
}

/** The image that the spec asks for, and its state. */
function seen(kube: Shop, engine: Engine) {
  const object = engine === 'flagger' ? kube.at('deployments', namespace, 'shop') : kube.at('rollouts', namespace, 'shop');
  const weight =
    engine === 'flagger' ? kube.at('canaries', namespace, 'shop').status.canaryWeight : object.status.canary.weights.canary.weight;
  return { image: object.spec.template.spec.containers[0].image, weight, phase: stateOf(kube).phase };
}

describe.each<Engine>(['argo-rollouts', 'flagger'])('a run that is killed at any request (%s)', (engine) => {
  it('start: its re-run brings the first step into force', async () => {
    const cuts = await everyCut(engine, [], start, (kube) =>
      expect(seen(kube, engine)).toMatchObject({ image: image('v2'), phase: 'progressing' }),
    );
    expect(cuts).toBeGreaterThan(20);
  });

  it('step: its re-run makes this step and no further one', async () => {
    const cuts = await everyCut(engine, [start], step, (kube) => {
      // Flagger goes on by itself while no run watches it.
      const further = engine === 'flagger' ? /progressing|promoting/ : /progressing/;
      expect(seen(kube, engine)).toMatchObject({ weight: 50, phase: expect.stringMatching(further) });
    });
    expect(cuts).toBeGreaterThan(15);
  });

  it('promote: its re-run ends in the promotion', async () => {
    const cuts = await everyCut(engine, [start, step], promote, (kube) =>
      expect(seen(kube, engine)).toEqual({ image: image('v2'), weight: 0, phase: 'promoted' }),
    );
    expect(cuts).toBeGreaterThan(15);
  });

  it('abort: its re-run ends with all users on the former version', async () => {
    const cuts = await everyCut(engine, [start], abort, (kube) =>
      expect(seen(kube, engine)).toEqual({ image: image('v1'), weight: 0, phase: 'aborted' }),
    );
    expect(cuts).toBeGreaterThan(20);
  });

  it('roll-back: its re-run ends with all users on the former version', async () => {
    const cuts = await everyCut(engine, [start, step, promote], rollBack, (kube) =>
      expect(seen(kube, engine)).toEqual({ image: image('v1'), weight: 0, phase: 'undone' }),
    );
    expect(cuts).toBeGreaterThan(20);
  });
});
