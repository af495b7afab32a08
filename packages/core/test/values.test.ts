import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { didYouMean, editDistance, formatDuration, formatPercent, parseDuration, parsePercent, suggestion } from '../src/index.js';

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['0.5s', 500],
    ['2d', 172_800_000],
    ['1m30s500ms', 90_500],
    ['0', 0],
    ['0s', 0],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', ' ', '90', '5 m', 'm', '5m5h', '5m5m', '-5m', '5M', '1e3s', '.5s', '5.s', '5m ', '٣m', '99999d', 'Infinitys', 'NaN'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('are written as they are read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
    expect([0, 1, 999, 1500, 90_400, 3_600_000, -5000].map(formatDuration)).toEqual([
      '0s',
      '1ms',
      '999ms',
      '1s500ms',
      '1m30s',
      '1h',
      '-5s',
    ]);
  });
});

describe('percentages', () => {
  it.each([
    ['0.5%', 0.005],
    ['0.07%', 0.0007],
    ['0.02%', 0.0002],
    ['5 %', 0.05],
    ['100%', 1],
    ['0.005', 0.005],
    ['0', 0],
    ['1e-7', 1e-7],
    ['150%', 1.5],
  ])('%s', (text, fraction) => {
    expect(parsePercent(text)).toBe(fraction);
  });

  it.each(['', '5', '1', '1.0', '-1%', '%', '5%%', 'NaN', '0,5%', '١%', '1e999%'])('%j is none', (text) => {
    expect(parsePercent(text)).toBeUndefined();
  });

  it('are written for people', () => {
    expect([0, 0.005, 0.0002, 0.00012345, 0.1, 0.12345, 1].map(formatPercent)).toEqual([
      '0%',
      '0.5%',
      '0.02%',
      '0.0123%',
      '10%',
      '12.35%',
      '100%',
    ]);
  });
});

describe('did you mean', () => {
  const names = ['version', 'previous', 'tag-prefix', 'start', 'step', 'status'];
  it.each([
    ['verison', 'version'],
    ['Version', 'version'],
    ['tagprefix', 'tag-prefix'],
    ['stat', 'start'],
    ['stpe', 'step'],
  ])('%s: %s', (typed, meant) => {
    expect(didYouMean(typed, names)).toBe(meant);
  });

  it.each(['kubernetes', '', 'xyz'])('nothing near %j', (typed) => {
    expect(didYouMean(typed, names)).toBeUndefined();
    expect(suggestion(typed, names)).toBe('');
  });

  it('counts a swap of neighbours once', () => {
    expect(editDistance('abcd', 'abdc')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
  });
});
