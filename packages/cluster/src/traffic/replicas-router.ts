import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { annotations } from '../names.js';
import { resources } from '../resources.js';
import { refuseForeign } from '../workloads/canary.js';
import { waitReady } from '../workloads/ready.js';
import { findHpa, refuseHpaOwned } from '../workloads/replicas.js';
import type { RouterOptions } from './create-router.js';
import { inFlight } from './in-flight.js';
import { closestCounts, shareOf } from './replica-ratio.js';
import type { PreparedPatch, Split, TrafficRouter, TrafficSnapshot } from './router.js';
import { type Routing, routingWords } from './routing.js';

/** Longest wait for an earlier write's answer before the patch of the way out is sent. */
const OVERTAKE_MS = 1_000;
const LOOK_EVERY_MS = 1_000;
/** Where a canary says whose it is, as a JSON pointer. */
const CANARY_OF = `/metadata/annotations/${annotations.canaryOf.replaceAll('/', '~1')}`;

/**
 * Splits traffic by the number of pods of each track behind one Service: the floor that needs no mesh. A weight is the closest ratio that
 * whole pods allow. Forward: what grows grows first and is ready before anything shrinks. Back: the canary goes to 0 at once.
 * It never writes `replicas` of a Deployment that an autoscaler owns, nor of a Deployment of the canary's name that is not its canary.
 */
