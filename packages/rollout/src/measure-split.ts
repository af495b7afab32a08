import { type KubeObject, type Routing, resources, selectorOf, TRACK_LABEL } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Bench } from './act.js';
import { countRequests } from './drain.js';
import { type SplitCounts, splitVerdict } from './split-test.js';
import type { RolloutTarget } from './target.js';

/** Time between two looks at the pods' counters, milliseconds. */
const BETWEEN = 1_000;
/** A route may take this long to reach every proxy; what is split wrongly for longer will stay so. */
const LONGEST = 30_000;
/** How long enough requests are waited for, from when the split last looked wrong, before it is said that there are too few to tell. */
const QUIET = 10_000;
/**
 * A second in the middle of which the route came into force looks a little wrong, so that much less than a proof is enough to look on; and it takes two
 * looks that agree.
 */
const DOUBTFUL = 0.05;
const TWICE = 2;
/** Looks that have the last word. */
const LAST = 10;
/** Pods asked per track; more are left to their controller, which gives all of a track the same. */
const MOST_PODS = 30;

/**
 * Counts requests to the pods of both tracks until they are split as `routing` says, as far as their number tells. Returns it in words; where pods
 * tell nothing (no metrics, no right to read them) or too few requests come, says that, because a service without users must not be stuck.
 *
 * Counters also see what no route splits: probes, scrapes, clients that keep their connection, copies, and those whom a header or cookie leads to the
 * canary. So a split that is merely another one is told and let pass; refused is only a canary that gets nothing of what it should.
 *
 * Reason: WEIGHT_NOT_IN_FORCE, when in the last ten of 30 s the canary got no request though its share would be several.
 */
export async function measureSplit(bench: Bench, stable: KubeObject, canary: KubeObject | undefined, routing: Routing): Promise<string> {
  const { context } = bench.deps;
  const { weight } = routing;
  const began = context.clock.now();
  const tracks = await podsOf(bench, stable, canary);
  if (!tracks) return `not measured: the pods of a track cannot be listed, or are more than ${MOST_PODS}`;
  let before = await countsOf(bench, tracks);
  let since = began;
  let recent: SplitCounts = { stable: 0, canary: 0 };
  let seconds: SplitCounts[] = [];
  let agreed = 0;
  while (before) {
    await context.clock.sleep(BETWEEN, bench.signal);
    const now = await countsOf(bench, tracks);
    if (!now) break;
    const second = grown(now, before);
    before = now;
    recent = sum([recent, second]);
    seconds = [...seconds, second].slice(-LAST);
    const looked = context.clock.now();
    const verdict = verdictOf(recent, routing);
    const words = splitWords(recent);
    agreed = verdict === 'agrees' ? agreed + 1 : 0;
    if (agreed >= TWICE) return `measured: ${words}`;
    if (verdict === 'unknown' && looked - since >= QUIET)
      return `not measured: ${words} in ${inSeconds(looked - since)} are too few to tell`;
    context.progress(`${words} met the canary; ${weight} % are wanted`);
    if (verdict !== 'differs') continue;
    if (looked - began >= LONGEST) return lastWord(sum(seconds), weight, bench.deps.target);
    // Requests of the time before the route was in force everywhere must not be held against it.
    recent = { stable: 0, canary: 0 };
    since = looked;
  }
  return 'not measured: the pods do not tell how many requests they serve';
}

/** Copies and those whom a header leads there come on top of the share. */
function verdictOf(counts: SplitCounts, { weight, mirror, match }: Routing): ReturnType<typeof splitVerdict> {
  const verdict = splitVerdict(counts, weight, DOUBTFUL);
  const more = 100 * counts.canary > weight * (counts.canary + counts.stable);
  return verdict === 'differs' && more && (mirror > 0 || match) ? 'agrees' : verdict;
}

function lastWord(counts: SplitCounts, weight: number, target: RolloutTarget): string {
  const words = splitWords(counts);
  if (counts.canary === 0) throw notSplit(words, inSeconds(LAST * BETWEEN), weight, target);
  return `measured: ${words}, which is not ${weight} %`;
}

function splitWords({ stable, canary }: SplitCounts): string {
  return `${canary} of ${canary + stable} requests`;
}

/** A counter that fell belongs to a pod that began anew; what it counted is not known. */
function grown(now: SplitCounts, before: SplitCounts): SplitCounts {
  const more = { stable: now.stable - before.stable, canary: now.canary - before.canary };
  return more.stable < 0 || more.canary < 0 ? { stable: 0, canary: 0 } : more;
}

function sum(counts: readonly SplitCounts[]): SplitCounts {
  return counts.reduce((all, each) => ({ stable: all.stable + each.stable, canary: all.canary + each.canary }), { stable: 0, canary: 0 });
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

type Tracks = Record<'stable' | 'canary', KubeObject[]>;

async function podsOf({ client }: Bench, stable: KubeObject, canary: KubeObject | undefined): Promise<Tracks | undefined> {
  if (!canary) return undefined;
  const namespace = stable.metadata.namespace ?? '';
  try {
    const [ofCanary, ofBoth] = await Promise.all([
      client.list(resources.pods, namespace, { labelSelector: selectorOf(canary) }),
      client.list(resources.pods, namespace, { labelSelector: `${selectorOf(stable)},${TRACK_LABEL}!=canary` }),
    ]);
    const running = (pods: KubeObject[]) =>
      pods.filter(({ status, metadata }) => status?.phase === 'Running' && !metadata.deletionTimestamp);
    const tracks = { stable: running(ofBoth), canary: running(ofCanary) };
    return Object.values(tracks).every((pods) => pods.length > 0 && pods.length <= MOST_PODS) ? tracks : undefined;
  } catch (error) {
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}

/** Undefined: they cannot be read, or neither track counts anything. */
async function countsOf(bench: Bench, { stable, canary }: Tracks): Promise<SplitCounts | undefined> {
  const [ofStable, ofCanary] = await Promise.all([stable, canary].map((pods) => countRequests(bench, pods, bench.deps.target)));
  if (!ofStable || !ofCanary || ofStable.counters + ofCanary.counters === 0) return undefined;
  return { stable: ofStable.requests, canary: ofCanary.requests };
}

function notSplit(words: string, time: string, weight: number, { namespace, kubeService }: RolloutTarget): OperationError {
  return new OperationError(`The objects say ${weight} %, but in the last ${time} ${words} met the canary.`, {
    reason: 'WEIGHT_NOT_IN_FORCE',
    next: [
      `See whether requests to ${namespace}/${kubeService} pass the route at all, and whether clients stay with one pod (sessions, long-lived connections).`,
      'Where that is meant, set `split-check: objects` in slipway.yml.',
    ],
  });
}
