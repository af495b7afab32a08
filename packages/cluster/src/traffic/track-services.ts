import { isDeepStrictEqual } from 'node:util';
import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { annotations, CANARY, STABLE, TRACK_LABEL } from '../names.js';
import { apiVersionOf, resources } from '../resources.js';
import { withoutTrackingMarks } from '../tracking-marks.js';
import { describe } from '../workloads/workload.js';

type Labels = Readonly<Record<string, string>>;

export interface TrackServiceNames {
  namespace: string;
  /** Name of the stable Deployment. */
  workload: string;
  stableService: string;
  canaryService: string;
}

/**
 * Refuses Services that do not tell the tracks apart. Changes nothing.
 *
 * Reasons: WORKLOAD_NOT_FOUND, SERVICE_NOT_FOUND, SERVICE_EXTERNAL_NAME, SERVICE_WITHOUT_SELECTOR, SERVICE_EXCLUDES_STABLE,
 * SERVICE_SELECTS_BOTH_TRACKS (with the commands to run), SERVICE_NAME_TAKEN (a canary Service of somebody else that leads elsewhere).
 */
export async function checkTrackServices(client: KubeClient, names: TrackServiceNames): Promise<void> {
  const { namespace, workload, stableService, canaryService } = names;
  const pods = await podLabels(client, namespace, workload);
  const stable = await readService(client, namespace, stableService);
  refuseExcludedStable(stable, pods);
  if (selects(stable, { ...pods, [TRACK_LABEL]: CANARY })) throw selectsBoth(stable, pods, workload);
  const canary = await client.find(resources.services, namespace, canaryService);
  if (canary && !isOurs(canary, workload)) refuseForeignCanary(canary, pods);
}

/** The Service of a name, if requests can be led by its selector. Reasons: SERVICE_NOT_FOUND, SERVICE_EXTERNAL_NAME, SERVICE_WITHOUT_SELECTOR. */
export async function readService(client: KubeClient, namespace: string, name: string): Promise<KubeObject> {
  const service = await client.find(resources.services, namespace, name);
  if (!service) {
    throw new OperationError(`There is no Service "${name}" in namespace "${namespace}".`, {
      reason: 'SERVICE_NOT_FOUND',
      next: ['Correct the name of the Service in slipway.yml (`service`, `traffic.stable-service`), or create it.'],
    });
  }
  refuseUnselective(service);
  return service;
}

/** Reasons: SERVICE_EXTERNAL_NAME, SERVICE_WITHOUT_SELECTOR. Pure. */
export function refuseUnselective(service: KubeObject): void {
  if (service.spec?.type === 'ExternalName') {
    throw new OperationError(
      `${describe(service)} is of type ExternalName (${service.spec.externalName}): it leads to a name, not to pods.`,
      {
        reason: 'SERVICE_EXTERNAL_NAME',
        next: ['Name a Service with a selector.'],
      },
    );
  }
  if (Object.keys(selectorOf(service)).length > 0) return;
  throw new OperationError(
    `${describe(service)} has no selector: its endpoints are written by something else, so it cannot tell tracks apart.`,
    {
      reason: 'SERVICE_WITHOUT_SELECTOR',
      next: ['Give the Service a selector, or name another.'],
    },
  );
}

/** Labels of the stable pods, with the track that adoption gives them. */
export async function podLabels(client: KubeClient, namespace: string, workload: string): Promise<Labels> {
  const deployment = await client.find(resources.deployments, namespace, workload);
  if (!deployment) {
    throw new OperationError(`There is no Deployment "${workload}" in namespace "${namespace}".`, {
      reason: 'WORKLOAD_NOT_FOUND',
      next: ['Correct `workload` or `namespace` in slipway.yml, or create the Deployment first.'],
    });
  }
  return deployment.spec?.template?.metadata?.labels ?? {};
}

/** Reason: SERVICE_EXCLUDES_STABLE. A selector with the track alone to come is taken: adoption labels the pods. Pure. */
export function refuseExcludedStable(service: KubeObject, pods: Labels): void {
  const labels: Labels = { ...pods, [TRACK_LABEL]: STABLE };
  const missing = Object.entries(selectorOf(service)).filter(([key, value]) => labels[key] !== value);
  if (missing.length === 0) return;
  const words = missing.map(([key, value]) => `${key}=${value}`).join(' and ');
  throw new OperationError(`${describe(service)} selects ${words}, which the stable pods do not have: no user would reach them.`, {
    reason: 'SERVICE_EXCLUDES_STABLE',
    next: [`Correct the selector, or name the Service of the stable pods. Their labels: ${JSON.stringify(labels)}`],
  });
}

/** Whether pods with these labels are selected. Pure. */
export function selects(service: KubeObject, labels: Labels): boolean {
  return Object.entries(selectorOf(service)).every(([key, value]) => labels[key] === value);
}

export function selectorOf(service: KubeObject): Record<string, string> {
  return service.spec?.selector ?? {};
}

/** Whether Slipway made this object for the canary of `workload`. */
export function isOurs(object: KubeObject, workload: string): boolean {
  return object.metadata.annotations?.[annotations.canaryOf] === workload;
}

