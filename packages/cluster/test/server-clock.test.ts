import { describe, expect, it } from '@jest/globals';
import { serverClock } from '../src/server-clock.js';

const server = Date.parse('2026-11-22T19:00:00Z');
const date = new Date(server).toUTCString();

function clockThatShows(now: number) {
  const skews: number[] = [];
  const own = { now: () => now, sleep: async () => undefined };
  return { clock: serverClock(own, (ms) => skews.push(ms)), skews };
}

describe('serverClock', () => {
  it.each([
    ['the same', 0],
    ['a second of rounding', 900],
    ['four seconds behind', -4_000],
  ])('keeps its own time while nothing is told and when the difference is %s', (_, off) => {
    const { clock, skews } = clockThatShows(server + off);
    expect(clock.now()).toBe(server + off);
    clock.observe(date, server + off);
    expect(clock.now()).toBe(server + off);
    expect(skews).toEqual([]);
  });

  it('shows the server’s time when ten minutes behind or ahead, to the second, and says so once', () => {
    for (const off of [-600_000, 600_000]) {
      const { clock, skews } = clockThatShows(server + off);
      clock.observe(date, server + off);
      expect(Math.abs(clock.now() - server)).toBeLessThanOrEqual(1_000);
      clock.observe(new Date(server + 3_600_000).toUTCString(), server + off);
      expect(Math.abs(clock.now() - server)).toBeLessThanOrEqual(1_000);
      expect(skews).toHaveLength(1);
      expect(Math.sign(skews[0] ?? 0)).toBe(Math.sign(off));
    }
  });

  it('does not take a slow answer for a difference', () => {
    const { clock } = clockThatShows(server + 20_000);
    clock.observe(date, server - 500);
    expect(clock.now()).toBe(server + 20_000);
  });

  it('goes on by its own time when the header is none', () => {
    const { clock } = clockThatShows(server);
    clock.observe(undefined, server);
    clock.observe('soon', server);
    expect(clock.now()).toBe(server);
  });
});
