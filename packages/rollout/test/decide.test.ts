import { describe, expect, it } from '@jest/globals';
import { type Routing, sameRouting, stableAlone } from '@slipway/cluster';
import fc from 'fast-check';
import { type Change, decide, type Memory, type Observed, type RouterRules } from '../src/decide.js';
import type { Phase } from '../src/state.js';
import { v1, v2 } from './shop.js';
import { state } from './states.js';

const istio: RouterRules = {
  kind: 'istio',
  capacity: ({ weight }, replicas) => ({ stable: replicas, canary: Math.ceil((weight * replicas) / 100) }),
};
const byPods: RouterRules = {
  kind: 'replicas',
  capacity: ({ weight }, replicas) => ({
    canary: Math.round((weight * replicas) / 100),
    stable: replicas - Math.round((weight * replicas) / 100),
  }),
};
const share = (weight: number) => ({ weight, mirror: 0, match: false });
const fresh: Memory = {
  routed: null,
  verified: false,
  prepared: false,
  admitted: false,
  measured: false,
  drained: false,
  tidy: false,
  putAway: false,
};
const done: Memory = { ...fresh, routed: share(0), verified: true, drained: true, tidy: true };

const stable = { image: v1, replicas: 10, ready: true, tracked: true };
const canary = { image: v2, replicas: 1, ready: true };
const world = (part: Partial<Observed>): Observed => ({ stable, canary, scaler: null, split: { ...share(0), settled: true }, ...part });

const next = (phase: Phase, seen: Partial<Observed>, memory = fresh, router = istio, more = {}) =>
  decide(state(phase, { stepStartedAt: null, ...more }), world(seen), router, memory);

describe('towards a step', () => {
  it.each<[string, Partial<Observed>, Memory, Change]>([
    ['marks the pods of an adopted Deployment', { stable: { ...stable, tracked: false } }, fresh, { change: 'adopt-stable' }],
    ['makes the canary', { canary: null }, fresh, { change: 'scale-canary', image: v2, replicas: 1 }],
    [
      'gives a left-over canary the new image',
      { canary: { ...canary, image: v1 } },
      fresh,
      { change: 'scale-canary', image: v2, replicas: 1 },
    ],
    ['scales it up before routing', { canary: { ...canary, replicas: 0 } }, fresh, { change: 'scale-canary', image: v2, replicas: 1 }],
    ['waits until it is ready', { canary: { ...canary, ready: false } }, fresh, { change: 'await-canary' }],
    ['then routes', {}, fresh, { change: 'route', routing: share(10) }],
    ['reads back what was set', {}, { ...fresh, routed: share(10) }, { change: 'verify-route', routing: share(10) }],
    [
      'reads back what an earlier run set',
      { split: { ...share(10), settled: true } },
      fresh,
      { change: 'verify-route', routing: share(10) },
    ],
    ['then rests', {}, { ...fresh, routed: share(10), verified: true }, { change: 'rest', phase: 'progressing' }],
    ['keeps more pods than it needs', { canary: { ...canary, replicas: 5 } }, fresh, { change: 'route', routing: share(10) }],
  ])('%s', (_, seen, memory, change) => {
    expect(next('starting', seen, memory)).toEqual(change);
    expect(next('progressing', seen, memory)).toEqual(change);
  });

  it('takes the snapshot once stable is ready', () => {
    expect(next('starting', { canary: null }, fresh, istio, { snapshot: null })).toEqual({ change: 'take-snapshot' });
    expect(next('starting', { canary: null, stable: { ...stable, ready: false } }, fresh, istio, { snapshot: null })).toEqual({
      change: 'await-stable',
    });
  });
});

