import { sameJson } from '../kube/object.js';
import type { Change, Store } from '../kube/store.js';
import { Backends } from './backends.js';
import { DelayedView } from './delayed-view.js';
import { type Endpoint, Endpoints } from './endpoints.js';
import { gatewayDecision, unresolvedBackend } from './gateway-routes.js';
import { reportTakenEffect } from './gateway-status.js';
import { ingressDecision } from './ingress-routes.js';
import { istioDecision } from './istio-routes.js';
import type { ClientRequest, Decision, RouteTarget } from './route.js';

export interface RouteTableOptions {
  /** Between a change of a route and its effect, milliseconds. */
  applyDelay: number;
  /** How late clients learn that a pod has come or gone, milliseconds. */
  endpointDelay: number;
}

const routeKinds = ['VirtualService', 'DestinationRule', 'HTTPRoute', 'ReferenceGrant', 'Ingress'];

/** All that proxies know of where requests go. */
export class RouteTable {
  private readonly routes: DelayedView;
  private readonly world: DelayedView;
  private readonly backends: Backends;
  private readonly known: Endpoints;
  private readonly turns = new Map<string, number>();

  constructor(
    private readonly store: Store,
    options: RouteTableOptions,
    now: () => number,
  ) {
    this.routes = new DelayedView(store, routeKinds, options.applyDelay, now, changesTraffic);
    this.world = new DelayedView(store, ['EndpointSlice', 'Pod'], options.endpointDelay, now);
    this.backends = new Backends(store);
    this.known = new Endpoints(this.world);
  }

  stop(): void {
    this.routes.stop();
    this.world.stop();
  }

  advance(now: number): void {
    for (const { type, object } of this.routes.advance(now)) {
      if (object.kind !== 'HTTPRoute' || type === 'DELETED') continue;
      reportTakenEffect(this.store, object, unresolvedBackend(this.routes, this.backends, object), now);
    }
    this.world.advance(now);
  }

  /** Asks the kinds of route in turn: the first that knows the host decides, else the Service itself. */
  resolve(request: ClientRequest): Decision {
    for (const [via, ask] of Object.entries(deciders)) {
      if (request.via && request.via !== via) continue;
      const decision = ask(this.routes, this.backends, request);
      if (decision) return decision;
    }
    const { namespace, service, port } = request;
    const target: RouteTarget = { namespace, service, port, subset: '', labels: {}, weight: 1 };
    return { route: `Service ${namespace}/${service}`, targets: [target], mirrors: [], code: 0 };
  }

  endpoints(target: RouteTarget): Endpoint[] {
    return target.fault ? [] : this.known.of(target);
  }

  /** The next ready endpoint of a target, in turn. */
  next(target: RouteTarget): Endpoint | undefined {
    const ready = this.endpoints(target);
    const key = `${target.namespace}/${target.service}/${target.subset}`;
    const turn = this.turns.get(key) ?? 0;
    this.turns.set(key, turn + 1);
    return ready[turn % ready.length];
  }
}

/** By the name that the annotation `via` gives them, in the order asked. */
const deciders = { istio: istioDecision, gateway: gatewayDecision, ingress: ingressDecision };

/** A status written to a route changes nothing for traffic. */
function changesTraffic({ type, object, previous }: Change): boolean {
  if (type !== 'MODIFIED' || !previous) return true;
  return !sameJson(object.spec, previous.spec) || !sameJson(object.metadata.annotations ?? {}, previous.metadata.annotations ?? {});
}
