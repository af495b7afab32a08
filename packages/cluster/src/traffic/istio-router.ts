import { OperationError } from '@slipway/core';
import type { KubeClient } from '../kube.js';
import { hasMatch, refuseTakenMatch } from './canary-routes.js';
import type { RouterConfig, RouterOptions } from './create-router.js';
import { checkSubsets } from './destination-rule.js';
import { eachOf } from './each-of.js';
import { refuseGitopsOwner } from './gitops-owner.js';
import { istioReader } from './istio-api.js';
import { meshCapacity } from './mesh-capacity.js';
import type { PreparedPatch, Split, TrafficRouter, TrafficSnapshot } from './router.js';
import { meetsNobody, type Routing, routingWords, stableAlone } from './routing.js';
import { type OurRoute, type RouteRules, refuseUnsound, snapshotOf, stateOf } from './virtual-service.js';
import { type VirtualServiceClient, virtualServiceClient } from './virtual-service-client.js';
import { restorePatch, routePatch } from './virtual-service-patch.js';
import { nameOf } from './virtual-service-refusals.js';

type IstioOptions = RouterOptions & { traffic: Extract<RouterConfig, { router: 'istio' }> };

/**
 * Splits traffic by the weights of one route in each of the given Istio VirtualServices; all of them split the same. Writes JSON patches with tests,
 * so that routes and fields of others stay as they are and a change made meanwhile is noticed instead of overwritten.
 */
export function istioRouter(initial: KubeClient, options: IstioOptions): TrafficRouter {
  const { namespace, traffic, clock, signal } = options;
  const client = signal ? initial.withSignal(signal) : initial;
  const rules: RouteRules = { ...traffic, namespace, service: options.kubeService };
  const reader = istioReader();
  const services = traffic.virtualServices.map((name) => virtualServiceClient(initial, { name, rules, clock, reader, signal }));
  const each = <R>(work: (service: VirtualServiceClient) => Promise<R>) => eachOf('VirtualService', services, work);
  const write = async (work: (service: VirtualServiceClient) => Promise<void>): Promise<void> => {
    await eachOf('VirtualService', services, work, 'As wanted');
  };

  /** What of a routing this router can tell apart: without header and cookie, `match` adds nothing. */
  const meant = (routing: Routing): Routing => ({ ...routing, match: routing.match && hasMatch(rules) });

  /** Every VirtualService with its route; what refuses does so before anything is written. */
  async function planned(routing: Routing): Promise<Map<VirtualServiceClient, OurRoute>> {
    refuseWithoutHttp(routing, rules);
    const pairs = await each(async (service) => {
      const ours = await service.read();
      routePatch(ours, routing, rules);
      return [service, ours] as const;
    });
    return new Map(pairs);
  }

  async function read(): Promise<Split> {
    return splitOf(await each((service) => service.read()), rules);
  }

  return {
    kind: 'istio',
    async check() {
      refuseWithoutHttp({ ...stableAlone, match: hasMatch(rules) }, rules);
      await each(async (service) => {
        const ours = await service.read();
        refuseUnsound(ours, rules);
        refuseTakenMatch(ours, rules);
        refuseGitopsOwner(ours.where, [['spec', rules.protocol]], traffic.gitopsIgnoresWeights);
      });
      await checkSubsets(client, reader, { ...traffic, namespace, kubeService: options.kubeService, stable: options.stable });
    },
    async snapshot(): Promise<TrafficSnapshot> {
      if (options.snapshot) return options.snapshot;
      const virtualServices = await each(async (service) => ({ name: service.name, route: snapshotOf(await service.read()) }));
      return { router: 'istio', virtualServices };
    },
    capacity: (routing, replicas) => meshCapacity(meant(routing), replicas),
    async route(routing) {
      const wanted = meant(routing);
      // Nobody to the canary is a way out: what can be written is, whatever is wrong elsewhere.
      const known = meetsNobody(wanted) ? new Map() : await planned(wanted);
      await write((service) => service.converge((ours) => routePatch(ours, wanted, rules), known.get(service)));
    },
    async writes(routing) {
      const wanted = meant(routing);
      const known = await planned(wanted);
      return [...known].flatMap(([service, ours]) => {
        const patch = routePatch(ours, wanted, rules);
        return patch ? [service.prepare(patch)] : [];
      });
    },
    read,
    async verify(routing) {
      const wanted = meant(routing);
      const split = await read();
      if (isInForce(split, wanted)) return split;
      throw new OperationError(`Wanted is ${routingWords(wanted)} to the canary, in force is: ${split.words}.`, {
        reason: 'WEIGHT_NOT_IN_FORCE',
        next: [
          'Somebody else changes this route, too (a GitOps controller? another pipeline?). Let it ignore the weights, then run this again.',
        ],
        details: { weight: split.weight, wanted: wanted.weight, mirror: split.mirror, match: split.match },
      });
    },
    wayOut(): PreparedPatch[] | undefined {
      const patches = services.map((service) => service.wayOut());
      if (patches.includes(undefined)) return undefined;
      return patches.filter((patch): patch is PreparedPatch => patch !== null && patch !== undefined);
    },
    makeSafe: (by = initial) => write((service) => service.makeSafe(by)),
    async cleanup() {
      const snapshots = options.snapshot?.router === 'istio' ? options.snapshot.virtualServices : [];
      await write((service) => {
        const snapshot = snapshots.find(({ name }) => name === service.name)?.route;
        return service.converge((ours) => restorePatch(ours, snapshot, rules));
      });
    },
  };
}

