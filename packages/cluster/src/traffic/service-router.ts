import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { CANARY, STABLE, TRACK_LABEL } from '../names.js';
import { resources } from '../resources.js';
import type { RouterConfig, RouterOptions } from './create-router.js';
import { awaitServing, servingPods, tracksOf } from './endpoints.js';
import { refuseGitopsOwner } from './gitops-owner.js';
import { managedObject } from './managed-object.js';
import type { PreparedPatch, Split, TrafficRouter, TrafficSnapshot } from './router.js';
import { type Routing, routingWords } from './routing.js';
import { foreignPreview, restorePatch, switchPatch, trackOf } from './service-selector.js';
import {
  canaryServiceOf,
  ensureCanaryService,
  isCanaryGone,
  isOurs,
  podLabels,
  refuseExcludedStable,
  refuseUnselective,
  removeOurService,
  selectorOf,
} from './track-services.js';

type ServiceOptions = RouterOptions & { traffic: Extract<RouterConfig, { router: 'service' }> };

const LOOK_EVERY_MS = 500;
/** Pods of a deleted canary are gone after this long, or else the selector keeps its track until the next look. */
const PODS_GO_MS = 30_000;

/**
 * Blue/green without a mesh: all users at once, by the selector of the one Service. The new version is reached by a preview Service before. Needs
 * `prepare` before the canary has pods: a selector without a track would let users meet them as soon as they are ready.
 */
