export type Labels = Readonly<Record<string, string>>;

/** One series: values at times (milliseconds), in order. NaN marks that it had gone (a staleness marker). */
export interface Series {
  /** With `__name__`. */
  labels: Labels;
  times: number[];
  values: number[];
}

/** An hour of seconds. */
const keep = 3600;

/** Every sample scraped, by series. */
export class SeriesStore {
  private readonly series = new Map<string, Series>();

  append(key: string, labels: () => Labels, time: number, value: number): void {
    let series = this.series.get(key);
    if (!series) {
      series = { labels: labels(), times: [], values: [] };
      this.series.set(key, series);
    }
    series.times.push(time);
    series.values.push(value);
    if (series.times.length > keep + 600) {
      series.times.splice(0, 600);
      series.values.splice(0, 600);
    }
  }

  /** Marks a series as gone, once. */
  markStale(key: string, time: number): void {
    const series = this.series.get(key);
    if (!series || Number.isNaN(series.values.at(-1))) return;
    series.times.push(time);
    series.values.push(Number.NaN);
  }

  select(matches: (labels: Labels) => boolean): Series[] {
    return [...this.series.values()].filter((series) => matches(series.labels));
  }

  labelNames(): string[] {
    return [...new Set([...this.series.values()].flatMap((series) => Object.keys(series.labels)))].sort();
  }

  labelValues(name: string): string[] {
    return [...new Set([...this.series.values()].map((series) => series.labels[name]).filter((value) => value !== undefined))].sort();
  }
}
