import { describe, expect, it } from '@jest/globals';
import { createJudge, type JudgeConfig, type Judgement, type Window } from '../src/index.js';
import { replayTrace } from '../src/replay.js';
import { binomial, poisson, randomFrom, simulate, type World } from './simulate.js';

const at =
  (errors: number, median = 0.1) =>
  () => ({ errors, median });

/** How many of `runs` simulated rollouts end in each verdict. */
function verdicts(changes: Partial<World>, runs: number, config: JudgeConfig = {}) {
  const judge = createJudge(config);
  const results = Array.from({ length: runs }, (_, i) => replayTrace(simulate(i * 7919 + 13, changes), judge));
  const delays = results.flatMap((result) => (result.at === null ? [] : [result.at])).sort((x, y) => x - y);
  const count = (verdict: string) => results.filter((result) => result.verdict === verdict).length;
  return { fail: count('fail'), pass: count('pass'), inconclusive: count('inconclusive'), median: delays[delays.length >> 1], results };
}

describe('type-I error', () => {
  it.each([0.001, 0.01, 0.05])('stays within the budget of 5 %% at the edge of the tolerance, stable at %p', (stable) => {
    const judge = createJudge({ warmUp: 0 });
    const random = randomFrom(Math.round(1 / stable));
    const canary = 1.25 * stable + 0.0002;
    const runs = 500;
    let failed = 0;
    let total = 0;
    for (let run = 0; run < runs; run++) {
      let state = judge.start({ window: 10, steps: [{ at: 0, weight: 10 }], bounds: [], end: 900, history: [] });
      for (let t = 10; t <= 900; t += 10) {
        // The base rate drifts and the split changes: neither may matter.
        const base = stable * (1 + Math.sin(t / 150) / 2);
        const share = t > 450 ? 0.5 : 0.1;
        const [nA, nB] = [poisson(random, 1000 * (1 - share)), poisson(random, 1000 * share)];
        const worst = (canary - 0.0002) * (base / stable) + 0.0002;
        state = judge.observe(state, {
          t,
          stable: { n: nA, e: binomial(random, nA, base), b: [] },
          canary: { n: nB, e: binomial(random, nB, worst), b: [] },
        });
      }
      const judgement = judge.judge(state, true);
      if (judgement.verdict === 'fail') failed++;
      total += judgement.evidence.total?.evidence ?? Number.NaN;
    }
    expect(failed / runs).toBeLessThanOrEqual(0.05);
    // The mean of an e-process is at most 1 (its start), stopped or not.
    expect(total / runs).toBeLessThanOrEqual(1.3);
  });
});

describe('good releases are not rolled back', () => {
  it.each<[string, Partial<World>]>([
    ['base 0.1 %', { stable: at(0.001), canary: at(0.001) }],
    ['base 1 %', {}],
    ['5 requests a second', { rps: 5 }],
    ['a request every five seconds', { rps: 0.2 }],
    ['5 requests a second, no history', { rps: 5, history: 0 }],
    ['a dependency fails for both', { stable: outage, canary: outage }],
    ['a dependency fails for both, half of traffic', { stable: outage, canary: outage, steps: [{ at: 0, weight: 50 }] }],
    ['drift of both tracks over steps of different weight', { stable: drift, canary: drift }],
    ['30 % of scrapes missing', { rps: 20, missing: 0.3 }],
    ['cold start of 50 s', { canary: (t) => (t < 50 ? { errors: 0.04, median: 0.2 } : { errors: 0.01, median: 0.1 }) }],
    ['errors in groups of 8', { burst: 8 }],
    ['errors in groups of 8, little traffic', { burst: 8, rps: 5, history: 360 }],
  ])('%s', (_, changes) => {
    expect(verdicts(changes, 20).fail).toBe(0);
  });

  it('with little traffic ends undecided or passed, never failed', () => {
    const { fail, pass, inconclusive } = verdicts({ rps: 5 }, 20);
    expect({ fail, decidedOrNot: pass + inconclusive }).toEqual({ fail: 0, decidedOrNot: 20 });
    expect(inconclusive).toBeGreaterThan(0);
  });

  it('passes with enough traffic', () => {
    expect(verdicts({}, 20).pass).toBe(20);
  });

  it('lets cold pods of every step warm up by their age', () => {
    // New pods join at each step and fail four times as often for 50 s.
    const judge = createJudge();
    const random = randomFrom(5);
    let state = judge.start({
      window: 10,
      steps: [
        { at: 0, weight: 10 },
        { at: 300, weight: 40 },
      ],
      bounds: [],
      end: 600,
      history: [],
    });
    for (let t = 10; t <= 600; t += 10) {
      const born = t > 300 ? [0, 300, 300, 300] : [0];
      const pods = born.map((since, i) => ({
        id: `p${i}`,
        age: t - since,
        n: 250,
        e: binomial(random, 250, t - since <= 50 ? 0.04 : 0.01),
        b: [],
      }));
      const canary = { n: pods.length * 250, e: pods.reduce((sum, pod) => sum + pod.e, 0), b: [] };
      state = judge.observe(state, { t, stable: { n: 3000, e: binomial(random, 3000, 0.01), b: [] }, canary, pods });
    }
    expect(judge.judge(state, true).verdict).toBe('pass');
  });
});

