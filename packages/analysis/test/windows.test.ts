import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CounterSample, type CounterSeries, type Counts, closeWindow, windowsOf } from '../src/index.js';

const origin = 1_000_000;
const counts = (n: number, e = 0, b: number[] = [n]): Counts => ({ n, e, b });
const stable = (id: string, counters: Counts, more: Partial<CounterSeries> = {}): CounterSeries => ({
  id,
  track: 'stable',
  startedAt: 0,
  counters,
  ...more,
});
const canary = (id: string, counters: Counts, more: Partial<CounterSeries> = {}): CounterSeries => ({
  ...stable(id, counters, more),
  track: 'canary',
});
const sample = (seconds: number, ...series: CounterSeries[]): CounterSample => ({
  at: origin + seconds * 1000,
  bounds: [0.1],
  series,
  problems: [],
});
const first = sample(0, stable('s', counts(1000, 10)), canary('c', counts(50, 1)));

describe('windows from cumulative counters', () => {
  it('are what each track grew by', () => {
    const second = sample(10, stable('s', counts(1900, 19, [1500])), canary('c', counts(150, 3, [120])));
    expect(closeWindow(first, second, origin)).toEqual({
      window: {
        t: 10,
        stable: counts(900, 9, [500]),
        canary: counts(100, 2, [70]),
        pods: [{ id: 'c', age: 1010, ...counts(100, 2, [70]) }],
      },
      problems: [],
    });
  });

  it('count a pod that started in between from zero, and one of unknown start from its second sample on', () => {
    const grown = stable('s', counts(1100, 10));
    const fresh = canary('new', counts(40, 2), { startedAt: origin + 5000, readyAt: origin + 8000 });
    expect(closeWindow(first, sample(10, grown, fresh), origin).window).toMatchObject({
      canary: counts(40, 2),
      pods: [{ id: 'new', age: 2 }],
    });
    const { startedAt: _, ...unknown } = fresh;
    const closed = closeWindow(first, sample(10, grown, unknown), origin);
    expect(closed.window?.canary).toBeNull();
    expect(closed.problems).toEqual(['new: no earlier counters to compare with; it counts from the next window on']);
    const old = { ...fresh, startedAt: origin - 60_000 };
    expect(closeWindow(first, sample(10, grown, old), origin).window?.canary).toBeNull();
  });

  it('count a restarted pod from zero', () => {
    const restarted = canary('c', counts(30, 3), { startedAt: origin + 4000 });
    expect(closeWindow(first, sample(10, stable('s', counts(1100, 10)), restarted), origin).window?.canary).toEqual(counts(30, 3));
    const before = sample(0, { id: 'c', track: 'canary', counters: counts(50, 1) });
    expect(closeWindow(before, sample(10, { id: 'c', track: 'canary', counters: counts(30, 3) }), origin).window).toEqual({
      t: 10,
      stable: null,
      canary: counts(30, 3),
    });
  });

  it('leave out pods that are gone', () => {
    const before = sample(0, stable('a', counts(100)), stable('b', counts(100)));
    expect(closeWindow(before, sample(10, stable('a', counts(170))), origin)).toMatchObject({
      window: { stable: counts(70), canary: null },
      problems: [],
    });
  });

  it.each<[string, Counts, RegExp]>([
    ['falls without a restart', counts(49, 1), /c: a counter fell without a restart; the canary track is dropped/],
    ['has fewer errors than before', counts(90, 0), /fell without a restart/],
    ['has fewer in a bucket', counts(90, 1, [10]), /fell without a restart/],
    ['is NaN', counts(Number.NaN, 1), /requests is NaN/],
    ['is negative', counts(90, -1), /errors is -1/],
    ['has more errors than requests', counts(90, 91), /91 errors in 90 requests/],
    ['has more in its buckets than requests', counts(90, 1, [99]), /99 requests in the latency buckets, 90 in all/],
    ['lost its buckets', counts(90, 1, []), /0 latency buckets for 1 bounds/],
  ])('are null, not zero, for a track whose counter %s', (_, after, problem) => {
    const closed = closeWindow(
      first,
      sample(10, stable('s', counts(1100, 10)), canary('c', after), canary('d', counts(5), { startedAt: origin + 1 })),
      origin,
    );
    expect(closed.window).toMatchObject({ stable: counts(100, 0), canary: null });
    expect(closed.problems.join()).toMatch(problem);
  });

  it('ignore a third track and a series that appears twice, and say so', () => {
    const odd = { ...canary('x', counts(5)), track: 'shadow' } as unknown as CounterSeries;
    const closed = closeWindow(
      first,
      sample(10, stable('s', counts(1100, 10)), odd, canary('c', counts(60, 1)), canary('c', counts(60, 1))),
      origin,
    );
    expect(closed.window?.canary).toBeNull();
    expect(closed.problems).toEqual([
      expect.stringContaining('"shadow" is neither stable nor canary'),
      expect.stringContaining('appears twice'),
    ]);
  });

  it('do not exist when time stood still or the buckets changed', () => {
    expect(closeWindow(first, { ...first }, origin)).toEqual({ window: null, problems: [expect.stringContaining('is not newer than')] });
    expect(closeWindow(first, { ...sample(10), at: Number.NaN }, origin).window).toBeNull();
    expect(closeWindow(first, { ...sample(10), bounds: [0.2] }, origin).problems[0]).toMatch(/buckets changed from \[0.1\] to \[0.2\]/);
  });

  it('begin with the first buckets that pods show', () => {
    const idle = { ...sample(0, canary('c', counts(0, 0, []))), bounds: [] };
    expect(closeWindow(idle, sample(10, canary('c', counts(7, 1))), origin).window?.canary).toEqual(counts(7, 1));
    const busy = { ...sample(0, canary('c', counts(3, 0, []))), bounds: [] };
    expect(closeWindow(busy, sample(10, canary('c', counts(7, 1))), origin).window).toBeNull();
  });

  it('add up to the whole growth, however the samples are spaced', () => {
    const steps = fc.array(fc.record({ wait: fc.integer({ min: 1, max: 30 }), n: fc.nat(1000), e: fc.nat(1000) }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, (all) => {
        let at = 0;
        let sum = counts(0);
        const samples = [sample(0, canary('c', sum))];
        for (const { wait, n, e } of all) {
          at += wait;
          sum = counts(sum.n + n, sum.e + Math.min(n, e));
          samples.push(sample(at, canary('c', sum)));
        }
        const { windows, problems } = windowsOf(samples, origin);
        expect(problems).toEqual([]);
        expect(windows.reduce((total, window) => total + (window.canary?.n ?? Number.NaN), 0)).toBe(sum.n);
        expect(windows.reduce((total, window) => total + (window.canary?.e ?? Number.NaN), 0)).toBe(sum.e);
      }),
    );
  });
});
