import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch } from '../kube.js';
import { resources } from '../resources.js';
import { describe } from '../workloads/workload.js';
import type { RouterConfig, RouterOptions } from './create-router.js';
import { awaitServing } from './endpoints.js';
import { refuseGitopsOwner } from './gitops-owner.js';
import {
  greatestMirror,
  greatestWeight,
  type HttpRouteView,
  matchHeaders,
  type Rule,
  rulesOf,
  ruleWords,
  viewHttpRoute,
} from './http-route.js';
import { mirrorShare, writable } from './http-route-mirror.js';
import { restorePatch, routingPatch } from './http-route-patch.js';
import { refuseForeignRules, refuseTakenMatch, refuseUnsound } from './http-route-refusals.js';
import { routeStatus } from './http-route-status.js';
import { managedObject } from './managed-object.js';
import { meshCapacity } from './mesh-capacity.js';
import type { PreparedPatch, Split, TrafficRouter, TrafficSnapshot } from './router.js';
import { meetsNobody, type Routing, routingWords, stableAlone } from './routing.js';
import {
  canaryServiceOf,
  checkTrackServices,
  ensureCanaryService,
  isCanaryGone,
  isOurs,
  readService,
  removeOurService,
} from './track-services.js';

type GatewayApiOptions = RouterOptions & { traffic: Extract<RouterConfig, { router: 'gateway-api' }> };

/** Time between two looks at what the route's controllers say. */
const LOOK_EVERY_MS = 500;
/** A route that was applied a moment ago is given this long to be accepted before a rollout begins. */
const ACCEPT_MS = 15_000;

/**
 * Splits traffic by the weights of the rules of one HTTPRoute that lead to the stable Service; header and cookie by rules of its own, a mirror by
 * a filter. The canary has a Service of its own, made for the rollout when there is none. Writes JSON patches with tests.
 */