export function replicasRouter(initial: KubeClient, options: RouterOptions): TrafficRouter {
  const { namespace, clock, snapshot } = options;
  const replicas = snapshot?.router === 'replicas' ? snapshot.stable.replicas : options.replicas;
  const client = options.signal ? initial.withSignal(options.signal) : initial;
  const writes = inFlight();
  let surge = true;
  let unowned = false;
  let last: { stable: KubeObject; canary: KubeObject | undefined } | undefined;

  /** Our canary; a Deployment of its name that somebody else made is none. */
  async function findCanary(by: KubeClient): Promise<KubeObject | undefined> {
    const found = await by.find(resources.deployments, namespace, options.canary);
    return found?.metadata.annotations?.[annotations.canaryOf] === options.stable ? found : undefined;
  }

  async function readBoth(by: KubeClient): Promise<{ stable: KubeObject; canary: KubeObject | undefined }> {
    const stable = await by.get(resources.deployments, namespace, options.stable);
    surge = allowsSurge(stable);
    last = { stable, canary: await findCanary(by) };
    return last;
  }

  async function scaleTo(by: KubeClient, name: string, count: number): Promise<KubeObject> {
    // After the signal only the way out may write: it must have the last word.
    if (by === client) options.signal?.throwIfAborted();
    const patch = { type: 'merge', body: { spec: { replicas: count } } } as const;
    const answer = await writes.send(() => by.withSignal(undefined).patch(resources.deployments, namespace, name, patch));
    if (last && name === options.stable) last = { ...last, stable: answer };
    return answer;
  }

  /** Scales when needed and, when it grew, waits until all of it is ready. */
  async function resize(deployment: KubeObject, count: number): Promise<void> {
    const before = replicasOf(deployment);
    if (before !== count && deployment.metadata.name === options.stable) await assertUnowned();
    const changed = before === count ? deployment : await scaleTo(client, deployment.metadata.name, count);
    if (count < before || isSettled(changed)) return;
    await waitReady(client, namespace, deployment.metadata.name, {
      generation: changed.metadata.generation ?? 0,
      timeoutMs: options.readyTimeoutMs,
      clock,
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }

  async function assertUnowned(): Promise<void> {
    if (!unowned) await refuseHpaOwned(client, namespace, options.stable);
    unowned = true;
  }

  /** Both Deployments with the pods that `percent` needs, the one that grows first. */
  async function planned(percent: number): Promise<{ deployment: KubeObject; count: number }[]> {
    const { stable, canary } = await readBoth(client);
    if (!canary) throw await canaryMissing(client, options);
    const wanted = closestCounts(replicas, percent, surge);
    if (percent < 100 && (wanted.canary === 0 || wanted.stable === 0)) throw impossible(percent, replicas, options);
    const both = [
      { deployment: canary, count: wanted.canary },
      { deployment: stable, count: wanted.stable },
    ];
    return replicasOf(canary) < wanted.canary ? both : both.reverse();
  }

  async function forward(percent: number): Promise<void> {
    for (const { deployment, count } of await planned(percent)) await resize(deployment, count);
  }

  /** The canary first: its users are safe with that. Stable grows back without being waited for, and not when an autoscaler sees to it. */
  async function back(by: KubeClient): Promise<void> {
    const canary = await findCanary(by);
    if (canary && replicasOf(canary) > 0) await scaleTo(by, options.canary, 0);
    const stable = await by.find(resources.deployments, namespace, options.stable);
    if (!stable || replicasOf(stable) >= replicas) return;
    if (unowned || !(await findHpa(by, namespace, options.stable))) await scaleTo(by, options.stable, replicas);
  }

  async function plannedBack(): Promise<{ deployment: KubeObject; count: number }[]> {
    const { stable, canary } = await readBoth(client);
    const owned = !unowned && (await findHpa(client, namespace, options.stable));
    return [
      ...(canary ? [{ deployment: canary, count: 0 }] : []),
      ...(owned ? [] : [{ deployment: stable, count: Math.max(replicas, replicasOf(stable)) }]),
    ];
  }

  async function read(): Promise<Split> {
    const { stable, canary } = await readBoth(client);
    const serving = { stable: availableOf(stable), canary: canary ? availableOf(canary) : 0 };
    const weight = shareOf(serving);
    const words = `${serving.canary} of ${serving.canary + serving.stable} ready pods are the canary’s (${weight.toFixed(0)} %)`;
    return { weight, mirror: 0, match: false, settled: isSettled(stable) && (!canary || isSettled(canary)), words };
  }

  /**
   * The canary to 0, on the condition that it is our canary: sent without reading first, it must not stop somebody else's Deployment. Then
   * stable as it was, when it is known to have less and no autoscaler sees to it.
   */
  function wayOut(): PreparedPatch[] {
    const canary = scalePatch(options.canary, 0, { path: CANARY_OF, value: options.stable });
    const had = last && replicasOf(last.stable);
    if (!unowned || had === undefined || had >= replicas) return [canary];
    return [canary, scalePatch(options.stable, replicas, { path: '/spec/replicas', value: had })];
  }

  function scalePatch(name: string, count: number, test: { path: string; value: unknown }): PreparedPatch {
    const body = [
      { op: 'test' as const, ...test },
      { op: 'add' as const, path: '/spec/replicas', value: count },
    ];
    const words = `scale Deployment ${namespace}/${name} to ${count}`;
    return { resource: resources.deployments, namespace, name, patch: { type: 'json', body }, words };
  }

  return {
    kind: 'replicas',
    async check() {
      const { stable } = await readBoth(client);
      await assertUnowned();
      if (replicas < 1 || (replicas === 1 && !allowsSurge(stable))) throw impossible(1, replicas, options);
    },
    async snapshot(): Promise<TrafficSnapshot> {
      if (snapshot) return snapshot;
      const { stable } = await readBoth(client);
      return { router: 'replicas', stable: { name: options.stable, replicas: replicasOf(stable) } };
    },
    capacity: ({ weight }, count) => closestCounts(count, weight, surge),
    async route(routing) {
      refuseMirror(routing);
      await (routing.weight <= 0 ? back(client) : forward(routing.weight));
    },
    async writes(routing) {
      refuseMirror(routing);
      const changes = await (routing.weight <= 0 ? plannedBack() : planned(routing.weight));
      return changes
        .filter(({ deployment, count }) => replicasOf(deployment) !== count)
        .map(({ deployment, count }) =>
          scalePatch(deployment.metadata.name, count, { path: '/spec/replicas', value: replicasOf(deployment) }),
        );
    },
    read,
    async verify({ weight }) {
      const deadline = clock.now() + options.readyTimeoutMs;
      for (;;) {
        const split = await read();
        const wanted = shareOf(closestCounts(replicas, weight, surge));
        if (split.settled && Math.abs(split.weight - wanted) < 0.01) return split;
        if (clock.now() + LOOK_EVERY_MS > deadline) throw notInForce(split, wanted, options);
        await clock.sleep(LOOK_EVERY_MS, options.signal);
      }
    },
    wayOut,
    async makeSafe(by = initial) {
      await writes.settled(clock, OVERTAKE_MS);
      const free = by.withSignal(undefined);
      const [{ resource, name, patch }] = wayOut() as [PreparedPatch];
      try {
        await free.patch(resource, namespace, name, patch);
      } catch (error) {
        // No canary, or one that is not ours: nobody meets ours.
        if (!(error instanceof OperationError && (error.reason === 'NOT_FOUND' || error.reason === 'CONFLICT'))) throw error;
      }
      await back(free);
    },
    cleanup: () => back(client),
  };
}

function replicasOf(deployment: KubeObject): number {
  return deployment.spec?.replicas ?? 1;
}

function availableOf(deployment: KubeObject): number {
  return deployment.status?.availableReplicas ?? 0;
}

/** All that is wanted is available, and nothing that is not wanted is left. */
function isSettled(deployment: KubeObject): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  const wanted = replicasOf(deployment);
  const seen = observedGeneration >= (deployment.metadata.generation ?? 0);
  return seen && replicas === wanted && updatedReplicas === wanted && availableReplicas === wanted;
}

/** Whether the Deployment may run more pods than it asks for; the API server's default is 25 %. */
function allowsSurge(deployment: KubeObject): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = deployment.spec?.strategy ?? {};
  if (type !== 'RollingUpdate') return false;
  return Number.parseInt(String(rollingUpdate?.maxSurge ?? '25%'), 10) > 0;
}

