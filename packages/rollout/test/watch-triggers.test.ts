import { describe, expect, it } from '@jest/globals';
import type { CounterSample, MetricsSource, TriggerConfig } from '@slipway/analysis';
import { OperationError } from '@slipway/core';
import { runCommand } from '../src/run-command.js';
import { watchTriggers } from '../src/watch-triggers.js';
import { deps, shop, type TestDeps, v2 } from './shop.js';

/** Requests per second and share of errors, by track, from `at` seconds on. */
interface Rates {
  stable: number;
  canary?: number;
  from?: number;
}

const bounds = [0.1, 1];

function source(run: TestDeps, rates: Rates, rps = 50): MetricsSource {
  const { clock } = run.context;
  const began = clock.now();
  const series = (track: 'stable' | 'canary') => {
    const seconds = (clock.now() - began) / 1000;
    const n = Math.round(seconds * rps);
    const e = Math.round(Math.max(0, seconds - (rates.from ?? 0)) * rps * (rates[track] ?? 0));
    return { id: track, track, startedAt: began - 1e6, counters: { n: n + 5000, e, b: [n + 5000, n + 5000] } };
  };
  return {
    name: 'steady',
    sample: async (): Promise<CounterSample> => ({
      at: clock.now(),
      bounds,
      series: rates.canary === undefined ? [series('stable')] : [series('stable'), series('canary')],
      problems: [],
    }),
  };
}

const triggers: TriggerConfig = { errorRate: { above: 0.05, for: 120_000 } };
const options = (run: TestDeps, rates: Rates, rps?: number) => ({
  source: () => source(run, rates, rps),
  triggers,
  duration: 300_000,
  interval: 10_000,
});

describe('watchTriggers', () => {
  it('fires after the limit was broken for its whole time, and not before', async () => {
    const run = deps(shop());
    const began = run.context.clock.now();
    const { fired, verdict, report } = await watchTriggers(run, options(run, { stable: 0.08 }));
    expect(fired?.trigger).toBe('error-rate');
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'TRIGGER_ERROR_RATE' });
    expect(run.context.clock.now() - began).toBe(120_000);
    expect(report).toMatch(/40 of 500 requests failed/);
  });

  it('does not fire below it', async () => {
    const run = deps(shop());
    const { fired, verdict } = await watchTriggers(run, options(run, { stable: 0.04 }));
    expect(fired).toBeUndefined();
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'WATCH_PASSED' });
  });

  it('says how long it watched in whole seconds', async () => {
    const run = deps(shop());
    const { verdict } = await watchTriggers(run, { ...options(run, { stable: 0 }), duration: 3_020, interval: 1_510 });
    expect(verdict.summary).toBe('No trigger fired in 3s.');
  });

  it('holds when nothing could be seen: that nothing fired means nothing', async () => {
    const run = deps(shop());
    const silent: MetricsSource = {
      name: 'silent',
      sample: async () => {
        throw new OperationError('no answer', { reason: 'API_UNAVAILABLE' });
      },
    };
    const { verdict } = await watchTriggers(run, { ...options(run, { stable: 0 }), source: () => silent });
    expect(verdict).toMatchObject({ outcome: 'hold', reason: 'NO_DATA' });
  });

  it('holds when metrics broke off after the first look', async () => {
    const run = deps(shop());
    const began = run.context.clock.now();
    const steady = source(run, { stable: 0 });
    const broken: MetricsSource = {
      name: 'broken',
      sample: async (signal) => {
        if (run.context.clock.now() - began > 30_000) throw new OperationError('no answer', { reason: 'API_UNAVAILABLE' });
        return steady.sample(signal);
      },
    };
    const { verdict } = await watchTriggers(run, { ...options(run, { stable: 0 }), source: () => broken });
    expect(verdict).toMatchObject({ outcome: 'hold', reason: 'NO_DATA' });
    expect(verdict.summary).toMatch(/3 of 30 looks/);
  });

  describe('while a canary is on', () => {
    async function during(rates: Rates) {
      const kube = shop();
      await runCommand(deps(kube), { kind: 'start', image: v2, version: null });
      const run = deps(kube);
      return watchTriggers(run, options(run, rates));
    }

    it('looks at the canary', async () => {
      expect((await during({ stable: 0, canary: 0.08 })).fired?.trigger).toBe('error-rate');
    });

    it('holds when stable is as bad: the release is not the cause', async () => {
      const { fired, verdict } = await during({ stable: 0.08, canary: 0.08 });
      expect(fired).toBeUndefined();
      expect(verdict).toMatchObject({ outcome: 'hold', reason: 'SHARED_INCIDENT' });
    });
  });
});
