import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createJudge, type Window } from '../src/index.js';

const bounds = [0.05, 0.1, 0.5, 1];

const counts = fc
  .record({ n: fc.integer({ min: 0, max: 100_000 }), e: fc.nat(), b: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }) })
  .map(({ n, e, b }) => ({
    n,
    e: Math.min(n, e),
    b: b.map((count) => Math.min(n, count)).sort((x, y) => x - y),
  }));
const broken = fc.constantFrom(
  { n: Number.NaN, e: 0, b: [0, 0, 0, 0] },
  { n: 5, e: Number.POSITIVE_INFINITY, b: [0, 0, 0, 0] },
  { n: -1, e: 0, b: [0, 0, 0, 0] },
  { n: 5, e: 0, b: [3, 2, 1, 0] },
  { n: 5, e: 0, b: [] },
);
const track = fc.oneof({ weight: 8, arbitrary: counts }, { weight: 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: broken });
const pods = fc.option(
  fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c', '__proto__'), age: fc.integer({ min: 0, max: 900 }), c: counts }), {
    maxLength: 4,
  }),
  { nil: undefined },
);
const windows = fc.array(fc.record({ stable: track, canary: track, pods }), { maxLength: 40 }).map((all) =>
  all.map(({ stable, canary, pods: some }, i): Window => {
    const window = { t: 10 * (i + 1), stable, canary };
    return some ? { ...window, pods: some.map(({ id, age, c }) => ({ id, age, ...c })) } : window;
  }),
);
const judges = fc.constantFrom('anytime-valid' as const, 'threshold' as const);
const plan = {
  window: 10,
  steps: [
    { at: 0, weight: 10, maxErrorRate: 0.01 },
    { at: 200, weight: 50 },
  ],
  bounds,
  end: 400,
  history: [],
};

function hasNonFinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNonFinite);
}

describe('whatever the windows hold', () => {
  it('neither state nor judgement holds NaN or an infinity, and no verdict is drawn from nothing', () => {
    fc.assert(
      fc.property(judges, windows, (name, all) => {
        const judge = createJudge({ judge: name, warmUp: 20_000 });
        let state = judge.start(plan);
        for (const window of all) state = judge.observe(state, window);
        const judgement = judge.judge(state, true);
        expect(hasNonFinite(state)).toBe(false);
        expect(hasNonFinite(judgement)).toBe(false);
        if (judgement.windows.judged === 0) expect(judgement.verdict).toBe('nodata');
        expect(judgement.rollback).toBe(judgement.verdict === 'fail');
      }),
      { numRuns: 200 },
    );
  });

  it('a state that went through JSON gives the same verdict', () => {
    fc.assert(
      fc.property(judges, windows, fc.nat(40), (name, all, cut) => {
        const judge = createJudge({ judge: name, warmUp: 20_000 });
        let kept = judge.start(plan);
        let stored = judge.start(plan);
        all.forEach((window, i) => {
          kept = judge.observe(kept, window);
          stored = judge.observe(i === cut ? JSON.parse(JSON.stringify(stored)) : stored, window);
        });
        expect(judge.judge(stored, true)).toEqual(judge.judge(kept, true));
      }),
      { numRuns: 100 },
    );
  });

  it('the order of pods does not matter, and observing changes no earlier state', () => {
    fc.assert(
      fc.property(windows, (all) => {
        const judge = createJudge({ warmUp: 20_000 });
        let state = judge.start(plan);
        let mirrored = judge.start(plan);
        for (const window of all) {
          const before = JSON.stringify(state);
          const next = judge.observe(state, window);
          expect(JSON.stringify(state)).toBe(before);
          state = next;
          mirrored = judge.observe(mirrored, window.pods ? { ...window, pods: [...window.pods].reverse() } : window);
        }
        expect(judge.judge(mirrored, true).verdict).toBe(judge.judge(state, true).verdict);
      }),
      { numRuns: 100 },
    );
  });

  it('more errors of the canary never lower the evidence against it', () => {
    const some = fc.record({ n: fc.integer({ min: 1, max: 1000 }), e: fc.nat(1000), more: fc.nat(1000), stable: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 20 }), (all) => {
        const judge = createJudge({ warmUp: 0, falseRollbackBudget: 0.0001 });
        const evidence = (extra: boolean) => {
          let state = judge.start({ ...plan, bounds: [] });
          all.forEach(({ n, e, more, stable }, i) => {
            const canary = { n, e: Math.min(n, e + (extra ? more : 0)), b: [] };
            state = judge.observe(state, { t: 10 * (i + 1), stable: { n: 1000, e: stable, b: [] }, canary });
          });
          const judgement = judge.judge(state, true);
          return judgement.verdict === 'fail' ? Number.POSITIVE_INFINITY : (judgement.evidence.errors?.evidence ?? Number.NaN);
        };
        expect(evidence(true)).toBeGreaterThanOrEqual(evidence(false) * (1 - 1e-9));
      }),
      { numRuns: 100 },
    );
  });
});
