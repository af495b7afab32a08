import { type KubeObject, resources, selectorOf } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Bench } from './act.js';
import type { RolloutTarget } from './target.js';

/** The longest wait for the canary's last requests, milliseconds. */
const LONGEST = 30_000;
/** Time between two looks at the pods' counters, milliseconds. */
const BETWEEN = 1_000;
/** Routes send requests to a track's pods in turn, so two of them tell of all. */
const PODS_ASKED = 2;

/**
 * Gives clients and proxies time to learn that the canary has no share any more: at least `atLeast` milliseconds, and as long as its pods
 * still count new requests (at most 30 s). Where counters cannot be read (no metrics, no permission) the time alone counts.
 */
export async function drain(bench: Bench, canary: KubeObject | undefined, target: RolloutTarget, atLeast = target.drain): Promise<void> {
  const { clock } = bench.deps.context;
  const began = clock.now();
  await clock.sleep(Math.max(BETWEEN, atLeast - BETWEEN), bench.signal);
  const pods = canary ? await podNames(bench, canary, target) : [];
  let before = await requestsServed(bench, pods, target);
  for (;;) {
    await clock.sleep(BETWEEN, bench.signal);
    if (before === undefined || clock.now() - began >= Math.max(LONGEST, atLeast)) return;
    const now = await requestsServed(bench, pods, target);
    if (now === undefined || now === before) return;
    bench.deps.context.progress(`canary still serves: ${now - before} requests in the last second`);
    before = now;
  }
}

async function podNames({ client }: Bench, canary: KubeObject, { namespace }: RolloutTarget): Promise<KubeObject[]> {
  const pods = await unlessRefused(() => client.list(resources.pods, namespace, { labelSelector: selectorOf(canary) }));
  return (pods ?? []).filter((pod) => pod.status?.phase === 'Running').slice(0, PODS_ASKED);
}

async function requestsServed(bench: Bench, pods: readonly KubeObject[], target: RolloutTarget): Promise<number | undefined> {
  const counted = await countRequests(bench, pods, target);
  return counted && counted.counters > 0 ? counted.requests : undefined;
}

/** Sum of the pods' request counters, and how many counters there were (none before a pod's first request); undefined when they cannot be read. */
export async function countRequests(
  { client }: Bench,
  pods: readonly KubeObject[],
  target: RolloutTarget,
): Promise<{ requests: number; counters: number } | undefined> {
  if (pods.length === 0) return undefined;
  const pages = await Promise.all(
    pods.map((pod) =>
      unlessRefused(() =>
        client.podProxy(target.namespace, pod.metadata.name, metricsPortOf(pod, target), '/metrics', { timeoutMs: 2_000 }),
      ),
    ),
  );
  if (pages.some((page) => page === undefined)) return undefined;
  const counters = pages.flatMap((page) => [...(page ?? '').matchAll(/^http_requests_total(?:\{[^\n]*\})? ([0-9.e+]+)/gm)]);
  return { requests: counters.reduce((sum, [, value]) => sum + Number(value), 0), counters: counters.length };
}

/** Port that serves `/metrics`: the configured one (by number or name), else the first that a container declares, else 8080. */
export function metricsPortOf(pod: KubeObject, { metricsPort }: Pick<RolloutTarget, 'metricsPort'>): number | string {
  const ports: { name?: string; containerPort: number }[] = (pod.spec?.containers ?? []).flatMap(
    (each: { ports?: [] }) => each.ports ?? [],
  );
  if (typeof metricsPort === 'number') return metricsPort;
  if (metricsPort !== undefined) return ports.find((port) => port.name === metricsPort)?.containerPort ?? metricsPort;
  return ports[0]?.containerPort ?? 8080;
}

async function unlessRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}
