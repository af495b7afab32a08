import type { Phase, RolloutState } from '../src/state.js';
import { target, v1, v2 } from './shop.js';

export const now = '2026-11-22T19:00:00.000Z';

export function state(phase: Phase, overrides: Partial<RolloutState> = {}): RolloutState {
  return {
    schema: 1,
    id: 'shop-20261122T190000Z-4f2a',
    kind: 'canary',
    generation: 3,
    fencing: 1,
    phase,
    step: 0,
    weight: 10,
    intent: null,
    image: { from: v1, to: v2 },
    version: 'v2.0.0',
    replicas: 10,
    revision: { from: '1', to: null },
    snapshot: { name: 'slipway-shop-snapshot', sha256: 'abc' },
    traffic: null,
    evidence: null,
    target: target(),
    configHash: 'frozen',
    runUrl: null,
    stepBy: 'acme/shop/77/1/canary',
    startedAt: now,
    stepStartedAt: phase === 'progressing' ? now : null,
    finishedAt: null,
    ended: null,
    log: [],
    ...overrides,
  };
}