describe('towards the promotion', () => {
  const updated = { ...stable, image: v2 };
  it.each<[string, Partial<Observed>, Memory, Change]>([
    ['updates stable first', {}, fresh, { change: 'update-stable', image: v2 }],
    ['waits for it', { stable: { ...updated, ready: false } }, fresh, { change: 'await-stable' }],
    [
      'then routes everybody to it',
      { stable: updated, split: { ...share(50), settled: true } },
      fresh,
      { change: 'route', routing: share(0) },
    ],
    ['drains', { stable: updated }, { ...fresh, routed: share(0), verified: true }, { change: 'drain' }],
    ['removes the canary', { stable: updated }, done, { change: 'remove-canary' }],
    ['rests', { stable: updated, canary: null }, done, { change: 'rest', phase: 'promoted' }],
    [
      'stops at an image of somebody else',
      { stable: { ...stable, image: 'other' } },
      fresh,
      { change: 'refuse-foreign-image', image: 'other' },
    ],
  ])('%s', (_, seen, memory, change) => expect(next('promoting', seen, memory)).toEqual(change));

  it('brings stable to its full number first where pods are the route', () => {
    expect(next('promoting', { stable: { ...updated, replicas: 5 } }, fresh, byPods)).toEqual({ change: 'scale-stable', replicas: 10 });
    expect(next('promoting', { stable: { ...updated, replicas: 5 } }, fresh, istio)).not.toMatchObject({ change: 'scale-stable' });
  });
});

describe('back', () => {
  it.each<[string, Partial<Observed>, Memory, Change]>([
    ['routes first', { split: { ...share(50), settled: true } }, fresh, { change: 'route', routing: share(0) }],
    ['reads back', { split: { ...share(0), settled: true } }, fresh, { change: 'verify-route', routing: share(0) }],
    [
      'restores stable when a promotion had begun',
      { stable: { ...stable, image: v2 } },
      { ...fresh, routed: share(0), verified: true },
      { change: 'restore-stable', image: v1 },
    ],
    [
      'leaves an image of somebody else',
      { stable: { ...stable, image: 'other' } },
      { ...fresh, routed: share(0), verified: true },
      { change: 'drain' },
    ],
    ['removes the canary', {}, done, { change: 'remove-canary' }],
    ['sees stable serve', { canary: null, stable: { ...stable, ready: false } }, done, { change: 'await-stable' }],
    ['rests', { canary: null }, done, { change: 'rest', phase: 'aborted' }],
  ])('%s', (_, seen, memory, change) => expect(next('aborting', seen, memory)).toEqual(change));

  it('takes a promoted release back without a router', () => {
    const seen = { canary: null, split: null };
    expect(next('undoing', { ...seen, stable: { ...stable, image: v2 } })).toEqual({ change: 'restore-stable', image: v1 });
    expect(next('undoing', { ...seen, stable: { ...stable, ready: false } })).toEqual({ change: 'await-stable' });
    expect(next('undoing', seen)).toEqual({ change: 'rest', phase: 'undone' });
  });
});

const anyWorld = fc.record({
  stable: fc.record({
    image: fc.constantFrom(v1, v2, 'other'),
    replicas: fc.integer({ min: 0, max: 10 }),
    ready: fc.boolean(),
    tracked: fc.boolean(),
  }),
  canary: fc.option(fc.record({ image: fc.constantFrom(v1, v2), replicas: fc.integer({ min: 0, max: 10 }), ready: fc.boolean() })),
  split: fc.record({
    weight: fc.constantFrom(0, 9.09, 10, 50),
    mirror: fc.constantFrom(0, 10),
    match: fc.boolean(),
    settled: fc.boolean(),
  }),
  scaler: fc.constantFrom(null, { min: 2 }, { min: 10 }),
});
const anyRouting = fc.record({ weight: fc.constantFrom(0, 10, 50), mirror: fc.constantFrom(0, 10), match: fc.boolean() });
const anyMemory = fc.record({
  routed: fc.option(anyRouting),
  verified: fc.boolean(),
  prepared: fc.boolean(),
  admitted: fc.boolean(),
  putAway: fc.boolean(),
  measured: fc.boolean(),
  drained: fc.boolean(),
  tidy: fc.boolean(),
});
const anyPhase = fc.constantFrom<Phase>('starting', 'progressing', 'promoting', 'aborting', 'undoing');
const anyRouter = fc.constantFrom(istio, byPods);

