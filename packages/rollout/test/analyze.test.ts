import { describe, expect, it } from '@jest/globals';
import { type CounterSample, createJudge, type JudgeConfig, type MetricsSource } from '@slipway/analysis';
import { OperationError } from '@slipway/core';
import { type MemoryKube, memoryKube } from '../../cluster/test/memory-kube.js';
import { analysisReport } from '../src/analysis-report.js';
import { analyze } from '../src/analyze.js';
import type { ServicePod } from '../src/pods.js';
import { runCommand } from '../src/run-command.js';
import type { AnalyzeOptions } from '../src/step-analysis.js';
import { deps, find, imageOf, namespace, shop, stateOf, type TestDeps, target, v1, v2, weightOf } from './shop.js';

const bounds = [0.05, 0.1, 0.5];

interface Traffic {
  /** Requests per second and error rates of both tracks; latency: share of requests within each bound. */
  rps: { stable: number; canary: number };
  errors: { stable: number; canary: number };
  slow?: { stable: number; canary: number };
  /** Looks (from 0) that bring nothing. */
  missing?: (look: number) => boolean;
}

/** Counters that grow with the clock, as two pods would show them; also reads the pods, as a real source does. */
function steady(run: TestDeps, traffic: Traffic, pods: () => Promise<readonly ServicePod[]>): MetricsSource {
  const { clock } = run.context;
  const began = clock.now();
  let look = 0;
  const series = (track: 'stable' | 'canary') => {
    const n = Math.round(((clock.now() - began) / 1000) * traffic.rps[track]) + 1000;
    const slow = Math.round(n * (traffic.slow?.[track] ?? 0.01));
    return {
      id: track,
      track,
      startedAt: began - 600_000,
      counters: { n, e: Math.round((n - 1000) * traffic.errors[track]), b: [n - slow, n - Math.round(slow / 2), n] },
    };
  };
  return {
    name: 'steady',
    async sample(): Promise<CounterSample> {
      await pods();
      if (traffic.missing?.(look++)) throw new OperationError('no answer', { reason: 'API_UNAVAILABLE' });
      return { at: clock.now(), bounds, series: [series('stable'), series('canary')], problems: [] };
    },
  };
}

function options(run: TestDeps, traffic: Traffic, more: Partial<AnalyzeOptions> & { judge?: JudgeConfig } = {}): AnalyzeOptions {
  const { judge = { warmUp: 0 }, ...others } = more;
  return {
    watch: (pods) => ({ judge: createJudge(judge), source: steady(run, traffic, pods), window: 10_000, history: 0 }),
    policy: { onNodata: 'hold', onInconclusive: 'hold' },
    mode: 'enforce',
    ...others,
  };
}

const good: Traffic = { rps: { stable: 90, canary: 10 }, errors: { stable: 0.001, canary: 0.001 } };
const bad: Traffic = { rps: { stable: 90, canary: 10 }, errors: { stable: 0.001, canary: 0.06 } };

async function atTenPercent(): Promise<{ kube: MemoryKube; run: TestDeps }> {
  const kube = shop();
  await runCommand(deps(kube), { kind: 'start', image: v2, version: 'v2.0.0' });
  const run = deps(kube);
  // The step was in place just now.
  Object.assign(run.context.clock, { at: Date.parse(stateOf(kube).stepStartedAt ?? '') });
  return { kube, run };
}

describe('a good release', () => {
  it('is watched for the whole step, passes, and stays where it is', async () => {
    const { kube, run } = await atTenPercent();
    const { verdict, judgement } = await analyze(run, options(run, good));
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'ANALYSIS_PASSED' });
    expect(judgement?.windows).toEqual({ judged: 30, dropped: 0 });
    expect(weightOf(kube)).toBe(10);
    expect(stateOf(kube)).toMatchObject({ phase: 'progressing', evidence: { judge: 'anytime-valid', step: 0, watched: 30 } });
  });

  it('carries its evidence to the next step', async () => {
    const { kube, run } = await atTenPercent();
    await analyze(run, options(run, good));
    await runCommand(deps(kube, { holder: 'acme/shop/77/1/half' }), { kind: 'step' });
    const { judgement } = await analyze(run, options(run, { ...good, rps: { stable: 50, canary: 50 } }));
    expect(judgement?.windows.judged).toBe(90);
    expect(stateOf(kube).evidence).toMatchObject({ step: 1, watched: 60 });
  });
});

it('a canary that is counted by pods and gets no request: something routes past it', async () => {
  const kube = shop({ replicas: 4 });
  const replicas = { target: target('replicas') };
  await runCommand(deps(kube, replicas), { kind: 'start', image: v2, version: 'v2.0.0' });
  const run = deps(kube, replicas);
  Object.assign(run.context.clock, { at: Date.parse(stateOf(kube).stepStartedAt ?? '') });
  const { verdict, evidence } = await analyze(run, options(run, { ...good, rps: { stable: 90, canary: 0 } }));
  expect(verdict).toMatchObject({ outcome: 'hold', reason: 'NO_DATA' });
  expect(verdict.summary).toMatch(/at about 20 % \(10 % was asked\)/);
  expect(verdict.next?.[0]).toMatch(/no request though its pods are ready.*route Service shop.*traffic\.router/);
  expect(analysisReport(evidence)).toMatch(/\| 20 % \| 0 of 0 \|/);
});

