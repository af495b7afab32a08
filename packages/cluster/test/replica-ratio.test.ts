import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { closestCounts, shareOf } from '../src/traffic/replica-ratio.js';

interface Case {
  replicas: number;
  weight: number;
  maxWeight: number;
  maxSurge: number;
  expCanary: number;
  expStable: number;
}

const { approximateWeighted }: { approximateWeighted: Case[] } = JSON.parse(
  readFileSync(new URL('fixtures/argo-replica-ratio-cases.json', import.meta.url), 'utf8'),
);

describe('closestCounts', () => {
  it('knows all 57 cases', () => expect(approximateWeighted).toHaveLength(57));

  it.each(approximateWeighted)('gives $expCanary/$expStable for $replicas replicas at $weight % with surge $maxSurge', (row) => {
    expect(row.maxWeight).toBe(100);
    expect(closestCounts(row.replicas, row.weight, row.maxSurge > 0)).toEqual({ canary: row.expCanary, stable: row.expStable });
  });

  it('never empties a track between 1 and 99 % when two pods may run, and never runs more than one pod extra', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 99 }), fc.boolean(), (replicas, weight, surge) => {
        const { canary, stable } = closestCounts(replicas, weight, surge);
        expect(canary + stable).toBeGreaterThanOrEqual(replicas);
        expect(canary + stable).toBeLessThanOrEqual(replicas + (surge ? 1 : 0));
        if (replicas + (surge ? 1 : 0) > 1) expect(Math.min(canary, stable)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('is within half a pod of the wanted share when many pods run', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 500 }), fc.integer({ min: 2, max: 98 }), (replicas, weight) => {
        expect(Math.abs(shareOf(closestCounts(replicas, weight, false)) - weight)).toBeLessThanOrEqual(100 / replicas + 1);
      }),
    );
  });
});

describe('shareOf', () => {
  it('is 0 when nothing runs', () => expect(shareOf({ canary: 0, stable: 0 })).toBe(0));
});
