import type { KubeObject } from '../../kube/object.js';
import { matchesSelector } from '../../kube/selectors.js';
import type { Store } from '../../kube/store.js';
import { stepsOf } from './canary-steps.js';

const known = ['setWeight', 'pause', 'setCanaryScale'];

/** What keeps the controller from working on a Rollout, in its words; undefined when nothing does. */
export function invalidSpec(store: Store, rollout: KubeObject): string | undefined {
  const why = mistakeIn(store, rollout);
  return why && `The Rollout "${rollout.metadata.name}" is invalid: ${why}`;
}

function mistakeIn(store: Store, rollout: KubeObject): string | undefined {
  const { spec, metadata } = rollout;
  if (!spec?.selector) return "spec.selector: Required value: Rollout has missing field '.spec.selector'";
  if (!spec.template) return "spec.template: Required value: Rollout has missing field '.spec.template'";
  if (!matchesSelector(spec.selector, spec.template.metadata?.labels))
    return 'spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`';
  const canary = spec.strategy?.canary;
  if (!canary) return "spec.strategy.strategy: Required value: Rollout has missing field '.spec.strategy.canary'";
  const strange = stepsOf(rollout).findIndex((step) => !Object.keys(step).every((name) => known.includes(name)));
  if (strange >= 0) return `spec.strategy.canary.steps[${strange}]: Invalid value: this controller knows ${known.join(', ')} only`;
  const missing = ['stableService', 'canaryService'].find(
    (field) => canary[field] && !store.find('Service', metadata.namespace ?? '', canary[field]),
  );
  if (missing) return `spec.strategy.canary.${missing}: Invalid value: "${canary[missing]}": service "${canary[missing]}" not found`;
  return canary.trafficRouting ? routingMistake(store, rollout) : undefined;
}

function routingMistake(store: Store, { spec, metadata }: KubeObject): string | undefined {
  const { trafficRouting, canaryService, stableService } = spec.strategy.canary;
  const at = 'spec.strategy.canary.trafficRouting';
  if (!trafficRouting.istio) return `${at}: Invalid value: this controller knows istio only`;
  if (!trafficRouting.istio.destinationRule && !(canaryService && stableService))
    return `${at}: Invalid value: canaryService and stableService are required`;
  const named = virtualServicesOf(trafficRouting.istio).find(({ name }) => !store.find('VirtualService', metadata.namespace ?? '', name));
  return (
    named &&
    `${at}.istio.virtualService.name: Invalid value: "${named.name}": virtualservices.networking.istio.io "${named.name}" not found`
  );
}

interface NamedVirtualService {
  name: string;
  /** Names of its http routes; none: its only one. */
  routes?: string[];
}

export function virtualServicesOf(istio: { virtualService?: NamedVirtualService; virtualServices?: NamedVirtualService[] }) {
  return [...(istio.virtualService ? [istio.virtualService] : []), ...(istio.virtualServices ?? [])];
}
