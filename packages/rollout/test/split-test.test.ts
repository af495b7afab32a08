import { describe, expect, it } from '@jest/globals';
import { binomialTail, splitVerdict } from '../src/split-test.js';

/** P(X = k) for k = 0…n, by Pascal's rule: slow, and with no formula in common with what is tested. */
function probabilities(n: number, p: number): number[] {
  let row = [1];
  for (let i = 0; i < n; i++) row = Array.from({ length: row.length + 1 }, (_, k) => (row[k] ?? 0) * (1 - p) + (row[k - 1] ?? 0) * p);
  return row;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('binomialTail', () => {
  it.each([
    [1, 0.5],
    [7, 0.01],
    [19, 0.5],
    [20, 0.3],
    [57, 0.9],
    [400, 0.1],
    [900, 0.99],
  ])('is the smaller sum of the two sides, for every k of n = %i, p = %f', (n, p) => {
    const exact = probabilities(n, p);
    for (let k = 0; k <= n; k++) {
      const sides = k <= n * p ? exact.slice(0, k + 1) : exact.slice(k);
      const expected = sum(sides);
      if (expected > 1e-250) expect(Math.abs(binomialTail(n, k, p) / expected - 1)).toBeLessThan(1e-6);
    }
  });

  it('stays a probability far out', () => {
    expect(binomialTail(1_000_000, 0, 0.5)).toBe(0);
    expect(binomialTail(5000, 50, 0.01)).toBeGreaterThan(0.5);
    expect(binomialTail(5000, 50, 0.01)).toBeLessThanOrEqual(1);
    expect(binomialTail(0, 0, 0.1)).toBe(1);
  });
});

describe('splitVerdict', () => {
  it.each([50, 120, 500, 1700, 5000])('calls a right split of %i requests wrong at most once in 1000 looks, whatever the weight', (n) => {
    for (let weight = 1; weight <= 99; weight += n > 1000 ? 14 : 1) {
      const p = weight / 100;
      // The probability of what `differs`, summed where it may: from both ends up to the first k that does not.
      let wrong = 0;
      for (let k = 0; k <= n && splitVerdict({ stable: n - k, canary: k }, weight) === 'differs'; k++) wrong = binomialTail(n, k, p);
      let high = 0;
      for (let k = n; k >= 0 && splitVerdict({ stable: n - k, canary: k }, weight) === 'differs'; k--) high = binomialTail(n, k, p);
      expect(wrong + high).toBeLessThanOrEqual(0.001);
    }
  });

  it('never takes nobody, or everybody, for a share', () => {
    for (let weight = 1; weight <= 99; weight++) {
      for (let n = 0; n <= 2000; n += n < 60 ? 1 : 37) {
        expect(splitVerdict({ stable: n, canary: 0 }, weight)).not.toBe('agrees');
        expect(splitVerdict({ stable: 0, canary: n }, weight)).not.toBe('agrees');
      }
    }
  });

  it.each([
    [1, 757],
    [5, 149],
    [10, 73],
    [50, 11],
    [90, 4],
  ])('at %i %% it is sure that nobody meets the canary after %i requests, and not one earlier', (weight, n) => {
    expect(splitVerdict({ stable: n, canary: 0 }, weight)).toBe('differs');
    expect(splitVerdict({ stable: n - 1, canary: 0 }, weight)).toBe('unknown');
  });

  it('sees half and double of 10 % within 1000 requests, nine times in ten', () => {
    for (const [share, n] of [
      [0.05, 1000],
      [0.2, 300],
    ] as const) {
      const missed = probabilities(n, share).filter((_, k) => splitVerdict({ stable: n - k, canary: k }, 10) !== 'differs');
      expect(sum(missed)).toBeLessThan(0.1);
    }
  });

  it('with 100 % a single request to stable is one too many', () => {
    expect(splitVerdict({ stable: 0, canary: 5 }, 100)).toBe('agrees');
    expect(splitVerdict({ stable: 0, canary: 4 }, 100)).toBe('unknown');
    expect(splitVerdict({ stable: 1, canary: 999 }, 100)).toBe('differs');
  });
});
