import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch } from '../kube.js';
import { resources } from '../resources.js';
import type { RouterConfig, RouterOptions } from './create-router.js';
import { checkSubsets } from './destination-rule.js';
import { inFlight } from './in-flight.js';
import type { Capacity, SafePatch, Split, TrafficRouter, TrafficSnapshot } from './router.js';
import { findRoute, HEADER_ROUTE, type OurRoute, restorePatch, routeWords, snapshotOf, weightPatch } from './virtual-service.js';

type IstioOptions = RouterOptions & { traffic: Extract<RouterConfig, { router: 'istio' }> };

/** How often a change is computed anew because somebody else changed the VirtualService between reading and writing. */
const ATTEMPTS = 5;
/** Time in which a change that did not get through is computed anew, milliseconds: what the client gives one request with all its repeats. */
const DEADLINE_MS = 30_000;
/** Less than this is not worth another attempt; a client gives up a little before its own deadline. */
const SHORTEST_MS = 6_000;
/** Longest wait for an earlier write's answer before the patch of the way out is sent. */
const OVERTAKE_MS = 1_000;
/** The way out has little time; a request that hangs must leave some for the next. */
const SAFE_PATCH_TIMEOUT_MS = 1_500;

/**
 * Splits traffic by the weights of one http route of an Istio VirtualService. Writes JSON patches with tests, so that routes and fields of
 * others stay as they are and a change made meanwhile is noticed instead of overwritten.
 */
export function istioRouter(initial: KubeClient, options: IstioOptions): TrafficRouter {
  const { namespace, traffic, clock } = options;
  const client = options.signal ? initial.withSignal(options.signal) : initial;
  const writes = inFlight();
  let last: OurRoute | undefined;

  async function readRoute(by: KubeClient): Promise<OurRoute> {
    const found = await by.find(resources.virtualservices, namespace, traffic.virtualService);
    if (!found) throw notFound(options);
    return remember(found);
  }

  function remember(service: KubeObject): OurRoute {
    last = findRoute(service, traffic);
    return last;
  }

  // A write that was begun is not cut off by the signal: whether it was done must be known before the way out is taken.
  async function write(by: KubeClient, patch: Patch, timeoutMs?: number): Promise<void> {
    const sent = () =>
      by
        .withSignal(undefined)
        .patch(resources.virtualservices, namespace, traffic.virtualService, patch, timeoutMs === undefined ? {} : { timeoutMs });
    remember(await writes.send(sent));
  }

  /**
   * Reads, computes and writes until nothing is to be written; again when somebody else was faster, or an answer was lost, but not when the
   * client has already spent that time on repeating the request.
   */
  async function converge(by: KubeClient, compute: (ours: OurRoute) => Patch | undefined, began = clock.now()): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const patch = compute(await readRoute(by));
      if (!patch) return;
      // After the signal only the way out may write: it must have the last word.
      if (by === client) options.signal?.throwIfAborted();
      try {
        return await write(by, patch);
      } catch (error) {
        if (!mayBeStale(error) || attempt >= ATTEMPTS || clock.now() - began >= DEADLINE_MS - SHORTEST_MS) throw error;
      }
    }
  }

  function safePatch(): SafePatch | undefined {
    const patch = last && weightPatch(last, 0, traffic);
    if (!patch) return undefined;
    const words = `send all of VirtualService ${namespace}/${traffic.virtualService} to ${traffic.stableSubset}`;
    return { resource: resources.virtualservices, namespace, name: traffic.virtualService, patch, words };
  }

  async function read(): Promise<Split> {
    const ours = await readRoute(client);
    const where = `http route ${routeWords(ours.route, ours.index)} of VirtualService ${namespace}/${traffic.virtualService}`;
    const header = ours.header === -1 ? '' : `, and requests with ${traffic.header ?? 'the canary header'} (route ${HEADER_ROUTE})`;
    return { weight: ours.weight, settled: true, words: `${ours.weight} % to the canary by ${where}${header}` };
  }

  return {
    kind: 'istio',
    async check() {
      await readRoute(client);
      await checkSubsets(client, namespace, { ...traffic, kubeService: options.kubeService });
    },
    async snapshot(): Promise<TrafficSnapshot> {
      if (options.snapshot) return options.snapshot;
      return { router: 'istio', virtualService: traffic.virtualService, route: snapshotOf(await readRoute(client)) };
    },
    capacity: (percent, replicas): Capacity => ({
      stable: replicas,
      canary: percent <= 0 ? 0 : Math.max(1, Math.ceil((replicas * percent) / 100)),
    }),
    setWeight: (percent) => converge(client, (ours) => weightPatch(ours, percent, traffic)),
    read,
    async verify(percent) {
      const split = await read();
      if (split.weight === percent) return split;
      throw new OperationError(`The wanted ${percent} % are not in force: ${split.words}.`, {
        reason: 'WEIGHT_NOT_IN_FORCE',
        next: [
          'Somebody else changes this route, too (a GitOps controller? another pipeline?). Let it ignore the weights, then run this again.',
        ],
        details: { weight: split.weight, wanted: percent },
      });
    },
    safePatch,
    async makeSafe(by = initial) {
      const began = clock.now();
      await writes.settled(clock, OVERTAKE_MS);
      const prepared = safePatch();
      const free = by.withSignal(undefined);
      if (prepared) {
        try {
          return await write(free, prepared.patch, SAFE_PATCH_TIMEOUT_MS);
        } catch (error) {
          if (!mayBeStale(error) || clock.now() - began >= DEADLINE_MS - SHORTEST_MS) throw error;
        }
      }
      await converge(free, (ours) => weightPatch(ours, 0, traffic), began);
    },
    cleanup: () => {
      const snapshot = options.snapshot?.router === 'istio' ? options.snapshot.route : undefined;
      return converge(client, (ours) => restorePatch(ours, snapshot, traffic));
    },
  };
}

/** A test of the patch failed, or nobody knows whether it was done: reading again tells. */
function mayBeStale(error: unknown): boolean {
  return (
    error instanceof OperationError &&
    (error.reason === 'CONFLICT' || (error.reason === 'API_UNAVAILABLE' && error.details.ambiguous === true))
  );
}

function notFound({ namespace, traffic: { virtualService } }: IstioOptions): OperationError {
  return new OperationError(`There is no VirtualService ${namespace}/${virtualService} (networking.istio.io/v1, Istio 1.22 or later).`, {
    reason: 'VIRTUAL_SERVICE_NOT_FOUND',
    next: ['Correct `traffic.virtual-service` or the namespace in slipway.yml, or create it with a route that leads to the stable subset.'],
  });
}
