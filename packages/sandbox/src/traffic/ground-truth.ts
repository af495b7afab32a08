import { Tally, type TallyView } from './tally.js';

/** Where one request went. Empty strings where it got nowhere. */
export interface Whereabouts {
  pod: string;
  workload: string;
  version: string;
  track: string;
  service: string;
  header: boolean;
  /** A copy of a request, whose answer nobody waited for. */
  mirrored: boolean;
}

export interface StatsView {
  total: TallyView;
  byWorkload: Record<string, TallyView>;
  byVersion: Record<string, TallyView>;
  byTrack: Record<string, TallyView>;
  byPod: Record<string, TallyView>;
  byService: Record<string, TallyView>;
  /** `with` and `without` the annotated header. */
  byHeader: Record<string, TallyView>;
  /** Copies of requests; counted nowhere else. */
  mirror: MirrorView;
  /** Not sent: too many in flight, or the machine was late. */
  dropped: number;
}

export interface MirrorView {
  total: TallyView;
  byWorkload: Record<string, TallyView>;
  byVersion: Record<string, TallyView>;
}

export interface Stats extends StatsView {
  service: string;
  /** Unix seconds, both included. */
  from: number;
  to: number;
  seconds?: ({ t: number } & StatsView)[];
}

interface Second {
  groups: Map<string, Group>;
  dropped: number;
}

/** Seconds kept. */
const keep = 3600;

const groupings = {
  byWorkload: 'workload',
  byVersion: 'version',
  byTrack: 'track',
  byPod: 'pod',
  byService: 'service',
  byHeader: 'header',
} as const;

/** The truth about every request, per Service and second of sending. */
export class GroundTruth {
  private readonly services = new Map<string, Map<number, Second>>();

  /** Counts a request as sent; its tally hears later how it ended. */
  begin(key: string, where: Whereabouts, now: number): Tally {
    const { groups } = this.second(key, Math.floor(now / 1000));
    const name = `${where.pod} ${where.service} ${where.track} ${where.version} ${where.header} ${where.mirrored}`;
    let group = groups.get(name);
    if (!group) {
      group = { where, tally: new Tally() };
      groups.set(name, group);
    }
    group.tally.begin();
    return group.tally;
  }

  drop(key: string, count: number, now: number): void {
    this.second(key, Math.floor(now / 1000)).dropped += count;
  }

  /** Sums from second `from` to second `to`, both included; each second apart as well when `detail`. */
  query(service: string, from: number, to: number, detail: boolean): Stats {
    const kept = [...(this.services.get(service) ?? [])].filter(([t]) => t >= from && t <= to).sort(([a], [b]) => a - b);
    const total = summarize(kept.map(([, second]) => second));
    const stats: Stats = { service, from, to, ...total };
    if (detail) stats.seconds = kept.map(([t, second]) => ({ t, ...summarize([second]) }));
    return stats;
  }

  private second(key: string, t: number): Second {
    let seconds = this.services.get(key);
    if (!seconds) {
      seconds = new Map();
      this.services.set(key, seconds);
    }
    let second = seconds.get(t);
    if (!second) {
      second = { groups: new Map(), dropped: 0 };
      seconds.set(t, second);
      seconds.delete(t - keep);
    }
    return second;
  }
}

function summarize(seconds: readonly Second[]): StatsView {
  const groups = seconds.flatMap((second) => [...second.groups.values()]);
  const users = groups.filter(({ where }) => !where.mirrored);
  const copies = groups.filter(({ where }) => where.mirrored);
  const shown = Object.entries(groupings).map(([name, field]) => [name, sumsBy(users, field)]);
  const mirror = { total: sumOf(copies), byWorkload: sumsBy(copies, 'workload'), byVersion: sumsBy(copies, 'version') };
  const dropped = seconds.reduce((sum, second) => sum + second.dropped, 0);
  return { total: sumOf(users), ...Object.fromEntries(shown), mirror, dropped };
}

type Group = { where: Whereabouts; tally: Tally };

function sumOf(groups: readonly Group[]): TallyView {
  const total = new Tally();
  for (const { tally } of groups) total.merge(tally);
  return total.view();
}

/** What has an empty value is in no group. */
function sumsBy(groups: readonly Group[], field: (typeof groupings)[keyof typeof groupings]): Record<string, TallyView> {
  const sums = new Map<string, Tally>();
  for (const { where, tally } of groups) {
    const key = labelOf(where[field]);
    if (!key) continue;
    const sum = sums.get(key) ?? new Tally();
    sum.merge(tally);
    sums.set(key, sum);
  }
  return Object.fromEntries([...sums].map(([key, sum]) => [key, sum.view()]));
}

function labelOf(value: string | boolean): string {
  return typeof value === 'string' ? value : value ? 'with' : 'without';
}
