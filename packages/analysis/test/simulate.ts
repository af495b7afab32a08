import type { Trace } from '../src/trace-format.js';
import type { Counts, PodCounts, WeightStep, Window } from '../src/types.js';

// Looked up once: inside jest's sandbox each use of a global is slow, and a rollout draws tens of thousands of numbers.
const { abs, cos, exp, floor, imul, log, log1p, max, min, PI, round, sqrt } = Math;

/** A small seeded generator (mulberry32): the same seed gives the same rollout on every machine. */
export function randomFrom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = imul(a ^ (a >>> 15), a | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normal(random: () => number): number {
  return sqrt(-2 * log(1 - random())) * cos(2 * PI * random());
}

/** Poisson variable: by multiplication below 30, by its normal approximation above. */
export function poisson(random: () => number, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 30) return max(0, round(mean + sqrt(mean) * normal(random)));
  const limit = exp(-mean);
  let k = 0;
  for (let product = random(); product > limit; product *= random()) k++;
  return k;
}

/** Binomial variable: by the normal approximation where it is good, else by geometric gaps, so that rare events cost little. */
export function binomial(random: () => number, n: number, p: number): number {
  if (p <= 0 || n <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  const mean = n * p;
  if (mean > 15) return min(n, max(0, round(mean + sqrt(mean * (1 - p)) * normal(random))));
  const gap = log1p(-p);
  let count = 0;
  for (let at = floor(log(1 - random()) / gap); at < n; at += 1 + floor(log(1 - random()) / gap)) count++;
  return count;
}

/** How one track behaves at time `t` (seconds). */
export interface Behaviour {
  errors: number;
  /** Median latency in seconds; log-normal with `sigma`. */
  median: number;
}

export interface World {
  rps: number;
  window: number;
  steps: WeightStep[];
  end: number;
  /** Windows of stable's past. */
  history: number;
  sigma: number;
  bounds: number[];
  /** Errors come in groups of this many. */
  burst: number;
  /** Share of scrapes that are missing. */
  missing: number;
  pods: number;
  stable(t: number): Behaviour;
  canary(t: number, pod: number): Behaviour;
}

export const prometheusBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** 15 minutes at 5, 20 and 50 %, 100 requests a second, 1 % errors, p50 100 ms: a good release unless something is changed. */
export function world(changes: Partial<World> = {}): World {
  const healthy = () => ({ errors: 0.01, median: 0.1 });
  return {
    rps: 100,
    window: 10,
    steps: [
      { at: 0, weight: 5 },
      { at: 300, weight: 20 },
      { at: 600, weight: 50 },
    ],
    end: 900,
    history: 120,
    sigma: 0.6,
    bounds: prometheusBounds,
    burst: 1,
    missing: 0,
    pods: 0,
    stable: healthy,
    canary: healthy,
    ...changes,
  };
}

export function simulate(seed: number, changes: Partial<World> = {}, id = `seed-${seed}`): Trace {
  const it = world(changes);
  const random = randomFrom(seed);
  const past = it.stable(-1);
  const history = Array.from({ length: it.history }, () => draw(random, it, it.rps * it.window, past));
  const windows: Window[] = [];
  for (let t = it.window; t <= it.end + 1e-9; t += it.window) {
    const share = (it.steps.findLast((step) => step.at <= t - it.window + 1e-9)?.weight ?? 0) / 100;
    windows.push(drawWindow(random, it, t, share));
  }
  return { id, plan: { window: it.window, steps: it.steps, bounds: it.bounds, end: it.end, history }, windows };
}

function drawWindow(random: () => number, it: World, t: number, share: number): Window {
  const middle = t - it.window / 2;
  const requests = it.rps * it.window;
  const stable = random() < it.missing ? null : draw(random, it, requests * (1 - share), it.stable(middle));
  if (it.pods > 0) {
    const pods: PodCounts[] = Array.from({ length: it.pods }, (_, pod) => ({
      id: `pod-${pod}`,
      age: t,
      ...draw(random, it, (requests * share) / it.pods, it.canary(middle, pod)),
    }));
    return { t, stable, canary: sum(pods, it.bounds.length), pods };
  }
  const canary = random() < it.missing ? null : draw(random, it, requests * share, it.canary(middle, 0));
  return { t, stable, canary };
}

function sum(all: Counts[], bounds: number): Counts {
  return {
    n: all.reduce((total, { n }) => total + n, 0),
    e: all.reduce((total, { e }) => total + e, 0),
    b: Array.from({ length: bounds }, (_, i) => all.reduce((total, { b }) => total + (b[i] ?? 0), 0)),
  };
}

/** Poisson arrivals, Bernoulli errors (or groups of `burst`), log-normal latency seen through the buckets. */
export function draw(random: () => number, it: Pick<World, 'burst' | 'sigma' | 'bounds'>, mean: number, behaviour: Behaviour): Counts {
  const n = poisson(random, mean);
  const e = it.burst > 1 ? min(n, it.burst * poisson(random, (n * behaviour.errors) / it.burst)) : binomial(random, n, behaviour.errors);
  const b: number[] = [];
  let left = n;
  let reached = 0;
  for (const bound of it.bounds) {
    const cumulative = normalCdf(log(bound / behaviour.median) / it.sigma);
    const inside = reached < 1 ? min(1, max(0, (cumulative - reached) / (1 - reached))) : 0;
    left -= binomial(random, left, inside);
    reached = cumulative;
    b.push(n - left);
  }
  return { n, e, b };
}

/** Abramowitz & Stegun 26.2.17: absolute error below 7.5e-8. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * abs(x));
  const tail =
    (exp((-x * x) / 2) / sqrt(2 * PI)) * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
}

/** A trace in the format that replay reads. */
export function traceText({ id, plan, windows }: Trace): string {
  const { history, ...header } = plan;
  const lines = [{ trace: id, ...header }, ...history.map((h) => ({ h })), ...windows];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
