import { type Clock, OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch, Resource } from '../kube.js';
import { resources } from '../resources.js';
import { inFlight } from './in-flight.js';
import type { IstioReader } from './istio-api.js';
import type { PreparedPatch } from './router.js';
import { stableAlone } from './routing.js';
import { findRoute, type OurRoute, type RouteRules } from './virtual-service.js';
import { routePatch } from './virtual-service-patch.js';

/** How often a change is computed anew because somebody else changed the VirtualService between reading and writing. */
const ATTEMPTS = 5;
/** Time in which a change that did not get through is computed anew, milliseconds: what the client gives one request with all its repeats. */
const DEADLINE_MS = 30_000;
/** Less than this is not worth another attempt; a client gives up a little before its own deadline. */
const SHORTEST_MS = 6_000;
/** Longest wait for an earlier write's answer before the patch of the way out is sent. */
const OVERTAKE_MS = 1_000;
/** The way out has little time; a request that hangs must leave some for the next. */
const WAY_OUT_TIMEOUT_MS = 1_500;

/** Computes the patch from the route as it is; undefined when nothing is to be written. */
export type Compute = (ours: OurRoute) => Patch | undefined;

/** One VirtualService, as read last. */
export interface VirtualServiceClient {
  readonly name: string;
  read(): Promise<OurRoute>;
  /** Writes what `compute` says, anew when somebody else was faster; `first` spares the first reading. */
  converge(compute: Compute, first?: OurRoute): Promise<void>;
  /** The patch as it can be sent without reading again. */
  prepare(patch: Patch): PreparedPatch;
  /** The patch that sends everybody to stable, by what was last read; null when they all go there, undefined before the first reading. */
  wayOut(): PreparedPatch | null | undefined;
  makeSafe(client: KubeClient): Promise<void>;
}

export interface VirtualServiceOptions {
  name: string;
  rules: RouteRules;
  clock: Clock;
  reader: IstioReader;
  signal: AbortSignal | undefined;
}

export function virtualServiceClient(initial: KubeClient, options: VirtualServiceOptions): VirtualServiceClient {
  const { name, rules, clock, reader, signal } = options;
  const { namespace } = rules;
  const client = signal ? initial.withSignal(signal) : initial;
  const writes = inFlight();
  let resource: Resource = resources.virtualservices;
  let last: OurRoute | undefined;

  async function readBy(by: KubeClient): Promise<OurRoute> {
    const found = await reader(by, resources.virtualservices, namespace, name);
    if (!found) throw notFound(namespace, name);
    resource = found.resource;
    return remember(found.object);
  }

  function remember(object: KubeObject): OurRoute {
    last = findRoute(object, rules);
    return last;
  }

  // A write that was begun is not cut off by the signal: whether it was done must be known before the way out is taken.
  async function write(by: KubeClient, patch: Patch, timeoutMs?: number): Promise<void> {
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    remember(await writes.send(() => by.withSignal(undefined).patch(resource, namespace, name, patch, options)));
  }

  /**
   * Reads, computes and writes until nothing is to be written; again when somebody else was faster, or an answer was lost, but not when the
   * client has already spent that time on repeating the request.
   */
  async function converge(by: KubeClient, compute: Compute, first: OurRoute | undefined, began = clock.now()): Promise<void> {
    let known = first;
    for (let attempt = 1; ; attempt++) {
      const patch = compute(known ?? (await readBy(by)));
      known = undefined;
      if (!patch) return;
      // After the signal only the way out may write: it must have the last word.
      if (by === client) signal?.throwIfAborted();
      try {
        return await write(by, patch);
      } catch (error) {
        if (!mayBeStale(error) || attempt >= ATTEMPTS || isSpent(began)) throw error;
      }
    }
  }

  const isSpent = (began: number) => clock.now() - began >= DEADLINE_MS - SHORTEST_MS;
  const toStable: Compute = (ours) => routePatch(ours, stableAlone, rules);
  const prepare = (patch: Patch): PreparedPatch => ({
    resource,
    namespace,
    name,
    patch,
    words: `change the ${rules.protocol} routes of VirtualService ${namespace}/${name}`,
  });

  return {
    name,
    read: () => readBy(client),
    converge: (compute, first) => converge(client, compute, first),
    prepare,
    wayOut() {
      if (!last) return undefined;
      const patch = toStable(last);
      if (!patch) return null;
      return { ...prepare(patch), words: `send all of VirtualService ${namespace}/${name} to ${rules.stableSubset}` };
    },
    async makeSafe(by) {
      const began = clock.now();
      await writes.settled(clock, OVERTAKE_MS);
      const patch = last && toStable(last);
      const free = by.withSignal(undefined);
      if (patch) {
        try {
          return await write(free, patch, WAY_OUT_TIMEOUT_MS);
        } catch (error) {
          if (!mayBeStale(error) || isSpent(began)) throw error;
        }
      }
      await converge(free, toStable, undefined, began);
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

function notFound(namespace: string, name: string): OperationError {
  return new OperationError(`There is no VirtualService ${namespace}/${name} (networking.istio.io/v1, v1beta1 or v1alpha3).`, {
    reason: 'VIRTUAL_SERVICE_NOT_FOUND',
    next: ['Correct `traffic.virtual-service` or the namespace in slipway.yml, or create it with a route that leads to the stable subset.'],
    details: { virtualService: name },
  });
}