describe('bad releases are found', () => {
  it.each<[string, Partial<World>, string, number]>([
    ['20 × 1 %', { canary: at(0.2) }, 'errors', 60],
    ['5 × 1 %', { canary: at(0.05) }, 'errors', 120],
    ['20 × 1 %, no history', { canary: at(0.2), history: 0 }, 'errors', 80],
    ['20 × 0.1 %', { stable: at(0.001), canary: at(0.02) }, 'errors', 130],
    ['5 × from minute 7 on', { canary: (t) => ({ errors: t > 420 ? 0.05 : 0.01, median: 0.1 }) }, 'errors', 460],
    ['latency + 100 %', { canary: at(0.01, 0.2) }, 'latency', 80],
    ['latency + 30 %', { canary: at(0.01, 0.13) }, 'latency', 240],
    ['5 × 1 % at 5 requests a second', { rps: 5, canary: at(0.05) }, 'errors', 600],
  ])('%s', (_, changes, metric, limit) => {
    const { fail, median, results } = verdicts(changes, 9);
    expect(fail).toBe(9);
    expect(median).toBeLessThanOrEqual(limit);
    expect(results.every((result) => result.metric === metric && result.scope === 'release')).toBe(true);
  });

  const fast = { rps: 250, window: 1, steps: [{ at: 0, weight: 10 }], end: 8, history: 0, sigma: 0.4 };
  const fastConfig = { warmUp: 2000, passMargin: 0.05 };

  it('in windows of one second: a fifth fails, in a handful of windows', () => {
    const { fail, median } = verdicts({ ...fast, stable: at(0.003, 0.01), canary: at(0.2, 0.01) }, 30, fastConfig);
    expect(fail).toBe(30);
    expect(median).toBeLessThanOrEqual(4);
  });

  it('in windows of one second: p99 doubled', () => {
    const { fail, median } = verdicts({ ...fast, stable: at(0.003, 0.01), canary: at(0.003, 0.02) }, 30, fastConfig);
    expect(fail).toBe(30);
    expect(median).toBeLessThanOrEqual(6);
  });

  it('in windows of one second: a good release at half of traffic passes', () => {
    const { pass, fail } = verdicts(
      { ...fast, steps: [{ at: 0, weight: 50 }], stable: at(0.003, 0.01), canary: at(0.003, 0.01) },
      30,
      fastConfig,
    );
    expect({ pass, fail }).toEqual({ pass: 30, fail: 0 });
  });

  it('tells one bad pod from a bad release', () => {
    const noisy = verdicts({ pods: 4, canary: (_, pod) => ({ errors: pod === 2 ? 0.06 : 0.01, median: 0.1 }) }, 20);
    expect(noisy.fail).toBe(20);
    expect(noisy.results.filter((result) => result.scope === 'pod:pod-2').length).toBeGreaterThanOrEqual(14);
    expect(noisy.results.filter((result) => !['pod:pod-2', 'release'].includes(result.scope))).toEqual([]);
    const all = verdicts({ pods: 4, canary: at(0.05) }, 20);
    expect(all.results.every((result) => result.scope === 'release')).toBe(true);
  });
});

