import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch } from '../kube.js';
import { annotations } from '../names.js';
import { resources } from '../resources.js';
import type { RouterConfig, RouterOptions } from './create-router.js';
import { awaitServing } from './endpoints.js';
import { managedObject } from './managed-object.js';
import { meshCapacity } from './mesh-capacity.js';
import { canaryIngressOf, ingressPatch, refuseOtherCanary, routingOf, stableServiceOf } from './nginx-ingress.js';
import type { PreparedPatch, Split, TrafficRouter, TrafficSnapshot } from './router.js';
import { meetsNobody, type Routing, routingWords, sameRouting, stableAlone } from './routing.js';
import { checkTrackServices, ensureCanaryService, isCanaryGone, isOurs, removeOurService } from './track-services.js';

type NginxOptions = RouterOptions & { traffic: Extract<RouterConfig, { router: 'nginx' }> };

/**
 * Splits traffic by a canary Ingress of ingress-nginx, `<ingress>-canary`, made for the rollout and deleted after it. The stable Ingress is never
 * written. The canary has a Service of its own, made when there is none.
 */
export function nginxRouter(initial: KubeClient, options: NginxOptions): TrafficRouter {
  const { namespace, traffic, clock, signal } = options;
  const client = signal ? initial.withSignal(signal) : initial;
  const rules = { ...traffic, kubeService: options.kubeService };
  const name = `${traffic.ingress}-canary`;
  const place = `Ingress ${namespace}/${name}`;
  let stableIngress: KubeObject | undefined;

  /** One of that name that is not ours is nobody's canary as far as we are concerned, and is left alone. */
  const canary = managedObject<KubeObject | undefined>(initial, {
    resource: resources.ingresses,
    namespace,
    name,
    clock,
    signal,
    parse: (object) => (object && isOurs(object, options.stable) ? object : undefined),
  });

  async function readStable(): Promise<KubeObject> {
    const found = await client.find(resources.ingresses, namespace, traffic.ingress);
    if (!found) throw notFound(options);
    stableIngress = found;
    return found;
  }

  /** Without header and cookie, `match` adds nothing. */
  const meant = (routing: Routing): Routing => ({
    ...routing,
    match: routing.match && (traffic.header !== undefined || traffic.cookie !== undefined),
  });
  const servicesOf = (stable: KubeObject) => ({
    namespace,
    workload: options.stable,
    stableService: stableServiceOf(stable, rules),
    canaryService: traffic.canaryService,
  });
  const canaryOf = (stable: KubeObject) => canaryIngressOf(stable, { ...servicesOf(stable), name });
  const patchFor = (seen: KubeObject | undefined, routing: Routing): Patch | undefined =>
    seen && ingressPatch(seen, routing, rules, stableIngress);
  const prepared = (patch: Patch, words: string): PreparedPatch => ({ resource: resources.ingresses, namespace, name, patch, words });

  async function ensureIngress(stable: KubeObject): Promise<void> {
    if (await canary.read()) return;
    signal?.throwIfAborted();
    try {
      await client.withSignal(undefined).create(resources.ingresses, namespace, canaryOf(stable));
    } catch (error) {
      if (!(error instanceof OperationError && error.reason === 'ALREADY_EXISTS')) throw error;
      // Made meanwhile, maybe by our own request whose answer was lost.
      if (!(await canary.read())) throw nameTaken(place, options.stable);
    }
  }

  function splitOf(seen: KubeObject | undefined): Split {
    const { weight, match } = routingOf(seen);
    const words = seen
      ? `${place}: ${routingWords({ weight, mirror: 0, match })} to Service ${traffic.canaryService}`
      : `no ${place}: nobody meets the canary`;
    return { weight, mirror: 0, match, settled: true, words };
  }

  return {
    kind: 'nginx',
    async check() {
      const stable = await readStable();
      const there = await client.find(resources.ingresses, namespace, name);
      if (there && !isOurs(there, options.stable)) throw nameTaken(place, options.stable);
      refuseOtherCanary(canaryOf(stable), await client.list(resources.ingresses, namespace));
      await checkTrackServices(client, servicesOf(stable));
    },
    prepare: async () => void (await ensureCanaryService(client, servicesOf(await readStable()))),
    async snapshot(): Promise<TrafficSnapshot> {
      if (options.snapshot) return options.snapshot;
      const service = await client.find(resources.services, namespace, traffic.canaryService);
      const madeCanaryService = !service || isOurs(service, options.stable);
      return { router: 'nginx', ingress: traffic.ingress, madeCanaryService, annotations: null };
    },
    capacity: (routing, replicas) => meshCapacity(meant(routing), replicas),
    async route(asked) {
      const routing = meant(asked);
      refuseMirror(routing);
      if (!meetsNobody(routing)) {
        const stable = await readStable();
        await ensureCanaryService(client, servicesOf(stable));
        const { canary: deployment, readyTimeoutMs: timeoutMs } = options;
        await awaitServing(client, namespace, traffic.canaryService, { deployment, clock, timeoutMs, signal });
        await ensureIngress(stable);
      }
      await canary.converge((seen) => patchFor(seen, routing));
    },
    async writes(asked) {
      const routing = meant(asked);
      refuseMirror(routing);
      const seen = await canary.read();
      if (seen) {
        const patch = patchFor(seen, routing);
        return patch ? [prepared(patch, `send ${routingWords(routing)} to ${traffic.canaryService} by ${place}`)] : [];
      }
      if (meetsNobody(routing)) return [];
      const created = canaryOf(await readStable());
      const { body } = ingressPatch(created, routing, rules, stableIngress) as {
        body: { metadata: { annotations: Record<string, string | null> } };
      };
      const marks = Object.entries({ ...created.metadata.annotations, ...body.metadata.annotations }).filter(([, value]) => value !== null);
      const whole = { ...created, metadata: { ...created.metadata, annotations: Object.fromEntries(marks) } };
      return [
        prepared(
          { type: 'apply', body: whole, fieldManager: 'slipway' },
          `create ${place}, which sends ${routingWords(routing)} to ${traffic.canaryService}`,
        ),
      ];
    },
    read: async () => splitOf(await canary.read()),
    async verify(asked) {
      const routing = meant(asked);
      const seen = await canary.read();
      const split = splitOf(seen);
      if (sameRouting(split, routing)) return split;
      throw new OperationError(`Wanted is ${routingWords(routing)} to the canary; that is not in force: ${split.words}.`, {
        reason: 'WEIGHT_NOT_IN_FORCE',
        next: [
          `Somebody else changes ${place}, too. Find out who (kubectl -n ${namespace} get ingress/${name} -o yaml --show-managed-fields).`,
        ],
        details: { weight: split.weight, wanted: routing.weight },
      });
    },
    wayOut() {
      const last = canary.last();
      if (!last) return undefined;
      const patch = patchFor(last.seen, stableAlone);
      return patch ? [prepared(patch, `send all of Ingress ${namespace}/${traffic.ingress} to stable`)] : [];
    },
    makeSafe: (by) => canary.overtake((seen) => patchFor(seen, stableAlone), by),
    async cleanup() {
      const there = await canary.read();
      if (there) await removeIngress(client, there);
      if (!(await isCanaryGone(client, namespace, options.canary))) return;
      await removeOurService(client, namespace, traffic.canaryService, options.stable);
    },
  };
}

