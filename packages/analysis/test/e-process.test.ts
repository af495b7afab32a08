import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logGamma } from '../src/beta.js';
import { above, advance, betterThan, logEvidence, startMixture, worseThan } from '../src/e-process.js';
import { effectGrid, passGrid } from '../src/effect-grid.js';
import { startPrior, takeShare } from '../src/start-prior.js';

const rate = fc.double({ min: 0, max: 1, noNaN: true });

function binomialPmf(n: number, k: number, p: number): number {
  if (p === 0) return k === 0 ? 1 : 0;
  if (p === 1) return k === n ? 1 : 0;
  return Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log1p(-p));
}

function poissonPmf(mean: number, k: number): number {
  return mean === 0 ? Number(k === 0) : Math.exp(k * Math.log(mean) - mean - logGamma(k + 1));
}

/** The exact expectation of the likelihood ratio over all outcomes of one window. */
function expectation(increment: (eA: number, eB: number) => number, nA: number, pA: number, nB: number, pB: number): number {
  let sum = 0;
  for (let eA = 0; eA <= nA; eA++) {
    for (let eB = 0; eB <= nB; eB++) sum += binomialPmf(nA, eA, pA) * binomialPmf(nB, eB, pB) * Math.exp(increment(eA, eB));
  }
  return sum;
}

describe('likelihood ratios have expectation at most 1 under their null, exactly', () => {
  const sizes = { nA: fc.integer({ min: 0, max: 15 }), nB: fc.integer({ min: 0, max: 15 }) };

  it('fail side: every rate of stable, every canary within the tolerance, every alternative', () => {
    fc.assert(
      fc.property(
        fc.record({
          ...sizes,
          pA: rate,
          share: rate,
          tolerated: fc.double({ min: 1, max: 5, noNaN: true }),
          margin: rate,
          ratio: fc.double({ min: 1.01, max: 60, noNaN: true }),
        }),
        ({ nA, nB, pA, share, tolerated, margin, ratio }) => {
          const pB = Math.min(1, (tolerated * pA + margin) * share);
          const tolerance = { ratio: tolerated, margin };
          const log = (eA: number, eB: number) => worseThan(tolerance, { n: nA, e: eA }, { n: nB, e: eB })(ratio, Math.log(ratio));
          expect(expectation(log, nA, pA, nB, pB)).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
    );
  });

  it('pass side: every canary at least as bad as what is refused', () => {
    fc.assert(
      fc.property(
        fc.record({ ...sizes, pA: rate, more: rate, margin: rate, ratio: fc.constantFrom(...passGrid.ratio) }),
        ({ nA, nB, pA, more, margin, ratio }) => {
          const refused = { ratio: 2, margin };
          const least = 2 * pA + margin;
          fc.pre(least <= 1);
          const pB = least + (1 - least) * more;
          const log = (eA: number, eB: number) => betterThan(refused, { n: nA, e: eA }, { n: nB, e: eB })(ratio, Math.log(ratio));
          expect(expectation(log, nA, pA, nB, pB)).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
    );
  });

  it('one sample: every rate up to the fixed one', () => {
    fc.assert(
      fc.property(rate, rate, fc.double({ min: 1.01, max: 60, noNaN: true }), (limit, share, ratio) => {
        const log = (_: number, e: number) => above(limit, { n: 15, e })(ratio, Math.log(ratio));
        expect(expectation(log, 0, 0, 15, limit * share)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it.each([2, 3, 8])('tempered by φ, errors that come %p at a time keep it; untempered they break it', (size) => {
    const mean = 3;
    const [nA, nB] = [400, 100];
    const tolerance = { ratio: 1, margin: 0 };
    const expected = (burst: number) => {
      let sum = 0;
      for (let a = 0; a < 60; a++) {
        for (let b = 0; b < 40; b++) {
          const log = worseThan(tolerance, { n: nA, e: size * a }, { n: nB, e: size * b })(4, Math.log(4));
          sum += poissonPmf(4 * mean, a) * poissonPmf(mean, b) * Math.exp(log / burst);
        }
      }
      return sum;
    };
    expect(expected(size)).toBeLessThanOrEqual(1 + 1e-9);
    expect(expected(1)).toBeGreaterThan(1.1);
  });
});

describe('mixture', () => {
  const grid = effectGrid();

  it('is worth exactly 1 as long as nothing happened', () => {
    let prior = startPrior(5);
    let mixture = startMixture(grid, 0);
    for (let i = 0; i < 12; i++) {
      const { share, next } = takeShare(prior, i === 3);
      mixture = advance(mixture, grid, share, 1, () => 0);
      prior = next;
      expect(prior.spent).toBeLessThanOrEqual(1);
      expect(logEvidence(mixture, prior.spent)).toBeCloseTo(0, 10);
    }
  });

  it('equals the sum it stands for, term by term', () => {
    const windows = [
      { stable: { n: 900, e: 9 }, canary: { n: 100, e: 4 } },
      { stable: { n: 880, e: 7 }, canary: { n: 120, e: 9 } },
      { stable: { n: 450, e: 5 }, canary: { n: 450, e: 21 } },
    ];
    const tolerance = { ratio: 1.25, margin: 0.0002 };
    const increments = windows.map(({ stable, canary }) => worseThan(tolerance, stable, canary));
    let prior = startPrior(90);
    let mixture = startMixture(grid, 0);
    const shares: number[] = [];
    for (const [i, increment] of increments.entries()) {
      const { share, next } = takeShare(prior, i === 2);
      shares.push(share);
      mixture = advance(mixture, grid, share, 2, increment);
      prior = next;
    }
    let expected = 1 - prior.spent;
    for (const [k, ratio] of grid.ratio.entries()) {
      for (const [j, share] of shares.entries()) {
        const log = increments.slice(j).reduce((sum, increment) => sum + increment(ratio, Math.log(ratio)) / 2, 0);
        expected += (grid.prior[k] ?? 0) * share * Math.exp(log);
      }
    }
    expect(logEvidence(mixture, prior.spent)).toBeCloseTo(Math.log(expected), 10);
  });

  it('stays finite at a million errors a window, and recovers from overwhelming evidence of health', () => {
    const good = worseThan({ ratio: 1.25, margin: 0 }, { n: 1e8, e: 5e6 }, { n: 1e8, e: 1e3 });
    const bad = worseThan({ ratio: 1.25, margin: 0 }, { n: 1e8, e: 1e3 }, { n: 1e8, e: 5e6 });
    let prior = startPrior(10);
    let mixture = startMixture(grid, 0);
    for (const increment of [good, good, good, bad]) {
      const { share, next } = takeShare(prior, false);
      mixture = advance(mixture, grid, share, 1, increment);
      prior = next;
      expect(Number.isFinite(logEvidence(mixture, prior.spent))).toBe(true);
    }
    expect(logEvidence(mixture, prior.spent)).toBeGreaterThan(1000);
  });

  it('has priors that sum to 1', () => {
    for (const one of [grid, passGrid, effectGrid(1.6), effectGrid(8), effectGrid(0.5)]) {
      expect(one.prior.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 12);
      expect(one.ratio.every((ratio) => (one === passGrid ? ratio < 1 : ratio > 1))).toBe(true);
    }
  });
});
