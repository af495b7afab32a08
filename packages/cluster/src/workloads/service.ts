import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';
import { describe } from './workload.js';

/** The labels of a Service's selector that pods with `labels` do not have, as `key=value`. Pure. A Service without selector selects nothing. */
function unmatched(service: KubeObject, labels: Record<string, string>): string[] {
  const selector: Record<string, string> = service.spec?.selector ?? {};
  return Object.entries(selector)
    .filter(([key, value]) => labels[key] !== value)
    .map(([key, value]) => `${key}=${value}`);
}

/**
 * Reads the Service that users come through and refuses one that would never send a request to the canary's pods.
 *
 * Reasons: SERVICE_NOT_FOUND, SERVICE_EXCLUDES_CANARY.
 */
export async function refuseExcludedCanary(
  client: KubeClient,
  namespace: string,
  name: string,
  canaryLabels: Record<string, string>,
): Promise<KubeObject> {
  const service = await client.find(resources.services, namespace, name);
  if (!service) {
    throw new OperationError(`There is no Service "${name}" in namespace "${namespace}".`, {
      reason: 'SERVICE_NOT_FOUND',
      next: ['Set `service` of this service in slipway.yml to the Kubernetes Service that users’ requests come through.'],
    });
  }
  if (Object.keys(service.spec?.selector ?? {}).length === 0) {
    throw exclusion(`${describe(service)} has no selector (its endpoints are written by something else)`, 'Give the Service a selector.');
  }
  const missing = unmatched(service, canaryLabels);
  if (missing.length === 0) return service;
  throw exclusion(
    `${describe(service)} selects ${missing.join(' and ')}, which the canary’s pods do not have`,
    `Take ${missing.join(' and ')} out of the selector: the canary’s pods have ${words(canaryLabels)}.`,
  );
}

function exclusion(what: string, next: string): OperationError {
  return new OperationError(`${what}: no request would reach the canary.`, { reason: 'SERVICE_EXCLUDES_CANARY', next: [next] });
}

function words(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
