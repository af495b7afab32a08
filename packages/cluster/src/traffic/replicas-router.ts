import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';
import { waitReady } from '../workloads/ready.js';
import { findHpa, refuseHpaOwned } from '../workloads/replicas.js';
import type { RouterOptions } from './create-router.js';
import { inFlight } from './in-flight.js';
import { closestCounts, shareOf } from './replica-ratio.js';
import type { Capacity, SafePatch, Split, TrafficRouter, TrafficSnapshot } from './router.js';

/** Longest wait for an earlier write's answer before the patch of the way out is sent. */
const OVERTAKE_MS = 1_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Splits traffic by the number of pods of each track behind one Service: the floor that needs no mesh. A weight is the closest ratio that
 * whole pods allow. Forward: what grows grows first and is ready before anything shrinks. Back: the canary goes to 0 at once.
 * It never writes `replicas` of a Deployment that an autoscaler owns.
 */
export function replicasRouter(initial: KubeClient, options: RouterOptions): TrafficRouter {
  const { namespace, clock, snapshot } = options;
  const replicas = snapshot?.router === 'replicas' ? snapshot.stable.replicas : options.replicas;
  const client = options.signal ? initial.withSignal(options.signal) : initial;
  const writes = inFlight();
  let surge = true;
  let unowned = false;

  async function readBoth(by: KubeClient): Promise<{ stable: KubeObject; canary: KubeObject | undefined }> {
    const stable = await by.get(resources.deployments, namespace, options.stable);
    surge = allowsSurge(stable);
    return { stable, canary: await by.find(resources.deployments, namespace, options.canary) };
  }

  async function scaleTo(by: KubeClient, name: string, count: number): Promise<KubeObject> {
    // After the signal only the way out may write: it must have the last word.
    if (by === client) options.signal?.throwIfAborted();
    const patch = { type: 'merge', body: { spec: { replicas: count } } } as const;
    return writes.send(() => by.withSignal(undefined).patch(resources.deployments, namespace, name, patch));
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

  async function forward(percent: number): Promise<void> {
    const { stable, canary } = await readBoth(client);
    if (!canary) throw canaryMissing(options);
    const wanted = closestCounts(replicas, percent, surge);
    if (percent < 100 && (wanted.canary === 0 || wanted.stable === 0)) throw impossible(percent, replicas, options);
    const order = replicasOf(canary) < wanted.canary ? [canary, stable] : [stable, canary];
    for (const deployment of order) await resize(deployment, deployment === canary ? wanted.canary : wanted.stable);
  }

  /** The canary first: its users are safe with that. Stable grows back without being waited for, and not when an autoscaler sees to it. */
  async function back(by: KubeClient): Promise<void> {
    const canary = await by.find(resources.deployments, namespace, options.canary);
    if (canary && replicasOf(canary) > 0) await scaleTo(by, options.canary, 0);
    const stable = await by.find(resources.deployments, namespace, options.stable);
    if (!stable || replicasOf(stable) >= replicas) return;
    if (unowned || !(await findHpa(by, namespace, options.stable))) await scaleTo(by, options.stable, replicas);
  }

  async function read(): Promise<Split> {
    const { stable, canary } = await readBoth(client);
    const serving = { stable: availableOf(stable), canary: canary ? availableOf(canary) : 0 };
    const weight = shareOf(serving);
    const words = `${serving.canary} of ${serving.canary + serving.stable} ready pods are the canary’s (${weight.toFixed(0)} %)`;
    return { weight, settled: isSettled(stable) && (!canary || isSettled(canary)), words };
  }

  function safePatch(): SafePatch {
    const patch = { type: 'merge', body: { spec: { replicas: 0 } } } as const;
    const words = `scale Deployment ${namespace}/${options.canary} to 0`;
    return { resource: resources.deployments, namespace, name: options.canary, patch, words };
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
    capacity: (percent, count): Capacity => closestCounts(count, percent, surge),
    setWeight: (percent) => (percent <= 0 ? back(client) : forward(percent)),
    read,
    async verify(percent) {
      const deadline = clock.now() + options.readyTimeoutMs;
      for (;;) {
        const split = await read();
        const wanted = shareOf(closestCounts(replicas, percent, surge));
        if (split.settled && Math.abs(split.weight - wanted) < 0.01) return split;
        if (clock.now() + LOOK_EVERY_MS > deadline) throw notInForce(split, wanted, options);
        await clock.sleep(LOOK_EVERY_MS, options.signal);
      }
    },
    safePatch,
    async makeSafe(by = initial.withSignal(undefined)) {
      await writes.settled(clock, OVERTAKE_MS);
      const { resource, name, patch } = safePatch();
      try {
        await by.patch(resource, namespace, name, patch);
      } catch (error) {
        // No canary: nobody meets it.
        if (!(error instanceof OperationError && error.reason === 'NOT_FOUND')) throw error;
      }
      await back(by);
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

function canaryMissing({ namespace, canary }: RouterOptions): OperationError {
  return new OperationError(`There is no Deployment ${namespace}/${canary} to send traffic to.`, {
    reason: 'CANARY_MISSING',
    next: ['Start the rollout first (canary-deploy, command `start`).'],
  });
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