describe('a release that fails requests', () => {
  it('is taken back long before the step is over', async () => {
    const { kube, run } = await atTenPercent();
    const began = run.context.clock.now();
    const said: string[] = [];
    run.context.progress = (words) => void said.push(words);
    const { verdict, evidence } = await analyze(run, options(run, bad));
    expect(verdict.outcome).toBe('fail');
    expect(verdict.reason).toMatch(/ERROR_RATE_WORSE|ERROR_LIMIT/);
    expect(run.context.clock.now() - began).toBeLessThan(60_000);
    expect(weightOf(kube)).toBe(0);
    expect(find(kube, 'shop-canary')).toBeUndefined();
    expect(imageOf(kube)).toBe(v1);
    expect(stateOf(kube)).toMatchObject({ phase: 'aborted', ended: { reason: verdict.reason } });
    expect(analysisReport(evidence)).toMatch(/\| 10 s \| 10 % \|.*\| \S+ [\d.e+]+ of [\d.]+ \|/);
    expect(said.at(-1)).toMatch(/evidence \S+ [\d.e+]+ of [\d.]+/);
    expect(said.join()).not.toMatch(/evidence.*%/);
  });

  it('is routed away from before anything else is done', async () => {
    const { kube, run } = await atTenPercent();
    kube.calls.length = 0;
    await analyze(run, options(run, bad));
    const writes = kube.writes().map(({ verb, plural }) => `${verb} ${plural}`);
    const routed = writes.indexOf('patch virtualservices');
    expect(writes.slice(0, routed).filter((write) => !write.endsWith('configmaps'))).toEqual([]);
  });

  it('is routed away from even when the state cannot be written, and the verdict stands', async () => {
    const { kube, run } = await atTenPercent();
    kube.before = ({ verb, plural, body }) => {
      const aborting = plural === 'configmaps' && JSON.stringify(body ?? '').includes('aborting');
      if (verb === 'patch' && aborting) throw new OperationError('no answer', { reason: 'API_UNAVAILABLE' });
      return undefined;
    };
    const { verdict } = await analyze(run, options(run, bad));
    expect(verdict.reason).toMatch(/ERROR_RATE_WORSE|ERROR_LIMIT/);
    expect(verdict.summary).toMatch(/All users were routed to .*v1, but the canary could not be put away: no answer/);
    expect(weightOf(kube)).toBe(0);
  });

  it('is only reported in mode observe', async () => {
    const { kube, run } = await atTenPercent();
    const { verdict, judgement } = await analyze(run, options(run, bad, { mode: 'observe' }));
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'OBSERVED_FAIL' });
    expect(judgement?.verdict).toBe('fail');
    expect(weightOf(kube)).toBe(10);
  });
});

it('a release that is slow is found', async () => {
  const { kube, run } = await atTenPercent();
  const { verdict } = await analyze(run, options(run, { ...good, slow: { stable: 0.01, canary: 0.3 } }));
  expect(verdict).toMatchObject({ outcome: 'fail', reason: 'LATENCY_WORSE' });
  expect(weightOf(kube)).toBe(0);
});

describe('nothing to see', () => {
  it.each([
    ['no requests', { ...good, rps: { stable: 0, canary: 0 } }],
    ['no metrics', { ...good, missing: () => true }],
  ])('%s: holds, moves nothing', async (_, traffic) => {
    const { kube, run } = await atTenPercent();
    const { verdict } = await analyze(run, options(run, traffic));
    expect(verdict).toMatchObject({ outcome: 'hold', reason: 'NO_DATA' });
    expect(weightOf(kube)).toBe(10);
  });

  it('goes back with `on-nodata: fail`', async () => {
    const { kube, run } = await atTenPercent();
    const { verdict } = await analyze(
      run,
      options(run, { ...good, missing: () => true }, { policy: { onNodata: 'fail', onInconclusive: 'hold' } }),
    );
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'NO_DATA' });
    expect(weightOf(kube)).toBe(0);
  });

  it.each([
    ['hold', 'hold', 10],
    ['continue', 'pass', 10],
    ['fail', 'fail', 0],
  ] as const)('too little to decide, `on-inconclusive: %s`: %s', async (onInconclusive, outcome, weight) => {
    const { kube, run } = await atTenPercent();
    const few = { ...good, rps: { stable: 9, canary: 1 } };
    const { verdict } = await analyze(run, options(run, few, { duration: 30_000, policy: { onNodata: 'hold', onInconclusive } }));
    expect(verdict.outcome).toBe(outcome);
    expect(weightOf(kube)).toBe(weight);
  });
});

