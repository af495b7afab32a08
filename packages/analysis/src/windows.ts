import { addCounts, countsProblem, noCounts, timedOf } from './counts.js';
import type { CounterSample, Counts, PodCounts, CounterSeries as Series, Window } from './types.js';

type Track = Series['track'];

/** The window between two samples, and in words what could not be used. */
export interface ClosedWindow {
  /** Null when the two samples enclose no window at all (time did not advance, other buckets). */
  window: Window | null;
  problems: string[];
}

/**
 * The closed window between two samples of cumulative counters: what each series grew by, added up per track. Windows made of consecutive
 * samples are disjoint, so no request is ever counted twice.
 *
 * A series that restarted in between (younger than `earlier`, or, without a start time, with fewer requests than before) counts from
 * zero. A new series counts from zero only when it is known to have started in between; otherwise it joins in the next window. A series
 * that is gone takes its last requests with it. A counter that fell without a restart, or counts that cannot be true, make the whole track
 * null: missing, not zero.
 * @param origin milliseconds since the epoch that `t` = 0 stands for
 */
export function closeWindow(earlier: CounterSample, after: CounterSample, origin: number): ClosedWindow {
  const before = withBuckets(earlier, after.bounds);
  const problems = [...after.problems];
  if (!(after.at > before.at)) {
    return { window: null, problems: [...problems, `the sample of ${time(after.at)} is not newer than that of ${time(before.at)}`] };
  }
  if (!sameBounds(before.bounds, after.bounds)) {
    return { window: null, problems: [...problems, `the latency buckets changed from [${before.bounds}] to [${after.bounds}]`] };
  }
  const tracks = growTracks(before, after, problems);
  const pods = tracks.canary ? podsOf(tracks.canary, after.at) : null;
  const bounds = after.bounds.length;
  return {
    window: {
      t: (after.at - origin) / 1000,
      stable: total(tracks.stable, bounds),
      canary: total(tracks.canary, bounds),
      ...(pods ? { pods } : {}),
    },
    problems,
  };
}

/** All windows of a run of samples, in order, with every problem. */
export function windowsOf(samples: readonly CounterSample[], origin: number): { windows: Window[]; problems: string[] } {
  const windows: Window[] = [];
  const problems: string[] = [];
  samples.slice(1).forEach((after, i) => {
    const closed = closeWindow(samples[i] ?? after, after, origin);
    if (closed.window) windows.push(closed.window);
    problems.push(...closed.problems);
  });
  return { windows, problems };
}

interface Grown {
  series: Series;
  growth: Counts;
}

/** Null: something of the track cannot be believed, so nothing of it is used in this window. */
function growTracks(before: CounterSample, after: CounterSample, problems: string[]): Record<Track, Grown[] | null> {
  const tracks: Record<Track, Grown[] | null> = { stable: [], canary: [] };
  const seen = new Set<string>();
  const earlier = new Map(before.series.map((series) => [series.id, series]));
  for (const series of after.series) {
    if (series.track !== 'stable' && series.track !== 'canary') {
      problems.push(`${series.id}: track ${JSON.stringify(series.track)} is neither stable nor canary; ignored`);
      continue;
    }
    const growth = seen.has(series.id)
      ? 'appears twice in one sample'
      : grow(earlier.get(series.id), series, before.at, after.bounds.length);
    seen.add(series.id);
    if (growth === null) problems.push(`${series.id}: no earlier counters to compare with; it counts from the next window on`);
    else if (typeof growth !== 'string') tracks[series.track]?.push({ series, growth });
    else {
      problems.push(`${series.id}: ${growth}; the ${series.track} track is dropped from this window`);
      tracks[series.track] = null;
    }
  }
  return tracks;
}

/** The growth; null when there is nothing to compare with; a sentence when it cannot be true. */
function grow(before: Series | undefined, after: Series, since: number, bounds: number): Counts | string | null {
  const wrong = countsProblem(after.counters, bounds);
  if (wrong) return wrong;
  const startedWithin = after.startedAt !== undefined && after.startedAt > since;
  if (startedWithin) return after.counters;
  if (!before || before.track !== after.track) return null;
  const earlierWrong = countsProblem(before.counters, bounds);
  if (earlierWrong) return null;
  if (after.startedAt === undefined && after.counters.n < before.counters.n) return after.counters;
  const growth = subtract(after.counters, before.counters);
  const fell = [growth.n, growth.e, ...growth.b].some((count) => count < 0);
  return fell ? 'a counter fell without a restart' : (countsProblem(growth, bounds) ?? growth);
}

function subtract(after: Counts, before: Counts): Counts {
  const growth = { n: after.n - before.n, e: after.e - before.e, b: after.b.map((count, i) => count - (before.b[i] ?? 0)) };
  return after.timed === undefined ? growth : { ...growth, timed: after.timed - timedOf(before) };
}

function total(grown: Grown[] | null, bounds: number): Counts | null {
  return grown === null || grown.length === 0
    ? null
    : grown.reduce((sum, { growth }) => addCounts(sum, growth), noCountsLike(grown[0], bounds));
}

function noCountsLike(first: Grown | undefined, bounds: number): Counts {
  return first?.growth.timed === undefined ? noCounts(bounds) : { ...noCounts(bounds), timed: 0 };
}

/** The canary's pods with their ages; null when an age is unknown, since a pod of unknown age cannot be called warm. */
function podsOf(grown: readonly Grown[], at: number): PodCounts[] | null {
  const pods: PodCounts[] = [];
  for (const { series, growth } of grown) {
    if (series.startedAt === undefined) return null;
    // A clock behind the cluster's makes a pod seem to start in the future.
    const since = Math.max(series.startedAt, series.readyAt ?? 0);
    pods.push({ ...growth, id: series.id, age: Math.max(0, (at - since) / 1000) });
  }
  return pods;
}

/** Pods that were not asked anything yet show no buckets: theirs are all zero. */
function withBuckets(sample: CounterSample, bounds: readonly number[]): CounterSample {
  if (sample.bounds.length > 0 || sample.series.some(({ counters }) => counters.n !== 0)) return sample;
  return { ...sample, bounds, series: sample.series.map((series) => ({ ...series, counters: noCounts(bounds.length) })) };
}

function sameBounds(x: readonly number[], y: readonly number[]): boolean {
  return x.length === y.length && x.every((bound, i) => bound === y[i]);
}

function time(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString() : String(at);
}
