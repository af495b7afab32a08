import { describe, expect, it } from '@jest/globals';
import { createJudge } from '../src/index.js';

const bounds = [0.1, 0.2, 0.4];
const counts = (n: number, e: number, slow = 0.01) => ({ n, e, b: [n * (1 - slow), n * (1 - slow / 2), n] });
const plan = { window: 10, steps: [{ at: 0, weight: 10 }], bounds, end: 600, history: [] };

function judge(windows: number, stable = counts(900, 9), canary = counts(100, 1), final = true) {
  const one = createJudge({ judge: 'threshold' });
  let state = one.start(plan);
  for (let i = 1; i <= windows; i++) state = one.observe(state, { t: 10 * i, stable, canary });
  return one.judge(state, final);
}

describe('threshold judge', () => {
  it('passes what is within both limits after 300 s', () => {
    expect(judge(30)).toMatchObject({ verdict: 'pass', rollback: false });
  });

  it('fails an error rate more than 0.5 percentage points above', () => {
    expect(judge(60, counts(900, 9), counts(1000, 16))).toMatchObject({ verdict: 'fail', metric: 'errors', at: 300, rollback: true });
    expect(judge(60, counts(900, 9), counts(1000, 14)).verdict).toBe('pass');
  });

  it('fails a p99 more than 10 % above', () => {
    expect(judge(60, counts(900, 9), counts(1000, 10, 0.05))).toMatchObject({ verdict: 'fail', metric: 'latency' });
  });

  it('decides nothing before its time or without 100 requests of each track', () => {
    expect(judge(29, counts(900, 0), counts(100, 90), false)).toMatchObject({ verdict: 'inconclusive', rollback: false });
    expect(judge(60, counts(900, 9), counts(1, 1)).verdict).toBe('inconclusive');
    expect(judge(60, counts(1, 0), counts(900, 900)).verdict).toBe('inconclusive');
  });

  it('fails at the end of a step for what it would fail later, and passes nothing before its time', () => {
    expect(judge(2, counts(900, 0), counts(100, 58))).toMatchObject({ verdict: 'fail', metric: 'errors', at: 20, rollback: true });
    expect(judge(2, counts(900, 9), counts(1000, 10, 0.05))).toMatchObject({ verdict: 'fail', metric: 'latency' });
    expect(judge(2)).toMatchObject({ verdict: 'inconclusive', rollback: false });
    expect(judge(2, counts(900, 0), counts(49, 49)).verdict).toBe('inconclusive');
  });

  it('does not wait longer than the analysis is planned to last', () => {
    const one = createJudge({ judge: 'threshold' });
    let state = one.start({ ...plan, window: 1, end: 8 });
    for (let t = 1; t <= 8; t++) state = one.observe(state, { t, stable: counts(200, 0), canary: counts(50, 10) });
    expect(one.judge(state, true)).toMatchObject({ verdict: 'fail', at: 8 });
  });

  it('is nodata without complete windows, and cannot pass when most are incomplete', () => {
    const one = createJudge({ judge: 'threshold' });
    let state = one.start(plan);
    state = one.observe(state, { t: 10, stable: counts(900, 9), canary: null });
    expect(one.judge(state, true).verdict).toBe('nodata');
    state = one.observe(state, { t: 600, stable: counts(9000, 9), canary: counts(9000, 9) });
    state = one.observe(state, { t: 610, stable: null, canary: null });
    expect(one.judge(state, true).verdict).toBe('inconclusive');
  });
});
