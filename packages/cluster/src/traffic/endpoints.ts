import { type Clock, OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { CANARY, TRACK_LABEL } from '../names.js';
import { resources } from '../resources.js';

const LOOK_EVERY_MS = 500;

/** Names of the pods to which a Service leads requests now, by its EndpointSlices: those that are ready. */
export async function servingPods(client: KubeClient, namespace: string, service: string): Promise<Set<string>> {
  const slices = await client.list(resources.endpointslices, namespace, { labelSelector: `kubernetes.io/service-name=${service}` });
  const endpoints: { conditions?: { ready?: boolean }; targetRef?: { name?: string } }[] = slices.flatMap((slice) => slice.endpoints ?? []);
  // Absent means ready, says the API.
  const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
  return new Set(ready.flatMap(({ targetRef }) => (targetRef?.name === undefined ? [] : [targetRef.name])));
}

/** Pods of a selector, by name, and whether each is of the canary track and ready. */
export async function tracksOf(
  client: KubeClient,
  namespace: string,
  selector: Readonly<Record<string, string>>,
): Promise<Map<string, { canary: boolean; ready: boolean; track: string | undefined }>> {
  const { [TRACK_LABEL]: _track, ...shared } = selector;
  const labelSelector = Object.entries(shared)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const pods = await client.list(resources.pods, namespace, labelSelector === '' ? {} : { labelSelector });
  return new Map(
    pods.map((pod) => {
      const track = pod.metadata.labels?.[TRACK_LABEL];
      return [pod.metadata.name, { canary: track === CANARY, ready: isReady(pod), track }];
    }),
  );
}

function isReady({ metadata, status }: KubeObject): boolean {
  const conditions: { type: string; status: string }[] = status?.conditions ?? [];
  return metadata.deletionTimestamp === undefined && conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

/**
 * Waits until a Service leads to all pods of a Deployment that are available: a proxy that is told of the Service before would have nobody to
 * send requests to. Reason: TRACK_WITHOUT_PODS.
 */
export async function awaitServing(
  client: KubeClient,
  namespace: string,
  service: string,
  options: { deployment: string; clock: Clock; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const { deployment, clock, timeoutMs, signal } = options;
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    const available: number = (await client.find(resources.deployments, namespace, deployment))?.status?.availableReplicas ?? 0;
    const serving = (await servingPods(client, namespace, service)).size;
    if (available > 0 && serving >= available) return;
    if (clock.now() + LOOK_EVERY_MS > deadline) {
      throw new OperationError(
        `Service ${namespace}/${service} leads to ${serving} ready pods; Deployment ${namespace}/${deployment} has ${available} available.`,
        {
          reason: 'TRACK_WITHOUT_PODS',
          next: [
            `See why: kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${service}; kubectl -n ${namespace} get deployment/${deployment}`,
          ],
        },
      );
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
