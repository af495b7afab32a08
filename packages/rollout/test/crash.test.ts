import { describe, expect, it } from '@jest/globals';
import type { Call, MemoryKube } from '../../cluster/test/memory-kube.js';
import type { Command } from '../src/command.js';
import { runCommand } from '../src/run-command.js';
import { deps, find, imageOf, shop, stateOf, target, v1, v2, weightOf } from './shop.js';

type Router = 'istio' | 'replicas';

/** The process dies: nothing that it would do afterwards, not even giving up its lease, is done. */
class Killed extends Error {}

/** Lets the process die at its `nth` request, before or after the server has done it. */
function killAt(kube: MemoryKube, nth: number, when: 'before' | 'after'): { requests: () => number } {
  let count = 0;
  let dead = false;
  kube.before = (call) => {
    if (dead) throw new Killed();
    assertUsersSafe(kube, call);
    count += 1;
    if (count !== nth) return undefined;
    dead = true;
    if (when === 'before') throw new Killed();
    return () => {
      throw new Killed();
    };
  };
  return { requests: () => count };
}

/** Before each request: nobody may be routed to a canary that has no ready pods. */
function assertUsersSafe(kube: MemoryKube, call: Call): void {
  const canary = find(kube, 'shop-canary');
  const serves = (canary?.status?.availableReplicas ?? 0) > 0;
  if (weightOf(kube) > 0 && !serves)
    throw new Error(`at ${call.verb} ${call.plural}: ${weightOf(kube)} % of users go to a canary without pods`);
}

const commands: Command[] = [{ kind: 'start', image: v2, version: 'v2.0.0' }, { kind: 'step' }, { kind: 'promote', version: null }];
const back: Command = { kind: 'abort', reason: 'ERROR_RATE_WORSE', summary: 'errors.' };
const undo: Command = { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'errors.' };
const rolling: Command = { kind: 'promote', image: v2, version: null };

async function runAll(kube: MemoryKube, router: Router, todo: readonly Command[], attempt: number): Promise<void> {
  for (const [index, command] of todo.entries()) {
    const run = deps(kube, { target: target(router), holder: `acme/shop/77/${attempt}/job${index}` });
    const { verdict } = await runCommand(run, command);
    if (verdict.outcome === 'fail' || verdict.outcome === 'error')
      throw new Error(`${command.kind}: ${verdict.reason}: ${verdict.summary}`);
  }
}

/** Kills the last of `todo` at every request, runs it (and what follows) again, and looks at the end with `expectEnd`. */
async function everyCut(
  router: Router,
  before: readonly Command[],
  victim: Command,
  after: readonly Command[],
  expectEnd: (kube: MemoryKube) => void,
): Promise<number> {
  let cuts = 0;
  for (const when of ['before', 'after'] as const) {
    for (let nth = 1; ; nth++) {
      const kube = shop();
      await runAll(kube, router, before, 1);
      const { requests } = killAt(kube, nth, when);
      const run = deps(kube, { target: target(router), holder: `acme/shop/77/1/job${before.length}` });
      const died = await runCommand(run, victim).then(
        () => false,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return true;
        },
      );
      if (!died && requests() < nth) break;
      kube.before = (call) => {
        assertUsersSafe(kube, call);
        return undefined;
      };
      const again = deps(kube, { target: target(router), holder: `acme/shop/77/2/job${before.length}` });
      const { verdict } = await runCommand(again, victim);
      expect({ when, nth, outcome: verdict.outcome }).toEqual({ when, nth, outcome: expect.stringMatching(/pass|skipped/) });
      for (const [index, command] of after.entries()) {
        await runCommand(deps(kube, { target: target(router), holder: `acme/shop/77/2/job${before.length + 1 + index}` }), command);
      }
      expectEnd(kube);
      cuts += 1;
    }
  }
  return cuts;
}

function promoted(kube: MemoryKube): void {
  expect(stateOf(kube)).toMatchObject({ phase: 'promoted', weight: 100, step: 1 });
  expect(imageOf(kube)).toBe(v2);
  expectNoCanary(kube);
}

function aborted(kube: MemoryKube): void {
  expect(imageOf(kube)).toBe(v1);
  expectNoCanary(kube);
}

function expectNoCanary(kube: MemoryKube): void {
  expect(weightOf(kube)).toBe(0);
  expect(find(kube, 'shop-canary')).toBeUndefined();
  expect(find(kube, 'shop')?.spec.replicas).toBe(10);
}

describe.each(['istio', 'replicas'] as const)('a run that is killed at any request (%s)', (router) => {
  const [start, step, promote] = commands as [Command, Command, Command];

  it('start: its re-run and the later commands end in the promotion', async () => {
    expect(await everyCut(router, [], start, [step, promote], promoted)).toBeGreaterThan(30);
  });

  it('step: its re-run makes this step and no further one', async () => {
    const cuts = await everyCut(router, [start], step, [], (kube) =>
      expect(stateOf(kube)).toMatchObject({ step: 1, weight: 50, phase: 'progressing' }),
    );
    expect(cuts).toBeGreaterThan(20);
  });

  it('promote: its re-run ends in the promotion', async () => {
    expect(await everyCut(router, [start, step], promote, [], promoted)).toBeGreaterThan(30);
  });

  it('abort: its re-run ends with all users on the former version', async () => {
    expect(await everyCut(router, [start, step], back, [], aborted)).toBeGreaterThan(20);
  });

  it('promote, then abort in place of the re-run: all users are on one version', async () => {
    let cuts = 0;
    for (let nth = 1; ; nth++) {
      const kube = shop();
      await runAll(kube, router, [start, step], 1);
      const { requests } = killAt(kube, nth, 'after');
      await runCommand(deps(kube, { target: target(router), holder: 'acme/shop/77/1/job2' }), promote).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      if (requests() < nth) break;
      kube.before = (call) => {
        assertUsersSafe(kube, call);
        return undefined;
      };
      await runCommand(deps(kube, { target: target(router), holder: 'acme/shop/77/1/job2' }), back);
      expect(imageOf(kube)).toBe(stateOf(kube).phase === 'promoted' ? v2 : v1);
      expectNoCanary(kube);
      cuts += 1;
    }
    expect(cuts).toBeGreaterThan(15);
  });
});

describe('a killed run without a canary', () => {
  it('rolling release', async () => {
    expect(await everyCut('istio', [], rolling, [], (kube) => expect(imageOf(kube)).toBe(v2))).toBeGreaterThan(15);
  });

  it('rollback of what was promoted', async () => {
    const cuts = await everyCut('istio', [rolling], undo, [], (kube) => {
      expect(imageOf(kube)).toBe(v1);
      expect(stateOf(kube).phase).toBe('undone');
    });
    expect(cuts).toBeGreaterThan(15);
  });
});
