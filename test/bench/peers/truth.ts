import { failedRequests, type TallyView, unansweredRequests } from '@slipway/sandbox';
import { type Release, releases } from './cells.js';

/** What the users of one cell met. The definitions are those of the peers' bench, so that their figures can stand beside. */
export interface Truth {
  /** 5xx, time-outs, refused, resets, no endpoints and no route, from the new version's first request to 30 s after the end. */
  failed: number;
  /** Of these, those that no pod answered: the tool's own doing. */
  own: number;
  newRequests: number;
  newFailed: number;
  /** From the first failed request (of a slow release: the first) to the last one to the new version; null: not asked of a good release. */
  badSeconds: number | 'never' | null;
  /** Until the tool says that it is over and one version serves. */
  wallSeconds: number;
  /** Versions that serve at the end. */
  final: string[];
  /** It ended as it should: a good release with the new version alone, another one with the former. */
  right: boolean;
  /** Requests that the bed could not send. */
  notSent: number;
  /** Worst p99 of the former version in 20 s, milliseconds: with nothing wrong with it, that is the machine. */
  controlP99: number;
  /** The machine was too busy for latencies to mean anything. */
  loaded: boolean;
  /** Unix second of the last request to the new version; null: it got none. */
  lastNew: number | null;
}

/** `ok`: the new version was said to be released; `failed`: it was said to be taken back. Unix seconds. */
export interface Course {
  start: number;
  ended: number;
  said: 'ok' | 'failed' | 'limit';
}

/** Seconds after the end that are looked at. */
export const tail = 30;

interface Stats {
  total: TallyView;
  byVersion?: Record<string, TallyView & { latencyMs?: { p99: number } }>;
  seconds?: { t: number; total: TallyView; byVersion?: Record<string, TallyView> }[];
  dropped: number;
}

async function statsOf(url: string, service: string, query: Record<string, string>): Promise<Stats> {
  const answer = await fetch(`${url}/stats?${new URLSearchParams({ service, ...query })}`);
  if (!answer.ok) throw new Error(`/stats answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Stats;
}

/** Failed requests of a service in the last `seconds`. */
export async function failedLately(url: string, service: string, seconds: number): Promise<number> {
  return failedRequests((await statsOf(url, service, { from: `-${seconds}s`, seconds: '0' })).total);
}

/** Requests that a version got since `from` (Unix seconds), and the second of the last one. */
export async function requestsTo(
  url: string,
  service: string,
  version: string,
  from: number,
): Promise<{ sent: number; last: number | null }> {
  const { seconds = [] } = await statsOf(url, service, { from: String(Math.floor(from)) });
  const met = seconds.filter(({ byVersion }) => (byVersion?.[version]?.sent ?? 0) > 0);
  return { sent: met.reduce((sum, { byVersion }) => sum + (byVersion?.[version]?.sent ?? 0), 0), last: met.at(-1)?.t ?? null };
}

/** Call at least `tail` seconds after the end. */
export async function truthOf(url: string, service: string, release: Release, course: Course): Promise<Truth> {
  const version = releases[release];
  const from = Math.floor(course.start);
  const stats = await statsOf(url, service, { from: String(from) });
  const seconds = (stats.seconds ?? []).filter(({ t }) => t <= course.ended + tail);
  const sentTo = (name: string) => seconds.filter(({ byVersion }) => (byVersion?.[name]?.sent ?? 0) > 0).map(({ t }) => t);
  const met = sentTo(version);
  const counted = seconds.filter(({ t }) => t >= (met[0] ?? from));
  const final = versionsIn(seconds.slice(-5));
  const bad = release === 'slow3x' ? met : seconds.filter(({ total }) => failedRequests(total) > 0).map(({ t }) => t);
  const wanted = release === 'good' ? { said: 'ok', version } : { said: 'failed', version: 'v1' };
  const controlP99 = await worstP99(url, service, 'v1', from, Math.floor(course.ended));
  return {
    failed: sum(counted, ({ total }) => failedRequests(total)),
    own: sum(counted, ({ total }) => unansweredRequests(total)),
    newRequests: sum(seconds, ({ byVersion }) => byVersion?.[version]?.sent ?? 0),
    newFailed: sum(seconds, ({ byVersion }) => failedRequests(byVersion?.[version])),
    badSeconds: release === 'good' ? null : exposure(bad[0], met.at(-1), final.includes(version)),
    wallSeconds: settled(course, met.at(-1), sentTo('v1').at(-1)) - course.start,
    final,
    right: course.said === wanted.said && final.join() === wanted.version,
    notSent: stats.dropped,
    controlP99,
    loaded: controlP99 > 150 || stats.dropped > 0,
    lastNew: met.at(-1) ?? null,
  };
}

function exposure(firstBad: number | undefined, lastNew: number | undefined, serves: boolean): number | 'never' {
  if (firstBad === undefined) return 0;
  if (serves) return 'never';
  return lastNew === undefined ? 0 : Math.max(0, lastNew + 1 - firstBad);
}

/** When one version serves and the tool has ended; Unix seconds. */
function settled({ ended, said }: Course, lastNew: number | undefined, lastOld: number | undefined): number {
  const gone = said === 'ok' ? lastOld : said === 'failed' ? lastNew : undefined;
  return gone === undefined ? ended : Math.max(ended, Math.min(gone + 1, ended + 30));
}

function versionsIn(seconds: NonNullable<Stats['seconds']>): string[] {
  const serving = seconds.flatMap(({ byVersion = {} }) => Object.keys(byVersion).filter((name) => (byVersion[name]?.sent ?? 0) > 0));
  return [...new Set(serving)].sort();
}

async function worstP99(url: string, service: string, version: string, from: number, to: number): Promise<number> {
  let worst = 0;
  for (let t = from; t < to; t += 20) {
    const { byVersion } = await statsOf(url, service, { from: String(t), to: String(t + 19), seconds: '0' });
    worst = Math.max(worst, byVersion?.[version]?.latencyMs?.p99 ?? 0);
  }
  return worst;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