describe('missing data', () => {
  const counts = (n: number, e: number) => ({ n, e, b: [] });
  const run = (windows: Omit<Window, 't'>[], config: JudgeConfig = { warmUp: 0 }, limit?: number): Judgement => {
    const judge = createJudge(config);
    const step = limit === undefined ? { at: 0, weight: 50 } : { at: 0, weight: 50, maxErrorRate: limit };
    let state = judge.start({ window: 10, steps: [step], bounds: [], end: windows.length * 10, history: [] });
    windows.forEach((window, i) => {
      state = judge.observe(state, { t: 10 * (i + 1), ...window });
    });
    return judge.judge(state, true);
  };
  const good = { stable: counts(1000, 5), canary: counts(1000, 5) };

  it.each<[string, Omit<Window, 't'>]>([
    ['nothing was read', { stable: null, canary: null }],
    ['stable is missing', { stable: null, canary: counts(1000, 5) }],
    ['the canary is missing', { stable: counts(1000, 5), canary: null }],
    ['the canary got no request', { stable: counts(1000, 5), canary: counts(0, 0) }],
    ['counts are NaN', { stable: counts(1000, 5), canary: counts(Number.NaN, 0) }],
    ['there are more errors than requests', { stable: counts(1000, 5), canary: counts(5, 6) }],
  ])('is nodata when %s', (_, window) => {
    const judgement = run(Array.from({ length: 30 }, () => window));
    expect(judgement).toMatchObject({ verdict: 'nodata', rollback: false });
  });

  it('does not pass a canary that fell silent', () => {
    const silent = { stable: counts(1000, 5), canary: counts(0, 0) };
    expect(run([...Array(30).fill(good)]).verdict).toBe('pass');
    expect(run([...Array(30).fill(good), silent, silent, silent]).verdict).toBe('inconclusive');
    expect(run([...Array(30).fill(good), ...Array(4).fill({ stable: null, canary: null })]).verdict).toBe('inconclusive');
  });

  it('does not pass when most windows are incomplete', () => {
    const windows = Array.from({ length: 60 }, (_, i) => (i % 3 === 2 ? good : { stable: null, canary: good.canary }));
    expect(run(windows).verdict).toBe('inconclusive');
  });

  describe('absolute limit of a step', () => {
    it('fails a canary far above it although stable is as bad', () => {
      const bad = { stable: counts(1000, 50), canary: counts(1000, 50) };
      expect(run(Array(10).fill(bad), undefined, 0.01)).toMatchObject({ verdict: 'fail', metric: 'error-limit', rollback: true });
    });

    it('holds when it is exceeded by what may be chance, and fails at the end when it is not', () => {
      const some = (e: number) => Array(3).fill({ stable: counts(1000, 12), canary: counts(1000, e) });
      expect(run(some(11), undefined, 0.01)).toMatchObject({ verdict: 'inconclusive', rollback: false });
      expect(run(some(15), undefined, 0.01)).toMatchObject({ verdict: 'fail', metric: 'error-limit' });
      expect(run(some(8), undefined, 0.01)).toMatchObject({ verdict: 'pass' });
    });

    it('is not contradicted by two errors in 200 requests, but doubted after four', () => {
      const some = (e: number) =>
        Array(3)
          .fill({ stable: counts(9000, 30), canary: counts(50, 0) })
          .concat({ stable: counts(9000, 30), canary: counts(50, e) });
      expect(run(some(2), { warmUp: 0, passMargin: 0.08 }, 0.01)).toMatchObject({ verdict: 'pass' });
      expect(run(some(4), { warmUp: 0, passMargin: 0.08 }, 0.01)).toMatchObject({ verdict: 'inconclusive' });
    });

    it('rarely fails a canary that keeps it', () => {
      const random = randomFrom(9);
      let failed = 0;
      for (let i = 0; i < 200; i++) {
        const windows = Array.from({ length: 30 }, () => ({
          stable: counts(1000, binomial(random, 1000, 0.008)),
          canary: counts(200, binomial(random, 200, 0.008)),
        }));
        if (run(windows, undefined, 0.01).verdict === 'fail') failed++;
      }
      expect(failed).toBeLessThanOrEqual(2);
    });

    it('begins anew with each step', () => {
      const judge = createJudge({ warmUp: 0 });
      let state = judge.start({ window: 10, steps: [{ at: 0, weight: 10, maxErrorRate: 0.05 }], bounds: [], end: 100, history: [] });
      const window = (t: number, e: number) => ({ t, stable: counts(1000, e), canary: counts(1000, e) });
      for (let t = 10; t <= 50; t += 10) state = judge.observe(state, window(t, 30));
      expect(judge.judge(state, true).verdict).toBe('pass');
      state = judge.step(state, { at: 50, weight: 50, maxErrorRate: 0.01 });
      for (let t = 60; t <= 100; t += 10) state = judge.observe(state, window(t, 30));
      expect(judge.judge(state, true)).toMatchObject({ verdict: 'fail', metric: 'error-limit' });
    });
  });
});

describe('configuration', () => {
  it('names every value that makes no sense', () => {
    expect(() => createJudge({ falseRollbackBudget: 0, maxErrorRatio: 0.5, passMargin: 0.0001 })).toThrow(
      /false-rollback-budget.*max-error-ratio.*pass-margin/,
    );
  });

  it('refuses evidence of another version', () => {
    const judge = createJudge();
    expect(() => judge.judge({ schema: 2 }, true)).toThrow(/schema 2/);
    expect(() => judge.observe(null, { t: 1, stable: null, canary: null })).toThrow(/not one that this version/);
  });
});

function outage(t: number) {
  return { errors: t > 200 && t < 440 ? 0.2 : 0.01, median: 0.1 };
}

function drift(t: number) {
  const part = Math.max(0, t) / 900;
  return { errors: 0.01 + 0.03 * part, median: 0.1 * (1 + part / 2) };
}