describe('a run that ends in the middle', () => {
  it('is gone on with by the next, with the evidence so far', async () => {
    const { kube, run } = await atTenPercent();
    let looks = 0;
    const stop: Traffic = {
      ...good,
      missing: () => {
        looks += 1;
        if (looks === 12) throw new Error('killed');
        return false;
      },
    };
    await expect(analyze(run, options(run, stop))).rejects.toThrow('killed');
    expect(stateOf(kube).evidence?.watched).toBe(10);
    const { judgement } = await analyze(run, options(run, good));
    expect(judgement?.windows.judged).toBe(30);
  });

  it('by a cancellation sends users back and says so', async () => {
    const { kube, run } = await atTenPercent();
    const stop: Traffic = {
      ...good,
      missing: (look) => {
        if (look === 5) run.abort();
        return false;
      },
    };
    const { verdict } = await analyze(run, options(run, stop));
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'CANCELLED', next: [expect.stringMatching(/abort/)] });
    expect(weightOf(kube)).toBe(0);
    expect(stateOf(kube).phase).toBe('aborting');
  });

  it('goes on when somebody put a label on the ConfigMap', async () => {
    const { kube, run } = await atTenPercent();
    const label: Traffic = {
      ...good,
      missing: (look) => {
        const map = kube.at('configmaps', namespace, 'slipway-shop');
        if (look === 5) kube.put({ ...map, metadata: { ...map.metadata, labels: { team: 'shop' } } });
        return false;
      },
    };
    expect((await analyze(run, options(run, label))).verdict.reason).toBe('ANALYSIS_PASSED');
  });

  it('because somebody aborted meanwhile stops judging', async () => {
    const { kube, run } = await atTenPercent();
    const stop: Traffic = {
      ...good,
      missing: (look) => {
        if (look === 5)
          kube.put({
            ...kube.at('configmaps', namespace, 'slipway-shop'),
            data: { 'state.json': JSON.stringify({ ...stateOf(kube), phase: 'aborting' }) },
          });
        return false;
      },
    };
    await expect(analyze(run, options(run, stop))).rejects.toMatchObject({ reason: 'ROLLOUT_SUPERSEDED' });
  });
});

it('a canary whose pod restarts is taken back at once', async () => {
  const { kube, run } = await atTenPercent();
  const pod = (restartCount: number) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop-canary-1', namespace, labels: { app: 'shop', track: 'canary' } },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'web', ready: true, restartCount }],
    },
  });
  kube.put(pod(0));
  const crash: Traffic = {
    ...good,
    missing: (look) => {
      if (look === 2) kube.put(pod(1));
      return false;
    },
  };
  const { verdict } = await analyze(run, options(run, crash));
  expect(verdict).toMatchObject({ outcome: 'fail', reason: 'CANARY_UNHEALTHY' });
  expect(verdict.summary).toMatch(/shop-canary-1: restarted 1 time/);
  expect(weightOf(kube)).toBe(0);
});

it('a canary whose pods are all gone is taken back: its users meet nobody, and no metric tells', async () => {
  const { kube, run } = await atTenPercent();
  const pod = { name: 'shop-canary-1', namespace, labels: { app: 'shop', track: 'canary' } };
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  kube.put({ apiVersion: 'v1', kind: 'Pod', metadata: pod, status });
  const gone: Traffic = {
    ...good,
    missing: (look) => {
      if (look === 2) kube.put({ apiVersion: 'v1', kind: 'Pod', metadata: pod, status: { ...status, phase: 'Failed' } });
      return false;
    },
  };
  const { verdict } = await analyze(run, options(run, gone));
  expect(verdict).toMatchObject({ outcome: 'fail', reason: 'CANARY_UNHEALTHY' });
  expect(verdict.summary).toMatch(/none is left/);
  expect(weightOf(kube)).toBe(0);
});

describe('no step to analyse', () => {
  it('without a rollout', async () => {
    const kube = shop();
    const run = deps(kube);
    expect((await analyze(run, options(run, good))).verdict).toMatchObject({ outcome: 'fail', reason: 'NO_ROLLOUT' });
  });

  it('after the promotion: a re-run of the whole job is no failure', async () => {
    const { kube, run } = await atTenPercent();
    await runCommand(deps(kube), { kind: 'promote', version: null, weight: 100 });
    expect((await analyze(run, options(run, good))).verdict).toMatchObject({ outcome: 'skipped', reason: 'ALREADY_RELEASED' });
  });

  it('with rules that changed since it began', async () => {
    const { run } = await atTenPercent();
    const { verdict } = await analyze({ ...run, configHash: 'another' }, options(run, good));
    expect(verdict).toMatchObject({ outcome: 'error', reason: 'CONFIG_CHANGED' });
  });

  it('in a cluster where nothing may be read', async () => {
    const kube = memoryKube();
    kube.before = () => {
      throw new OperationError('may not get configmaps', { reason: 'FORBIDDEN' });
    };
    const run = deps(kube);
    await expect(analyze(run, options(run, good))).rejects.toMatchObject({ reason: 'FORBIDDEN' });
  });
});