/** CANARY_NAME_TAKEN when there is a Deployment of its name. */
async function canaryMissing(client: KubeClient, { namespace, canary, stable }: RouterOptions): Promise<OperationError> {
  const other = await client.find(resources.deployments, namespace, canary);
  if (other) refuseForeign(other, stable);
  return new OperationError(`There is no Deployment ${namespace}/${canary} to send traffic to.`, {
    reason: 'CANARY_MISSING',
    next: ['Start the rollout first (canary-deploy, command `start`).'],
  });
}

function refuseMirror(routing: Routing): void {
  if (routing.mirror === 0) return;
  throw new OperationError(
    `${routingWords(routing)} cannot be had by counting pods: nothing is between the users and the pods that could copy requests.`,
    {
      reason: 'MIRROR_UNSUPPORTED',
      next: ['Take the mirror out of the steps in slipway.yml, or use `traffic.router: istio` or `gateway-api`.'],
    },
  );
}

function impossible(percent: number, replicas: number, { namespace, stable }: RouterOptions): OperationError {
  return new OperationError(
    `${percent} % cannot be had by counting pods: Deployment ${namespace}/${stable} runs ${replicas} pod${replicas === 1 ? '' : 's'} and may not surge.`,
    {
      reason: 'WEIGHT_IMPOSSIBLE',
      next: ['Run at least 2 pods, or allow `strategy.rollingUpdate.maxSurge: 1`, or use `traffic.router: istio`.'],
    },
  );
}

function notInForce(split: Split, wanted: number, { readyTimeoutMs }: RouterOptions): OperationError {
  return new OperationError(
    `After ${Math.round(readyTimeoutMs / 1000)} s the split is not the wanted ${wanted.toFixed(0)} %: ${split.words}.`,
    {
      reason: 'WEIGHT_NOT_IN_FORCE',
      next: ['See why pods do not come or go: kubectl describe the two Deployments.'],
      details: { weight: split.weight, wanted },
    },
  );
}
