import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { annotations, CANARY, LAST_APPLIED_ANNOTATION, REVISION_ANNOTATION, TRACK_LABEL } from '../names.js';
import { apiVersionOf, resources } from '../resources.js';
import { withoutTrackingMarks } from '../tracking-marks.js';
import { withVersionLabel } from './image.js';
import { describe } from './workload.js';

/** How often an object that changes under our hands is read again. */
const ATTEMPTS = 5;

export interface CanarySpec {
  /** Name of the canary Deployment. */
  name: string;
  container: string;
  image: string;
  replicas: number;
  version: string | null;
  /** Id of the rollout that makes it. */
  rollout: string;
}

/**
 * The canary Deployment made from the stable one: the same pods with another image and `track: canary`. Pure.
 *
 * Its selector is the stable one's plus `track: canary`, so neither Deployment's pods are the other's (pods also have their owner). Nothing
 * that belongs to the stable object alone is taken over: status, uid, owners, managed fields, the last applied configuration, and what a
 * GitOps controller or Helm would take it for one of its own by, and prune it. The pods' labels stay: selectors need them.
 */
export function canaryOf(stable: KubeObject, canary: CanarySpec): KubeObject {
  const spec = structuredClone(stable.spec);
  const selector = spec.selector ?? {};
  const template = withVersionLabel(spec.template, selector, canary.version);
  const { annotations: stableAnnotations = {}, labels = {}, namespace } = stable.metadata;
  const { [LAST_APPLIED_ANNOTATION]: _applied, [REVISION_ANNOTATION]: _revision, ...kept } = stableAnnotations;
  return {
    apiVersion: apiVersionOf(resources.deployments),
    kind: resources.deployments.kind,
    metadata: {
      name: canary.name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...withoutTrackingMarks(labels), [TRACK_LABEL]: CANARY },
      annotations: {
        ...withoutTrackingMarks(kept),
        [annotations.canaryOf]: stable.metadata.name,
        [annotations.rollout]: canary.rollout,
        ...(canary.version === null ? {} : { [annotations.version]: canary.version }),
      },
    },
    spec: {
      ...spec,
      paused: false,
      replicas: canary.replicas,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TRACK_LABEL]: CANARY } },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [TRACK_LABEL]: CANARY } },
        spec: withImage(template.spec, canary.container, canary.image),
      },
    },
  };
}

/**
 * Brings the canary Deployment into being: creates it, or updates the one that an earlier rollout of the same workload left. Idempotent.
 *
 * Reasons: CANARY_NAME_TAKEN (a Deployment of that name that is not this workload's canary; it is left alone).
 */
export async function ensureCanary(client: KubeClient, canary: KubeObject): Promise<KubeObject> {
  const { name, namespace = '' } = canary.metadata;
  for (let attempt = 1; ; attempt++) {
    const there = await client.find(resources.deployments, namespace, name);
    if (there) refuseForeign(there, canary.metadata.annotations?.[annotations.canaryOf] ?? '');
    try {
      return await (there ? updateCanary(client, there, canary) : client.create(resources.deployments, namespace, canary));
    } catch (error) {
      // Made meanwhile, maybe by our own request whose answer was lost; or its controller has just written its status.
      const moved = error instanceof OperationError && (error.reason === 'ALREADY_EXISTS' || error.reason === 'CONFLICT');
      if (!moved || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** Deletes the canary Deployment if it is this workload's; nothing when it is gone. Reason: CANARY_NAME_TAKEN. */
export async function removeCanary(client: KubeClient, namespace: string, name: string, options: { canaryOf: string }): Promise<void> {
  const there = await client.find(resources.deployments, namespace, name);
  if (!there) return;
  refuseForeign(there, options.canaryOf);
  try {
    const uid = there.metadata.uid;
    await client.remove(resources.deployments, namespace, name, { ...(uid === undefined ? {} : { uid }), propagation: 'Background' });
  } catch (error) {
    if (!(error instanceof OperationError && error.reason === 'NOT_FOUND')) throw error;
  }
}

/** CANARY_NAME_TAKEN unless the Deployment says that it is the canary of `workload`. */
export function refuseForeign(deployment: KubeObject, workload: string): void {
  const owner = deployment.metadata.annotations?.[annotations.canaryOf];
  if (owner === workload) return;
  throw new OperationError(
    `${describe(deployment)} exists and is not a canary that Slipway made for "${workload}"${owner ? ` (it is the canary of "${owner}")` : ''}; it is left as it is.`,
    {
      reason: 'CANARY_NAME_TAKEN',
      next: [
        `Rename or delete that Deployment. To have Slipway take it over: kubectl -n ${deployment.metadata.namespace} annotate deployment/${deployment.metadata.name} ${annotations.canaryOf}=${workload}`,
      ],
    },
  );
}

/** A Deployment's selector cannot be changed; when it differs (stable was made anew) the canary has to be made anew as well. */
async function updateCanary(client: KubeClient, there: KubeObject, canary: KubeObject): Promise<KubeObject> {
  const namespace = canary.metadata.namespace ?? '';
  const { name } = canary.metadata;
  if (!sameLabels(there.spec?.selector?.matchLabels, canary.spec.selector.matchLabels)) {
    throw new OperationError(`${describe(there)} was left by an earlier rollout and selects other pods than ${name} would now.`, {
      reason: 'CANARY_NAME_TAKEN',
      next: [`kubectl -n ${namespace} delete deployment/${name}, once no route leads to it, then run this again.`],
    });
  }
  const { metadata, spec } = canary;
  return client.replace(resources.deployments, namespace, name, {
    ...there,
    metadata: {
      ...there.metadata,
      labels: { ...there.metadata.labels, ...metadata.labels },
      annotations: { ...there.metadata.annotations, ...metadata.annotations },
    },
    spec,
  });
}

function withImage<S extends { containers?: { name: string; image: string }[] }>(podSpec: S, container: string, image: string): S {
  const containers = (podSpec.containers ?? []).map((each) => (each.name === container ? { ...each, image } : each));
  return { ...podSpec, containers };
}

function sameLabels(a: Record<string, string> = {}, b: Record<string, string> = {}): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