export function gatewayApiRouter(initial: KubeClient, options: GatewayApiOptions): TrafficRouter {
  const { namespace, traffic, clock, signal } = options;
  const client = signal ? initial.withSignal(signal) : initial;
  const rules = { ...traffic, kubeService: options.kubeService };
  const place = `HTTPRoute ${namespace}/${traffic.httpRoute}`;
  let mirrorProven = false;

  const route = managedObject<HttpRouteView>(initial, {
    resource: resources.httproutes,
    namespace,
    name: traffic.httpRoute,
    clock,
    signal,
    parse: (object) => {
      if (!object) throw notFound(options);
      return viewHttpRoute(object, rules);
    },
  });

  /** What this router can tell apart: without header and cookie, `match` adds nothing; and a share as it can be written. */
  const meant = ({ weight, mirror, match }: Routing): Routing => ({
    weight,
    mirror: writable(mirror),
    match: match && matchHeaders(rules).length > 0,
  });
  const servicesOf = ({ stableService }: HttpRouteView) => ({
    namespace,
    workload: options.stable,
    stableService,
    canaryService: traffic.canaryService,
  });
  const dryRun = (patch: Patch): Promise<KubeObject> =>
    client.patch(resources.httproutes, namespace, traffic.httpRoute, patch, { dryRun: true });
  const prepared = (patch: Patch, words: string): PreparedPatch => ({
    resource: resources.httproutes,
    namespace,
    name: traffic.httpRoute,
    patch,
    words,
  });

  /** An older definition of HTTPRoute drops the share, and a mirror without a share is one of all requests. */
  async function proveMirror(view: HttpRouteView, routing: Routing): Promise<void> {
    if (routing.mirror === 0 || mirrorProven) return;
    const patch = routingPatch(view, routing, rules);
    const answer = patch ? await dryRun(patch) : view.object;
    const shares = view.split.map(({ index }) => mirrorShare(rulesOf(answer)[index]?.filters, traffic.canaryService));
    if (!shares.every((share) => share === routing.mirror)) throw mirrorUnsupported(place, routing.mirror);
    mirrorProven = true;
  }

  function splitOf(view: HttpRouteView): Split {
    const weight = greatestWeight(view);
    const mirror = greatestMirror(view);
    const match = view.matches.length > 0;
    const where = view.split.map(ruleWords).join(', ');
    const words = `${place}: ${routingWords({ weight, mirror, match })} to Service ${traffic.canaryService} (${where})`;
    const status = routeStatus(view.object, { backends: weight > 0 || mirror > 0 || match });
    return { weight, mirror, match, settled: status.state === 'in-force' && isEven(view), words };
  }

  async function awaitInForce(routing: Routing): Promise<Split> {
    const deadline = clock.now() + options.readyTimeoutMs;
    for (;;) {
      const view = await route.read();
      const split = splitOf(view);
      // A difference that a write of ours would remove was made by somebody else; waiting does not help.
      if (routingPatch(view, routing, rules)) throw notInForce(split, routing);
      if (split.settled) return split;
      if (clock.now() + LOOK_EVERY_MS > deadline) throw unaccepted(view.object, !meetsNobody(routing));
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async function awaitAccepted(view: HttpRouteView): Promise<void> {
    const deadline = clock.now() + Math.min(ACCEPT_MS, options.readyTimeoutMs);
    // Backends are not asked for yet: the canary's Service may be one that is still to be made.
    for (let { object } = view; routeStatus(object, { backends: false }).state !== 'in-force'; { object } = await route.read()) {
      if (clock.now() + LOOK_EVERY_MS > deadline) throw unaccepted(object, false);
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async function prepareCanary(view: HttpRouteView): Promise<void> {
    await ensureCanaryService(client, servicesOf(view));
  }

  async function isCanaryServiceOurs(): Promise<boolean> {
    const service = await client.find(resources.services, namespace, traffic.canaryService);
    return !service || isOurs(service, options.stable);
  }

  return {
    kind: 'gateway-api',
    async check() {
      const view = await route.read();
      refuseUnsound(view);
      refuseForeignRules(view);
      refuseTakenMatch(view, rules);
      refuseGitopsOwner(view.object, [['spec', 'rules']], traffic.gitopsIgnoresWeights);
      await checkTrackServices(client, servicesOf(view));
      await awaitAccepted(view);
      const patch = routingPatch(view, { weight: 1, mirror: 0, match: true }, rules);
      if (patch) await dryRun(patch);
    },
    prepare: async () => prepareCanary(await route.read()),
    async snapshot(): Promise<TrafficSnapshot> {
      if (options.snapshot) return options.snapshot;
      const view = await route.read();
      const ours = view.matches.map(({ index }) => index);
      return {
        router: 'gateway-api',
        httpRoute: traffic.httpRoute,
        rules: rulesOf(view.object).filter((_, index) => !ours.includes(index)),
        madeCanaryService: await isCanaryServiceOurs(),
      };
    },
    capacity: (routing, replicas) => meshCapacity(meant(routing), replicas),
    async route(asked) {
      const routing = meant(asked);
      if (!meetsNobody(routing)) {
        const view = await route.read();
        refuseUnsound(view);
        await proveMirror(view, routing);
        await prepareCanary(view);
        const { canary: deployment, readyTimeoutMs: timeoutMs } = options;
        await awaitServing(client, namespace, traffic.canaryService, { deployment, clock, timeoutMs, signal });
      }
      await route.converge((view) => routingPatch(view, routing, rules));
    },
    async writes(asked) {
      const routing = meant(asked);
      const view = await route.read();
      const patch = routingPatch(view, routing, rules);
      const service = meetsNobody(routing) ? [] : await serviceToCome(client, servicesOf(view));
      return [...service, ...(patch ? [prepared(patch, `send ${routingWords(routing)} of ${place} to ${traffic.canaryService}`)] : [])];
    },
    read: async () => splitOf(await route.read()),
    verify: (routing) => awaitInForce(meant(routing)),
    wayOut() {
      const last = route.last();
      if (!last) return undefined;
      const patch = routingPatch(last.seen, stableAlone, rules);
      return patch ? [prepared(patch, `send all of ${place} to Service ${last.seen.stableService}`)] : [];
    },
    makeSafe: (by) => route.overtake((view) => routingPatch(view, stableAlone, rules), by),
    async cleanup() {
      const before = options.snapshot?.router === 'gateway-api' ? options.snapshot : undefined;
      const made = before ? before.madeCanaryService : await isCanaryServiceOurs();
      await route.converge((view) => restorePatch(view, before?.rules as Rule[] | undefined, rules, { keepBackend: !made }));
      // As long as the canary is there, proxies may still be on their way to the new route, and would find no pods behind its Service.
      if (!made || !(await isCanaryGone(client, namespace, options.canary))) return;
      await removeOurService(client, namespace, traffic.canaryService, options.stable);
    },
  };
}

/** All rules that lead to stable share out their requests alike. */
function isEven({ split }: HttpRouteView): boolean {
  return split.every(({ weight, mirror }) => weight === split[0]?.weight && mirror === split[0]?.mirror);
}

async function serviceToCome(
  client: KubeClient,
  names: { namespace: string; workload: string; stableService: string; canaryService: string },
): Promise<PreparedPatch[]> {
  const { namespace, workload, stableService, canaryService: name } = names;
  if (await client.find(resources.services, namespace, name)) return [];
  const body = canaryServiceOf(await readService(client, namespace, stableService), { name, workload });
  const patch: Patch = { type: 'apply', body, fieldManager: 'slipway' };
  return [{ resource: resources.services, namespace, name, patch, words: `create Service ${namespace}/${name} for the canary’s pods` }];
}

function notInForce(split: Split, routing: Routing): OperationError {
  return new OperationError(`Wanted is ${routingWords(routing)} to the canary; that is not in force: ${split.words}.`, {
    reason: 'WEIGHT_NOT_IN_FORCE',
    next: [
      'Somebody else changes this route, too (a GitOps controller? another pipeline?). Let it ignore the weights, then run this again.',
    ],
    details: { weight: split.weight, wanted: routing.weight },
  });
}

function unaccepted(object: KubeObject, backends: boolean): OperationError {
  const status = routeStatus(object, { backends });
  const { namespace, name } = object.metadata;
  const look = `kubectl -n ${namespace} get httproute/${name} -o jsonpath='{.status.parents}'`;
  if (status.state === 'unreported') {
    return new OperationError(`${describe(object)} is in nobody's hands: ${status.words}. Its weights would change nothing.`, {
      reason: 'HTTP_ROUTE_UNREPORTED',
      next: [`Install a Gateway API controller for its parents, or correct spec.parentRefs. See: ${look}`],
    });
  }
  const words = status.state === 'not-accepted' ? status.words : 'its rules differ from each other';
  return new OperationError(`${describe(object)} is not in force as it is now: ${words}.`, {
    reason: 'HTTP_ROUTE_NOT_ACCEPTED',
    next: [`Correct what the controller complains of, then run this again. See: ${look}`],
  });
}

function mirrorUnsupported(place: string, mirror: number): OperationError {
  return new OperationError(
    `The HTTPRoute definition of this cluster drops the share of a mirror (it came with Gateway API 1.2): ${place} would mirror all requests, not ${mirror} %.`,
    {
      reason: 'MIRROR_PERCENT_UNSUPPORTED',
      next: ['Update the Gateway API definitions to v1.2 or later, or take `mirror` out of the steps.'],
    },
  );
}

function notFound({ namespace, traffic: { httpRoute } }: GatewayApiOptions): OperationError {
  return new OperationError(`There is no HTTPRoute ${namespace}/${httpRoute} (gateway.networking.k8s.io/v1, Gateway API 1.0 or later).`, {
    reason: 'HTTP_ROUTE_NOT_FOUND',
    next: ['Correct `traffic.http-route` or the namespace in slipway.yml, or create it with a rule that leads to the stable Service.'],
  });
}
