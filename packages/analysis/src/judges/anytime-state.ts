import { OperationError } from '@slipway/core';
import type { StartPrior } from '../start-prior.js';
import type { Counts, WeightStep } from '../types.js';
import type { ErrorLimit } from './error-limit.js';
import type { PodWindow } from './pod-scope.js';
import type { Component, Signal } from './signal.js';

/** All that the anytime-valid judge knows: plain JSON, so that it can be stored between jobs and a re-run continues the same test. */
export interface AnytimeState {
  schema: 1;
  /** Seconds. */
  window: number;
  bounds: readonly number[];
  steps: readonly WeightStep[];
  prior: StartPrior;
  /** End of the last window, seconds. */
  last: number;
  signals: readonly Signal[];
  limit: ErrorLimit;
  /** Stable's counts from which latency bounds will be chosen; null: they are chosen. */
  scout: Counts | null;
  podWindows: readonly PodWindow[];
  totals: { stable: Counts; canary: Counts; warm: Counts };
  judged: number;
  dropped: number;
  /** Windows in a row without counts of both tracks, or without any of the canary's expected requests. */
  silent: number;
  /** Set once and for all when the evidence reaches its limit. */
  failure: Failure | null;
}

export interface Failure {
  /** Seconds. */
  at: number;
  metric: 'errors' | 'latency' | 'error-limit';
  component: Component | 'limit';
  /** Index of the signal; null for the limit. */
  signal: number | null;
  scope: string;
}

/** A stored state, checked for being one of this judge and of this version. */
export function asAnytimeState(state: unknown): AnytimeState {
  const schema = (state as { schema?: unknown } | null)?.schema;
  if (schema === 1 && Array.isArray((state as AnytimeState).signals)) return state as AnytimeState;
  throw new OperationError(
    `The stored evidence is not one that this version of the anytime-valid judge wrote (schema ${String(schema)}).`,
    {
      reason: 'EVIDENCE_UNREADABLE',
      next: ['Abort the rollout and start it again with this version, or finish it with the version that began it.'],
    },
  );
}
