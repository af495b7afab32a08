import { errorRate, timedOf } from './counts.js';
import { percent } from './judges/explain.js';
import { latencyQuantile } from './quantile.js';
import type { Counts } from './types.js';

/** `triggers` of slipway.yml: absolute limits, times in milliseconds, percents as fractions. */
export interface TriggerConfig {
  errorRate?: { above: number; for: number };
  latencyP99?: { above: number; for: number };
  healthFailures?: { above: number; within: number };
  restarts?: { above: number; within: number };
  /** Windows with fewer requests say nothing of rates. Default 20. */
  minRequests?: number;
  /** Breaches that stable shares are held, not fired. Default true. */
  sharedIncidentGuard?: boolean;
}

const defaultTriggers = {
  errorRate: { above: 0.05, for: 120_000 },
  latencyP99: { above: 5_000, for: 300_000 },
  healthFailures: { above: 3, within: 60_000 },
  restarts: { above: 5, within: 300_000 },
  minRequests: 20,
  sharedIncidentGuard: true,
} as const satisfies Required<TriggerConfig>;

export type TriggerName = 'error-rate' | 'latency-p99' | 'health-failures' | 'restarts';

/** One closed window of what is watched. */
export interface TriggerWindow {
  /** End and length of the window, seconds. */
  t: number;
  length: number;
  bounds: readonly number[];
  /** What is watched (the canary, or the service after its promotion); null: the scrape is missing. */
  subject: Counts | null;
  /** Stable beside it, for the shared-incident guard; null: there is none. */
  reference: Counts | null;
  /** Failed health checks and container restarts in this window; null: not known. */
  healthFailures: number | null;
  restarts: number | null;
}

export interface Breach {
  trigger: TriggerName;
  /** `fire`: roll back. `hold`: stable breaches it as well, so the release is not the cause; tell a person. */
  action: 'fire' | 'hold';
  value: number;
  limit: number;
  explanation: string;
}

/** Plain JSON. */
export interface TriggerState {
  /** Seconds of observed breach in a row per rate trigger, and when it was last seen. */
  breaching: Record<'error-rate' | 'latency-p99', { seconds: number; last: number | null }>;
  /** Recent events, `[t, count]`. */
  healthFailures: [number, number][];
  restarts: [number, number][];
}

export function startTriggers(): TriggerState {
  return {
    breaching: { 'error-rate': { seconds: 0, last: null }, 'latency-p99': { seconds: 0, last: null } },
    healthFailures: [],
    restarts: [],
  };
}

/**
 * Adds one closed window and says which limits are breached. `for` counts observed time: windows with too few requests or none at all
 * neither advance nor reset it, and a silence longer than `for` itself makes the earlier windows stale, so it begins anew. Events (health
 * failures, restarts) are added up over the time that ends with this window.
 */
export function observeTriggers(
  state: TriggerState,
  window: TriggerWindow,
  config: TriggerConfig = {},
): { state: TriggerState; breaches: Breach[] } {
  const rules = { ...defaultTriggers, ...config };
  const errors = { name: 'error-rate', ...rules.errorRate, read: errorsIn, show: percent } as const;
  const latency = {
    name: 'latency-p99',
    above: rules.latencyP99.above / 1000,
    for: rules.latencyP99.for,
    read: p99In,
    show: seconds,
  } as const;
  const breaches: Breach[] = [];
  const breaching = { ...state.breaching };
  for (const rule of [errors, latency]) {
    const { timer, breach } = observeRate(breaching[rule.name], window, rule, rules);
    breaching[rule.name] = timer;
    if (breach) breaches.push(breach);
  }
  const healthFailures = recent(state.healthFailures, window, window.healthFailures, rules.healthFailures.within);
  const restarts = recent(state.restarts, window, window.restarts, rules.restarts.within);
  breaches.push(
    ...eventBreach('health-failures', healthFailures, rules.healthFailures),
    ...eventBreach('restarts', restarts, rules.restarts),
  );
  return { state: { breaching, healthFailures, restarts }, breaches };
}

interface RateRule {
  name: 'error-rate' | 'latency-p99';
  above: number;
  /** Milliseconds. */
  for: number;
  read(counts: Counts, bounds: readonly number[], minRequests: number): number | null;
  show(value: number): string;
}

type Timer = TriggerState['breaching']['error-rate'];

function observeRate(
  timer: Timer,
  window: TriggerWindow,
  rule: RateRule,
  rules: { minRequests: number; sharedIncidentGuard: boolean },
): { timer: Timer; breach: Breach | null } {
  const read = (counts: Counts | null) => (counts ? rule.read(counts, window.bounds, rules.minRequests) : null);
  const value = read(window.subject);
  if (value === null) return { timer, breach: null };
  if (!(value > rule.above)) return { timer: { seconds: 0, last: window.t }, breach: null };
  const stale = timer.last === null || window.t - window.length - timer.last > rule.for / 1000;
  const observed = (stale ? 0 : timer.seconds) + window.length;
  const next = { seconds: observed, last: window.t };
  if (observed * 1000 < rule.for - 1) return { timer: next, breach: null };
  const beside = read(window.reference);
  const shared = rules.sharedIncidentGuard && beside !== null && beside > rule.above;
  const explanation =
    `${rule.name} ${rule.show(value)}, above ${rule.show(rule.above)} for ${Math.round(observed)} s of observed time` +
    (shared ? `; stable is at ${rule.show(beside)}, so the release is not the cause` : '');
  return { timer: next, breach: { trigger: rule.name, action: shared ? 'hold' : 'fire', value, limit: rule.above, explanation } };
}

function errorsIn(counts: Counts, _bounds: readonly number[], minRequests: number): number | null {
  return counts.n >= minRequests ? errorRate(counts) : null;
}

/** A p99 beyond the last bucket is at least that bound; it breaches when the bound itself is at or above the limit. */
function p99In(counts: Counts, bounds: readonly number[], minRequests: number): number | null {
  if (timedOf(counts) < minRequests) return null;
  const found = latencyQuantile(counts, bounds, 0.99);
  return found === null ? null : found.seconds + (found.beyond ? 1e-6 : 0);
}

function seconds(value: number): string {
  return `${Number(value.toPrecision(3))} s`;
}

/** Events of windows that ended within the last `within` milliseconds. */
function recent(events: readonly [number, number][], window: TriggerWindow, count: number | null, within: number): [number, number][] {
  const all: [number, number][] = count === null || count <= 0 ? [...events] : [...events, [window.t, count]];
  return all.filter(([t]) => t > window.t - within / 1000 + 1e-9);
}

function eventBreach(trigger: TriggerName, events: readonly [number, number][], rule: { above: number; within: number }): Breach[] {
  const value = events.reduce((sum, [, count]) => sum + count, 0);
  if (value <= rule.above) return [];
  const explanation = `${value} ${trigger} within ${Math.round(rule.within / 1000)} s, more than ${rule.above}`;
  return [{ trigger, action: 'fire', value, limit: rule.above, explanation }];
}