/**
 * The Service of the canary's pods, made from the stable one: the same ports, and `track: canary` in the selector. Annotations are not taken
 * over (they order load balancers, names and certificates), nor what the API server assigned. Pure.
 */
export function canaryServiceOf(stable: KubeObject, { name, workload }: { name: string; workload: string }): KubeObject {
  const { ports = [], sessionAffinity } = stable.spec ?? {};
  return {
    apiVersion: apiVersionOf(resources.services),
    kind: resources.services.kind,
    metadata: {
      name,
      ...(stable.metadata.namespace === undefined ? {} : { namespace: stable.metadata.namespace }),
      labels: { ...withoutTrackingMarks(stable.metadata.labels), [TRACK_LABEL]: CANARY },
      annotations: { [annotations.canaryOf]: workload },
    },
    spec: {
      selector: { ...selectorOf(stable), [TRACK_LABEL]: CANARY },
      ports: ports.map(({ nodePort: _nodePort, ...port }: { nodePort?: number }) => port),
      ...(sessionAffinity === undefined ? {} : { sessionAffinity }),
    },
  };
}

/** Creates the canary's Service when there is none, and corrects one of ours. One of somebody else is used as it is; `check` has looked at it. */
export async function ensureCanaryService(client: KubeClient, names: TrackServiceNames): Promise<void> {
  const { namespace, workload, stableService, canaryService: name } = names;
  const there = await client.find(resources.services, namespace, name);
  if (there && !isOurs(there, workload)) return;
  const wanted = canaryServiceOf(await readService(client, namespace, stableService), { name, workload });
  if (there) {
    const { selector, ports } = wanted.spec;
    if (isDeepStrictEqual([selectorOf(there), there.spec?.ports], [selector, ports])) return;
    const body = [
      { op: 'add' as const, path: '/spec/selector', value: selector },
      { op: 'add' as const, path: '/spec/ports', value: ports },
    ];
    await client.patch(resources.services, namespace, name, { type: 'json', body });
    return;
  }
  try {
    await client.create(resources.services, namespace, wanted);
  } catch (error) {
    // Made meanwhile, maybe by our own request whose answer was lost.
    if (!(error instanceof OperationError && error.reason === 'ALREADY_EXISTS')) throw error;
  }
}

/** Deletes a Service that Slipway made for the canary of `workload`; one of somebody else stays. Idempotent. */
export async function removeOurService(client: KubeClient, namespace: string, name: string, workload: string): Promise<void> {
  const there = await client.find(resources.services, namespace, name);
  if (!there || !isOurs(there, workload)) return;
  const { uid } = there.metadata;
  try {
    await client.remove(resources.services, namespace, name, uid === undefined ? {} : { uid });
  } catch (error) {
    if (!(error instanceof OperationError && error.reason === 'NOT_FOUND')) throw error;
  }
}

/** Whether the canary's Deployment is gone, or going: then what was made for it may go, too. */
export async function isCanaryGone(client: KubeClient, namespace: string, canary: string): Promise<boolean> {
  const deployment = await client.find(resources.deployments, namespace, canary);
  return deployment === undefined || deployment.metadata.deletionTimestamp !== undefined;
}

function refuseForeignCanary(canary: KubeObject, pods: Labels): void {
  refuseUnselective(canary);
  if (selects(canary, { ...pods, [TRACK_LABEL]: CANARY }) && !selects(canary, { ...pods, [TRACK_LABEL]: STABLE })) return;
  const selector = JSON.stringify(selectorOf(canary));
  throw new OperationError(
    `${describe(canary)}, which is not Slipway’s, does not lead to the canary’s pods alone; its selector: ${selector}.`,
    {
      reason: 'SERVICE_NAME_TAKEN',
      next: [
        `Add ${TRACK_LABEL}: ${CANARY} to its selector, or set \`traffic.canary-service\` in slipway.yml to another name; a Service that is not there is made for the rollout.`,
      ],
    },
  );
}

function selectsBoth(service: KubeObject, pods: Labels, workload: string): OperationError {
  const { namespace, name } = service.metadata;
  const label = { spec: { template: { metadata: { labels: { [TRACK_LABEL]: STABLE } } } } };
  const narrow = { spec: { selector: { [TRACK_LABEL]: STABLE } } };
  const marked = pods[TRACK_LABEL] === STABLE;
  return new OperationError(
    `${describe(service)} would also select the canary’s pods, so users would meet them whatever the route says. It must select ${TRACK_LABEL}=${STABLE}.`,
    {
      reason: 'SERVICE_SELECTS_BOTH_TRACKS',
      next: [
        'Run these in this order (the pods must have the label before the Service asks for it), and put the same into the manifests:',
        ...(marked
          ? []
          : [
              `kubectl -n ${namespace} patch deployment/${workload} --type merge -p '${JSON.stringify(label)}'`,
              `kubectl -n ${namespace} rollout status deployment/${workload}`,
            ]),
        `kubectl -n ${namespace} patch service/${name} --type merge -p '${JSON.stringify(narrow)}'`,
      ],
      details: { service: name, selector: selectorOf(service) },
    },
  );
}