export function serviceRouter(initial: KubeClient, options: ServiceOptions): TrafficRouter {
  const { namespace, traffic, clock, signal, kubeService } = options;
  const client = signal ? initial.withSignal(signal) : initial;
  const original = options.snapshot?.router === 'service' ? options.snapshot.selector : undefined;
  const place = `Service ${namespace}/${kubeService}`;
  const names = { namespace, workload: options.stable, stableService: kubeService, canaryService: traffic.previewService };

  const service = managedObject<KubeObject>(initial, {
    resource: resources.services,
    namespace,
    name: kubeService,
    clock,
    signal,
    parse: (object) => {
      if (!object) throw notFound(options);
      refuseUnselective(object);
      trackOf(object);
      return object;
    },
  });

  const prepared = (seen: KubeObject, track: 'stable' | 'canary'): PreparedPatch[] => {
    const patch = switchPatch(seen, track);
    return patch ? [{ resource: resources.services, namespace, name: kubeService, patch, words: `let ${place} select ${track}` }] : [];
  };

  /** A selector that no ready pod fits would leave users with nobody. */
  async function refuseEmpty(seen: KubeObject, track: 'stable' | 'canary'): Promise<void> {
    const pods = [...(await tracksOf(client, namespace, selectorOf(seen))).values()];
    if (pods.some((pod) => pod.track === track && pod.ready)) return;
    throw new OperationError(`${place} cannot be switched to ${track}: no ready pod that it would select has the label track=${track}.`, {
      reason: 'TRACK_WITHOUT_PODS',
      next: [`kubectl -n ${namespace} get pods -L track; the pods of Deployment ${options.stable} get the label from its pod template.`],
    });
  }

  async function switchTo(track: 'stable' | 'canary'): Promise<void> {
    const seen = await service.read();
    if (trackOf(seen) === track) return;
    // The way back asks nothing: stable serves, or nobody does.
    if (track === CANARY || trackOf(seen) === 'both') await refuseEmpty(seen, track);
    await service.converge((now) => switchPatch(now, track));
  }

  /** What the pods behind the Service say: percent of the canary's, and how many there are. */
  async function serving(seen: KubeObject): Promise<{ weight: number; pods: number }> {
    const pods = await servingPods(client, namespace, kubeService);
    const tracks = await tracksOf(client, namespace, selectorOf(seen));
    const canary = [...pods].filter((pod) => tracks.get(pod)?.canary).length;
    return { weight: pods.size === 0 ? 0 : (100 * canary) / pods.size, pods: pods.size };
  }

  /** `settled`: the endpoints are those that the selector asks for. */
  async function read(): Promise<Split> {
    const seen = await service.read();
    const track = trackOf(seen);
    const { weight, pods } = await serving(seen);
    const words = `${place} selects ${track === 'both' ? 'both tracks' : `track=${track}`}; ${weight.toFixed(0)} % of its ${pods} ready pods are the canary’s`;
    const wanted = track === 'both' ? weight : track === CANARY ? 100 : 0;
    return { weight: wanted, mirror: 0, match: false, settled: weight === wanted && pods > 0, words };
  }

  async function podsOfCanaryGone(seen: KubeObject): Promise<boolean> {
    const deadline = clock.now() + PODS_GO_MS;
    for (;;) {
      const pods = await tracksOf(client, namespace, selectorOf(seen));
      if (![...pods.values()].some(({ canary, ready }) => canary && ready)) return true;
      if (clock.now() + LOOK_EVERY_MS > deadline) return false;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  return {
    kind: 'service',
    async check() {
      const seen = await service.read();
      refuseGitopsOwner(seen, [['spec', 'selector']], traffic.gitopsIgnoresWeights ?? false);
      refuseExcludedStable(seen, await podLabels(client, namespace, options.stable));
      const preview = await client.find(resources.services, namespace, traffic.previewService);
      if (preview && !isOurs(preview, options.stable)) throw foreignPreview(preview);
    },
    async prepare() {
      await switchTo(STABLE);
      await ensureCanaryService(client, names);
    },
    async snapshot(): Promise<TrafficSnapshot> {
      if (options.snapshot) return options.snapshot;
      return { router: 'service', service: kubeService, selector: selectorOf(await service.read()) };
    },
    // All or nobody: who is to take over everybody needs all pods; a preview has as many as the step says.
    capacity: ({ weight }, replicas) => ({ stable: replicas, canary: weight > 0 ? replicas : 0 }),
    async route(routing) {
      const track = trackFor(routing, place);
      if (track === CANARY) {
        await ensureCanaryService(client, names);
        const { canary: deployment, readyTimeoutMs: timeoutMs } = options;
        await awaitServing(client, namespace, traffic.previewService, { deployment, clock, timeoutMs, signal });
      }
      await switchTo(track);
    },
    async writes(routing) {
      const track = trackFor(routing, place);
      const seen = await service.read();
      const { previewService: name } = traffic;
      const body = canaryServiceOf(seen, { name, workload: options.stable });
      const preview: PreparedPatch = {
        resource: resources.services,
        namespace,
        name,
        patch: { type: 'apply', body, fieldManager: 'slipway' },
        words: `create Service ${namespace}/${name} for the canary’s pods`,
      };
      const there = track === STABLE || (await client.find(resources.services, namespace, name)) !== undefined;
      return [...(there ? [] : [preview]), ...prepared(seen, track)];
    },
    read,
    async verify(routing) {
      const wanted = trackFor(routing, place) === CANARY ? 100 : 0;
      const deadline = clock.now() + options.readyTimeoutMs;
      for (;;) {
        const split = await read();
        if (split.settled && split.weight === wanted) return split;
        if (split.weight !== wanted || clock.now() + LOOK_EVERY_MS > deadline) throw notInForce(split, wanted);
        await clock.sleep(LOOK_EVERY_MS, signal);
      }
    },
    wayOut() {
      const last = service.last();
      return last && (trackOf(last.seen) === CANARY ? prepared(last.seen, STABLE) : []);
    },
    // A selector that says nothing of tracks is one from before the rollout: narrowing it might leave users with nobody.
    makeSafe: (by) => service.overtake((seen) => (trackOf(seen) === CANARY ? switchPatch(seen, STABLE) : undefined), by),
    async cleanup() {
      const seen = await service.read();
      if (trackOf(seen) === CANARY) await switchTo(STABLE);
      // Without its track the selector would lead to the canary's pods as long as there are any.
      if (!(await isCanaryGone(client, namespace, options.canary))) return void ((await read()).weight > 0 && (await switchTo(STABLE)));
      if (restorePatch(await service.read(), original)) {
        // Whoever takes the narrowed selector for the original would keep it for good; so this is not the end.
        if (!(await podsOfCanaryGone(seen))) throw podsRemain(place, options);
        await service.converge((now) => restorePatch(now, original));
      }
      await removeOurService(client, namespace, traffic.previewService, options.stable);
    },
  };
}

/** Reasons: WEIGHT_IMPOSSIBLE, MIRROR_UNSUPPORTED. Header and cookie cannot be configured here. */
function trackFor({ weight, mirror }: Routing, place: string): 'stable' | 'canary' {
  if (mirror > 0) {
    throw new OperationError('A Service cannot send a copy of some requests to a canary.', {
      reason: 'MIRROR_UNSUPPORTED',
      next: ['Take `mirror` out of the steps, or use `traffic.router: gateway-api` or `istio`.'],
    });
  }
  if (weight === 0 || weight === 100) return weight === 100 ? CANARY : STABLE;
  throw new OperationError(
    `${place} selects one track or the other: it cannot send ${routingWords({ weight, mirror, match: false })} to the canary.`,
    {
      reason: 'WEIGHT_IMPOSSIBLE',
      next: ['Blue/green by a Service knows the weights 0 and 100. For shares between use another router.'],
    },
  );
}

function notInForce({ weight, words }: Split, wanted: number): OperationError {
  return new OperationError(
    `Wanted is that all users meet ${wanted === 100 ? 'the new version' : 'stable'}; that is not in force: ${words}.`,
    {
      reason: 'WEIGHT_NOT_IN_FORCE',
      next: ['See whether somebody else changes the selector, and why endpoints do not follow: kubectl describe the Service.'],
      details: { weight, wanted },
    },
  );
}

function podsRemain(place: string, { namespace, canary }: ServiceOptions): OperationError {
  return new OperationError(
    `Deployment ${namespace}/${canary} is deleted, but pods of it are still ready after ${PODS_GO_MS / 1000} s. ${place} goes on to select stable alone; its former selector, which would let users meet them, is kept for the next look.`,
    {
      reason: 'CANARY_PODS_REMAIN',
      next: [
        `When they are gone, run the same command again (\`abort\`, or \`promote\`): kubectl -n ${namespace} get pods -l ${TRACK_LABEL}=${CANARY}`,
      ],
    },
  );
}

function notFound({ namespace, kubeService }: ServiceOptions): OperationError {
  return new OperationError(`There is no Service "${kubeService}" in namespace "${namespace}".`, {
    reason: 'SERVICE_NOT_FOUND',
    next: ['Set `service` of this service in slipway.yml to the Kubernetes Service that users’ requests come through.'],
  });
}
