import { describe, expect, it } from '@jest/globals';
import { inverseRegularisedBeta, logGamma, regularisedBeta } from '../src/beta.js';
import { lowerBound, upperBound } from '../src/clopper-pearson.js';

describe('beta functions', () => {
  it.each([
    [1, 0],
    [5, Math.log(24)],
    [0.5, Math.log(Math.sqrt(Math.PI))],
    [101, 363.73937555556347],
  ])('log Γ(%p)', (x, expected) => expect(logGamma(x)).toBeCloseTo(expected, 9));

  it.each([
    [0.5, 2, 3, 0.6875],
    [0.3, 5, 2, 0.010935],
    [0.1, 0.5, 0.5, (2 / Math.PI) * Math.asin(Math.sqrt(0.1))],
    [0.25, 1, 7, 1 - 0.75 ** 7],
    [0.9, 20, 1, 0.9 ** 20],
  ])('I_%p(%p, %p)', (x, a, b, expected) => expect(regularisedBeta(x, a, b)).toBeCloseTo(expected, 10));

  it('agrees with the normal limit for large parameters', () => {
    expect(regularisedBeta(0.5, 50_000, 50_000)).toBeCloseTo(0.5, 8);
    expect(regularisedBeta(0.01, 1_000, 99_000)).toBeCloseTo(0.504, 2);
  });

  it('is inverted', () => {
    for (const [p, a, b] of [
      [0.99, 1, 500],
      [0.05, 10, 91],
      [0.5, 3, 1e6],
    ] as const) {
      expect(regularisedBeta(inverseRegularisedBeta(p, a, b), a, b)).toBeCloseTo(p, 9);
    }
  });
});

describe('Clopper-Pearson bounds', () => {
  it('knows the textbook interval of 10 in 100 at 95 %', () => {
    expect(lowerBound(10, 100, 0.975)).toBeCloseTo(0.0490047, 6);
    expect(upperBound(10, 100, 0.975)).toBeCloseTo(0.1762226, 6);
  });

  it('has the closed form for no events, and says nothing without trials', () => {
    expect(upperBound(0, 100, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 100), 10);
    expect(upperBound(0, 0, 0.99)).toBe(1);
    expect(lowerBound(0, 0, 0.99)).toBe(0);
    expect(upperBound(7, 7, 0.99)).toBe(1);
  });
});