const isNobody = (routing: Routing | null) => routing !== null && sameRouting(routing, stableAlone);

describe('whatever is there', () => {
  it('removes or drains a canary only after its weight was seen to be 0', () => {
    fc.assert(
      fc.property(anyPhase, anyWorld, anyMemory, anyRouter, (phase, seen, memory, router) => {
        const { change } = decide(state(phase), seen, router, memory);
        if (change === 'remove-canary' || change === 'drain') return isNobody(memory.routed) && memory.verified;
        return true;
      }),
    );
  });

  it('routes users only to a ready canary of the new image with its capacity', () => {
    fc.assert(
      fc.property(anyPhase, anyWorld, anyMemory, anyRouter, (phase, seen, memory, router) => {
        const change = decide(state(phase), seen, router, memory);
        if (change.change !== 'route' || isNobody(change.routing)) return true;
        return (
          seen.canary?.ready === true && seen.canary.image === v2 && seen.canary.replicas >= router.capacity(change.routing, 10).canary
        );
      }),
    );
  });

  it('never touches stable on the way back before users are off the canary', () => {
    fc.assert(
      fc.property(anyWorld, anyMemory, anyRouter, (seen, memory, router) => {
        const { change } = decide(state('aborting'), seen, router, memory);
        return change !== 'restore-stable' || (isNobody(memory.routed) && memory.verified);
      }),
    );
  });

  it('comes to rest when each change does what it says', () => {
    fc.assert(
      fc.property(anyPhase, anyWorld, anyRouter, (phase, start, router) => {
        let seen: Observed = { ...start, stable: { ...start.stable, image: start.stable.image === 'other' ? v1 : start.stable.image } };
        let memory = fresh;
        for (let changes = 0; changes < 20; changes++) {
          const change = decide(state(phase), seen, router, memory);
          if (change.change === 'rest') return true;
          ({ seen, memory } = play(change, seen, memory));
        }
        return false;
      }),
    );
  });
});

/** A world that does as it is told. */
function play(change: Change, seen: Observed, memory: Memory): { seen: Observed; memory: Memory } {
  const withStable = (part: Partial<Observed['stable']>) => ({ seen: { ...seen, stable: { ...seen.stable, ...part } }, memory });
  switch (change.change) {
    case 'adopt-stable':
      return withStable({ tracked: true, ready: false });
    case 'scale-canary':
      return { seen: { ...seen, canary: { image: change.image, replicas: change.replicas, ready: false } }, memory };
    case 'await-canary':
      return { seen: { ...seen, canary: seen.canary && { ...seen.canary, ready: true } }, memory };
    case 'await-stable':
      return withStable({ ready: true });
    case 'scale-stable':
      return withStable({ replicas: change.replicas, ready: false });
    case 'update-stable':
    case 'restore-stable':
      return withStable({ image: change.image, ready: false });
    case 'route':
      return {
        seen: { ...seen, split: { ...change.routing, settled: false } },
        memory: { ...memory, routed: change.routing, verified: false },
      };
    case 'verify-route':
      return { seen, memory: { ...memory, routed: change.routing, verified: true } };
    case 'measure-split':
      return { seen, memory: { ...memory, measured: true } };
    case 'ask-gate':
      return { seen, memory: { ...memory, admitted: true } };
    case 'raise-floor':
      return { seen: { ...seen, scaler: { min: change.replicas } }, memory };
    case 'drain':
      return { seen, memory: { ...memory, drained: true } };
    case 'remove-canary':
      return { seen: { ...seen, canary: null }, memory };
    default:
      return { seen, memory };
  }
}
