import type { KubeObject } from '../../kube/object.js';
import type { Store } from '../../kube/store.js';
import type { EventRecorder } from '../events.js';
import { virtualServicesOf } from './rollout-spec.js';

export const hashLabel = 'rollouts-pod-template-hash';
const managedBy = 'argo-rollouts.argoproj.io/managed-by-rollouts';

/** Points Services at ReplicaSets, and moves the weights of VirtualServices. */
export class ArgoTraffic {
  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
  ) {}

  /** Makes a Service select this ReplicaSet once all its pods are available. Answers false when that must wait. */
  point(rollout: KubeObject, service: string | undefined, set: KubeObject | undefined): boolean {
    if (!service || !set) return true;
    const found = this.store.find('Service', rollout.metadata.namespace ?? '', service);
    const from = found?.spec.selector?.[hashLabel] ?? '';
    const to = set.metadata.labels?.[hashLabel] ?? '';
    if (!found || from === to) return true;
    const available = set.status?.availableReplicas ?? 0;
    if (set.spec.replicas === 0 || available < set.spec.replicas) return false;
    this.store.modify('Service', found, (draft) => {
      draft.spec.selector = { ...draft.spec.selector, [hashLabel]: to };
      draft.metadata.annotations = { [managedBy]: rollout.metadata.name, ...draft.metadata.annotations };
    });
    this.events.normal(
      rollout,
      'rollouts-controller',
      'SwitchService',
      `Switched selector for service '${service}' from '${from}' to '${to}'`,
    );
    return true;
  }

  /** Gives the canary its percent and stable the rest, in every route named. */
  setWeight(rollout: KubeObject, weight: number): void {
    const { istio } = rollout.spec.strategy.canary.trafficRouting;
    for (const { name, routes = [] } of virtualServicesOf(istio)) {
      const found = this.store.find('VirtualService', rollout.metadata.namespace ?? '', name);
      const changed =
        found && this.store.modify('VirtualService', found, ({ spec }) => moveWeights(spec.http ?? [], routes, rollout, weight));
      if (changed && changed.metadata.resourceVersion !== found?.metadata.resourceVersion)
        this.events.normal(
          rollout,
          'rollouts-controller',
          'Updated VirtualService',
          `VirtualService \`${name}\` set to desiredWeight '${weight}'`,
        );
    }
  }

  /** Subsets, where destinations are told apart by them and not by Service. */
  setSubsets(rollout: KubeObject, canaryHash: string, stableHash: string): void {
    const { destinationRule } = rollout.spec.strategy.canary.trafficRouting.istio;
    const found = destinationRule && this.store.find('DestinationRule', rollout.metadata.namespace ?? '', destinationRule.name);
    if (!found) return;
    const hashes = new Map([
      [destinationRule.canarySubsetName, canaryHash],
      [destinationRule.stableSubsetName, stableHash],
    ]);
    this.store.modify('DestinationRule', found, ({ spec }) => {
      for (const subset of spec.subsets ?? []) {
        const hash = hashes.get(subset.name);
        if (hash) subset.labels = { ...subset.labels, [hashLabel]: hash };
      }
    });
  }
}

interface HttpRoute {
  name?: string;
  route?: { destination?: { host?: string; subset?: string }; weight?: number }[];
}

function moveWeights(http: HttpRoute[], names: readonly string[], rollout: KubeObject, weight: number): void {
  const { canaryService, stableService, trafficRouting } = rollout.spec.strategy.canary;
  const { canarySubsetName, stableSubsetName } = trafficRouting.istio.destinationRule ?? {};
  for (const { name, route = [] } of http) {
    if (names.length > 0 && !names.includes(name ?? '')) continue;
    for (const one of route) {
      const host = one.destination?.host?.split('.')[0];
      const subset = one.destination?.subset;
      if (canarySubsetName ? subset === canarySubsetName : host === canaryService) one.weight = weight;
      else if (stableSubsetName ? subset === stableSubsetName : host === stableService) one.weight = 100 - weight;
    }
  }
}