/** Without its canary Ingress nginx sends everything to stable. */
async function removeIngress(client: KubeClient, { metadata: { namespace = '', name, uid } }: KubeObject): Promise<void> {
  try {
    await client.remove(resources.ingresses, namespace, name, uid === undefined ? {} : { uid });
  } catch (error) {
    if (!(error instanceof OperationError && error.reason === 'NOT_FOUND')) throw error;
  }
}

function refuseMirror({ mirror }: Routing): void {
  if (mirror === 0) return;
  throw new OperationError('ingress-nginx cannot send a copy of some requests to a canary.', {
    reason: 'MIRROR_UNSUPPORTED',
    next: ['Take `mirror` out of the steps, or use `traffic.router: gateway-api` or `istio`.'],
  });
}

function nameTaken(place: string, workload: string): OperationError {
  const [namespace, name] = place.replace('Ingress ', '').split('/');
  return new OperationError(`${place} exists and is not one that Slipway made for "${workload}"; it is left as it is.`, {
    reason: 'CANARY_NAME_TAKEN',
    next: [
      `Rename or delete that Ingress. To have Slipway take it over: kubectl -n ${namespace} annotate ingress/${name} ${annotations.canaryOf}=${workload}`,
    ],
  });
}

function notFound({ namespace, traffic: { ingress } }: NginxOptions): OperationError {
  return new OperationError(`There is no Ingress ${namespace}/${ingress}.`, {
    reason: 'INGRESS_NOT_FOUND',
    next: ['Correct `traffic.ingress` or the namespace in slipway.yml, or create it with a path that leads to the stable Service.'],
  });
}
