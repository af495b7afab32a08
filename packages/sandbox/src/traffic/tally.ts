/** What became of a request. `2xx` … are answers of pods; the others never got one. */
export type Outcome = 'answered' | 'timeouts' | 'refused' | 'resets' | 'noEndpoints' | 'noRoute';

export interface Quantiles {
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
  mean: number;
}

/** Sums over requests, as their clients met them. */
export interface TallyView {
  sent: number;
  '2xx': number;
  '3xx': number;
  '4xx': number;
  '5xx': number;
  timeouts: number;
  refused: number;
  resets: number;
  noEndpoints: number;
  noRoute: number;
  inFlight: number;
  codes: Record<string, number>;
  latencyMs?: Quantiles;
}

/** Requests that no pod answered: a tool that takes pods away under their users makes these. */
export function unansweredRequests(tally: TallyView | undefined): number {
  return tally ? tally.refused + tally.resets + tally.noEndpoints + tally.noRoute : 0;
}

/** Requests that a user would call failed, whoever is to blame. */
export function failedRequests(tally: TallyView | undefined): number {
  return tally ? tally['5xx'] + tally.timeouts + unansweredRequests(tally) : 0;
}

/** Counts that grow; merged and shown as a `TallyView`. */
export class Tally {
  private readonly counts = {
    sent: 0,
    '2xx': 0,
    '3xx': 0,
    '4xx': 0,
    '5xx': 0,
    timeouts: 0,
    refused: 0,
    resets: 0,
    noEndpoints: 0,
    noRoute: 0,
    inFlight: 0,
  };
  private readonly codes: Record<string, number> = {};
  private ms: number[] = [];

  begin(): void {
    this.counts.sent += 1;
    this.counts.inFlight += 1;
  }

  /** `ms` as the client waited; only answers and time-outs have a latency. */
  end(outcome: Outcome, code: number, ms: number): void {
    this.counts.inFlight -= 1;
    this.codes[code] = (this.codes[code] ?? 0) + 1;
    if (outcome !== 'answered') this.counts[outcome] += 1;
    else this.counts[code >= 500 ? '5xx' : code >= 400 ? '4xx' : code >= 300 ? '3xx' : '2xx'] += 1;
    if (outcome === 'answered' || outcome === 'timeouts') this.ms.push(ms);
  }

  merge(other: Tally): void {
    for (const key of Object.keys(this.counts) as (keyof typeof this.counts)[]) this.counts[key] += other.counts[key];
    for (const [code, n] of Object.entries(other.codes)) this.codes[code] = (this.codes[code] ?? 0) + n;
    this.ms = this.ms.concat(other.ms);
  }

  view(): TallyView {
    const view: TallyView = { ...this.counts, codes: { ...this.codes } };
    if (this.ms.length > 0) view.latencyMs = quantilesOf(this.ms);
    return view;
  }
}

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (p: number) => round(sorted[Math.ceil(p * sorted.length) - 1] ?? 0);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1), mean: round(mean) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
