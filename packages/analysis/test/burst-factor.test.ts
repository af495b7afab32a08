import { describe, expect, it } from '@jest/globals';
import { burstFactor, chiSquareQuantile } from '../src/burst-factor.js';
import { binomial, poisson, randomFrom } from './simulate.js';

function history(seed: number, burst: number, windows = 200) {
  const random = randomFrom(seed);
  return Array.from({ length: windows }, () => ({
    n: 1000,
    e: burst * (burst > 1 ? poisson(random, 10 / burst) : 1) * (burst > 1 ? 1 : binomial(random, 1000, 0.01)),
  }));
}

describe('burst factor', () => {
  it('is 1 for independent errors, but for the 1 % that the test allows', () => {
    const factors = Array.from({ length: 300 }, (_, seed) => burstFactor(history(seed, 1)));
    expect(factors.filter((factor) => factor > 1).length).toBeLessThanOrEqual(10);
  });

  it('covers the true size of bursts nearly always', () => {
    const factors = Array.from({ length: 100 }, (_, seed) => burstFactor(history(seed, 8)));
    expect(factors.filter((factor) => factor >= 8).length).toBeGreaterThanOrEqual(90);
    expect(Math.max(...factors)).toBeLessThan(16);
  });

  it('says what it was told to say when too little happened', () => {
    expect(burstFactor([])).toBe(1);
    expect(burstFactor([{ n: 1000, e: 0 }], 3)).toBe(3);
    expect(burstFactor(history(1, 1, 3), 3)).toBe(3);
  });

  it.each([
    [-1.645, 3, 0.352],
    [2.326, 3, 11.345],
    [2.326, 30, 50.892],
    [-1.645, 100, 77.929],
  ])('χ² quantile at z = %p with %p degrees', (z, degrees, expected) => {
    expect(Math.abs(chiSquareQuantile(z, degrees) / expected - 1)).toBeLessThan(0.08);
  });
});
