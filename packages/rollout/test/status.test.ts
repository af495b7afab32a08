import { describe, expect, it } from '@jest/globals';
import { mdPlain } from '@slipway/core';
import { refusal } from '../../cluster/test/memory-kube.js';
import type { Command } from '../src/command.js';
import { runCommand } from '../src/run-command.js';
import { readStatus } from '../src/status.js';
import { watchStatus } from '../src/watch-status.js';
import { deps, namespace, shop, v2 } from './shop.js';

const start: Command = { kind: 'start', image: v2, version: 'v2.0.0' };
const go = (kube: ReturnType<typeof shop>, command: Command) => runCommand(deps(kube), command);

/** Deps whose clock does one of these between two looks. */
function watching(kube: ReturnType<typeof shop>, between: (() => unknown)[]) {
  const made = deps(kube);
  const left = [...between];
  const sleep = async (ms: number, signal?: AbortSignal) => {
    await left.shift()?.();
    await made.context.clock.sleep(ms, signal);
  };
  return { ...made, context: { ...made.context, clock: { ...made.context.clock, now: () => Date.parse('2026-11-22T19:05:31Z'), sleep } } };
}

describe('status', () => {
  it('has weights, pods, verdict and who holds the lease, as lines and as a table', async () => {
    const kube = shop();
    await go(kube, start);
    kube.at('leases', namespace, 'slipway-shop').spec.holderIdentity = 'acme/shop/77/1/canary';
    const { verdict, lines, report } = await readStatus(deps(kube));
    expect(verdict).toMatchObject({
      outcome: 'pass',
      reason: 'STATUS',
      summary: expect.stringMatching(/v2\.0\.0 is progressing, step 1 of 2/),
    });
    expect(lines).toEqual(
      expect.arrayContaining([
        'Phase: progressing',
        'Steps: 10 % (now) → 50 %',
        expect.stringMatching(/^Split: 10 % to the canary by .*VirtualService shop\/shop/),
        'Pods: stable 10 of 10 ready, canary 1 of 1 ready',
        'Under way: nothing',
        'Judge: nothing seen yet',
        'Lease: acme/shop/77/1/canary',
      ]),
    );
    for (const line of lines) expect(mdPlain(report)).toContain(line.slice(line.indexOf(':') + 2));
    expect(report).toMatch(/\| When \| What \|/);
  });

  it('of a rolling release asks for no canary', async () => {
    const kube = shop();
    await runCommand(deps(kube, { target: { ...deps(kube).target, strategy: 'rolling', steps: [] } }), start);
    kube.calls.length = 0;
    const { lines } = await readStatus(deps(kube));
    expect(lines).toContain('Pods: 10 of 10 ready');
    expect(kube.calls.map(({ name }) => name)).not.toContain('shop-canary');
  });

  it('says what cannot be read in its place', async () => {
    const kube = shop();
    await go(kube, start);
    kube.before = ({ plural }) => {
      if (plural === 'virtualservices') throw refusal('FORBIDDEN', 403, 'get virtualservices');
      return undefined;
    };
    expect((await readStatus(deps(kube))).lines).toContain('Split: cannot be read: get virtualservices');
  });

  it('writes nothing', async () => {
    const kube = shop();
    await go(kube, start);
    const before = kube.writes().length;
    await readStatus(deps(kube));
    expect(kube.writes().length).toBe(before);
  });
});

describe('status, watching', () => {
  it('tells all once, then what has changed, and ends with the rollout', async () => {
    const kube = shop();
    await go(kube, start);
    const watch = watching(kube, [() => undefined, () => go(kube, { kind: 'step' }), () => go(kube, { kind: 'promote', version: null })]);
    const { state } = await watchStatus(watch);
    expect(state?.phase).toBe('promoted');
    const first = watch.lines.findIndex((line) => line.startsWith('19:05:31'));
    expect(watch.lines.slice(0, first)).toEqual(
      expect.arrayContaining(['Phase      progressing', 'Pods       stable 10 of 10 ready, canary 1 of 1 ready']),
    );
    const changes = watch.lines.slice(first);
    expect(changes.every((line) => line.startsWith('19:05:31  '))).toBe(true);
    expect(changes).toContain('19:05:31  Steps: 10 % → 50 % (now)');
    expect(changes).toContain('19:05:31  Phase: promoted');
    expect(changes.filter((line) => line.includes('Rollout:'))).toEqual([]);
    expect(new Set(changes).size).toBe(changes.length);
  });

  it('ends at once where nothing is on', async () => {
    const watch = watching(shop(), []);
    expect((await watchStatus(watch)).verdict.summary).toMatch(/There never was a rollout/);
    expect(watch.lines).toEqual([]);
  });

  it.each(['between two looks', 'in the middle of one'])('an interruption %s ends it well, with what was seen last', async (when) => {
    const kube = shop();
    await go(kube, start);
    const watch = watching(kube, [
      () => {
        if (when === 'between two looks') return watch.abort();
        kube.before = () => watch.abort() as undefined;
      },
    ]);
    expect((await watchStatus(watch)).state).toMatchObject({ phase: 'progressing', weight: 10 });
  });

  it('an interruption before anything was seen is one, and so is a failure', async () => {
    const kube = shop();
    await go(kube, start);
    const early = watching(kube, []);
    early.abort();
    await expect(watchStatus(early)).rejects.toThrow('cancelled by SIGINT');
    const failing = watching(kube, [
      () => {
        kube.before = () => {
          throw refusal('API_UNAVAILABLE', 503, 'gone');
        };
      },
    ]);
    await expect(watchStatus(failing)).rejects.toMatchObject({ reason: 'API_UNAVAILABLE' });
  });
});
