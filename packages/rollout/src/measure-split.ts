import { type KubeObject, resources, selectorOf, TRACK_LABEL } from '@slipway/cluster';
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
/** Pods asked per track; more are left to their controller, which gives all of a track the same. */
const MOST_PODS = 30;

/**
 * Counts requests to the pods of both tracks until they are split by `weight` percent, as far as their number tells. Returns it in words; where
 * pods tell nothing (no metrics, no right to read them) or too few requests come, says that, because a service without users must not be stuck.
 * A split that is near (probes are counted by some servers, too) is told and let pass.
 *
 * Reason: WEIGHT_NOT_IN_FORCE, when after 30 s a track still gets less than half or more than twice of what it should.
 */
export async function measureSplit(bench: Bench, stable: KubeObject, canary: KubeObject | undefined, weight: number): Promise<string> {
  const { context } = bench.deps;
  const began = context.clock.now();
  let since = began;
  const tracks = await podsOf(bench, stable, canary);
  if (!tracks) return `not measured: the pods of a track cannot be listed, or are more than ${MOST_PODS}`;
  let before = await countsOf(bench, tracks);
  let recent: SplitCounts = { stable: 0, canary: 0 };
  while (before) {
    await context.clock.sleep(BETWEEN, bench.signal);
    const now = await countsOf(bench, tracks);
    if (!now) break;
    recent = plus(recent, now, before);
    before = now;
    const looked = context.clock.now();
    const verdict = splitVerdict(recent, weight);
    const words = `${recent.canary} of ${recent.canary + recent.stable} requests`;
    if (verdict === 'agrees') return `measured: ${words}`;
    if (verdict === 'unknown' && looked - since >= QUIET) return `not measured: ${words} in ${seconds(looked - since)} are too few to tell`;
    context.progress(`${words} met the canary; ${weight} % are wanted`);
    if (verdict !== 'differs') continue;
    if (looked - began >= LONGEST) {
      if (isNear(recent, weight)) return `measured: ${words}, which is not quite ${weight} %`;
      throw notSplit(words, seconds(looked - since), weight, bench.deps.target);
    }
    // Requests of the time before the route was in force everywhere must not be held against it.
    recent = { stable: 0, canary: 0 };
    since = looked;
  }
  return 'not measured: the pods do not tell how many requests they serve';
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** A counter that fell belongs to a pod that began anew; what it counted is not known. */
function plus(sum: SplitCounts, now: SplitCounts, before: SplitCounts): SplitCounts {
  const grown = { stable: now.stable - before.stable, canary: now.canary - before.canary };
  if (grown.stable < 0 || grown.canary < 0) return sum;
  return { stable: sum.stable + grown.stable, canary: sum.canary + grown.canary };
}

/** Neither track has less than half or more than twice of what it should; at 100 % stable should have nothing, which has no half. */
function isNear({ stable, canary }: SplitCounts, weight: number): boolean {
  const share = (100 * canary) / (stable + canary);
  const fits = (seen: number, wanted: number) => seen >= wanted / 2 && seen <= wanted * 2;
  return fits(share, weight) && (weight === 100 || fits(100 - share, 100 - weight));
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
