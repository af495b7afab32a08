/** Upper bounds of the latency histogram, seconds: the default buckets of the Prometheus clients. */
export const latencyBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Seconds over which the rate of requests, and with it the use of CPU, is an average. */
const rateWindow = 2;

export interface Histogram {
  method: string;
  path: string;
  /** Not cumulative; the last is +Inf. */
  buckets: number[];
  sum: number;
  count: number;
}

/** One run of a pod's container: its counters begin at zero and end with it. */
export class ContainerRun {
  readonly requests = new Map<string, { code: number; method: string; path: string; count: number }>();
  readonly durations = new Map<string, Histogram>();
  readonly log: string[] = [];
  /** Requests handled in each of the last seconds, by Unix second. */
  private readonly recent = new Map<number, number>();
  /** Set when the process has ended: `drained` let running requests end, a crash broke them. */
  ended: { at: number; drainUntil: number } | undefined;

  constructor(readonly startedAt: number) {}

  /** Counts one answered request, as the application's own middleware would. */
  count(code: number, method: string, path: string, ms: number, now: number): void {
    const key = `${code} ${method} ${path}`;
    const counter = this.requests.get(key);
    if (counter) counter.count += 1;
    else this.requests.set(key, { code, method, path, count: 1 });
    this.observe(method, path, ms / 1000);
    this.note(Math.floor(now / 1000));
    if (code >= 500) this.say(now, `ERROR ${method} ${path} ${code} ${Math.round(ms)}ms`);
  }

  /** Requests per second over the last whole seconds, at most `rateWindow` of them; undefined before the first is over. */
  requestRate(now: number): number | undefined {
    const end = Math.floor(now / 1000);
    const begin = Math.max(end - rateWindow, Math.floor(this.startedAt / 1000) + 1);
    if (begin >= end) return undefined;
    let sum = 0;
    for (let second = begin; second < end; second++) sum += this.recent.get(second) ?? 0;
    return sum / (end - begin);
  }

  say(now: number, text: string): void {
    this.log.push(`${new Date(now).toISOString()} ${text}`);
    if (this.log.length > 500) this.log.splice(0, 250);
  }

  private note(second: number): void {
    this.recent.set(second, (this.recent.get(second) ?? 0) + 1);
    for (const old of this.recent.keys()) if (old < second - rateWindow) this.recent.delete(old);
  }

  private observe(method: string, path: string, seconds: number): void {
    const key = `${method} ${path}`;
    let histogram = this.durations.get(key);
    if (!histogram) {
      histogram = { method, path, buckets: new Array(latencyBounds.length + 1).fill(0), sum: 0, count: 0 };
      this.durations.set(key, histogram);
    }
    const at = latencyBounds.findIndex((bound) => seconds <= bound);
    const slot = at < 0 ? latencyBounds.length : at;
    histogram.buckets[slot] = (histogram.buckets[slot] ?? 0) + 1;
    histogram.sum += seconds;
    histogram.count += 1;
  }
}