/** One split out of several routes that ought to say the same: what most users of the canary meet, settled when they do. Pure. */
function splitOf(all: OurRoute[], rules: RouteRules): Split {
  const states = all.map((ours) => stateOf(ours, rules));
  const weight = Math.max(...states.map((state) => state.weight));
  const mirror = Math.max(...states.map((state) => state.mirror));
  const match = states.some((state) => state.match !== 'none');
  const settled = states.every(
    (state) =>
      state.weight === weight && state.mirror === mirror && state.match === (match ? 'all' : 'none') && (state.whole || weight === 0),
  );
  return { weight, mirror, match, settled, words: all.map((ours) => wordsOf(ours, rules)).join('; ') };
}

function wordsOf(ours: OurRoute, rules: RouteRules): string {
  const { weight, mirror, match, whole } = stateOf(ours, rules);
  const { namespace, name } = ours.where.metadata;
  const asks =
    [rules.header && `header ${rules.header}`, rules.cookie && `cookie ${rules.cookie}`].filter(Boolean).join(' or ') ||
    'the canary’s header';
  return [
    `${weight} % to the canary by ${nameOf(ours.route, ours.index, rules)} of VirtualService ${namespace}/${name}`,
    ...(whole ? [] : ['the rest not to stable alone']),
    ...(mirror > 0 ? [`a copy of ${mirror} %`] : []),
    ...(match === 'all' ? [`requests with ${asks}`] : []),
    ...(match === 'some' ? [`some requests with ${asks}: a route for them is missing, was changed or is out of place`] : []),
  ].join(', ');
}

function isInForce(split: Split, wanted: Routing): boolean {
  return split.settled && split.weight === wanted.weight && split.mirror === wanted.mirror && split.match === wanted.match;
}

/** NEEDS_HTTP_ROUTE: tls and tcp routes see connections, which have no headers and cannot be copied. */
function refuseWithoutHttp({ mirror, match }: Routing, { protocol }: RouteRules): void {
  if (protocol === 'http' || (mirror === 0 && !match)) return;
  throw new OperationError(
    `${mirror > 0 ? 'Mirroring' : 'Routing by header or cookie'} needs http routes; \`traffic.protocol\` is ${protocol}, whose routes see connections and not requests.`,
    {
      reason: 'NEEDS_HTTP_ROUTE',
      next: [
        mirror > 0 ? 'Take the mirror out of the steps in slipway.yml.' : 'Take `header` and `cookie` out of `traffic` in slipway.yml.',
        'Or split the http route, with `traffic.protocol: http`.',
      ],
    },
  );
}
