import { isDeepStrictEqual } from 'node:util';
import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch } from '../kube.js';
import { LAST_APPLIED_ANNOTATION, REVISION_ANNOTATION, TEMPLATE_HASH_LABEL } from '../names.js';
import { resources } from '../resources.js';
import { readReplicaSets, revisionOf } from './children.js';
import { describe } from './workload.js';

/** A revision of a Deployment, as its ReplicaSet keeps it. */
export interface Revision {
  /** The deployment controller's number, e.g. `7`. */
  revision: string;
  /** Name of the ReplicaSet. */
  replicaSet: string;
  /** Pod template as the user wrote it (without the controller's hash label). */
  // biome-ignore lint/suspicious/noExplicitAny: a pod template is copied whole
  template: any;
  annotations: Record<string, string>;
  /** Image by container. */
  images: Record<string, string>;
}

/** Annotations that a Deployment keeps when it is undone; all others come from the ReplicaSet (kubectl's `annotationsToSkip`). */
const KEPT_ANNOTATIONS = new Set([
  LAST_APPLIED_ANNOTATION,
  REVISION_ANNOTATION,
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
]);

/** All revisions of a Deployment, newest first. Pure. */
export function revisionsOf(replicaSets: readonly KubeObject[]): Revision[] {
  return replicaSets
    .filter((each) => revisionOf(each) > 0)
    .sort((a, b) => revisionOf(b) - revisionOf(a))
    .map(toRevision);
}

/**
 * The revision before the newest, or the one that is asked for; as `kubectl rollout undo` chooses it (k8s.io/kubectl,
 * pkg/polymorphichelpers/rollback.go). Pure.
 *
 * Reason: NO_PREVIOUS_REVISION.
 */
export function previousRevision(deployment: KubeObject, replicaSets: readonly KubeObject[], wanted?: string): Revision {
  const revisions = revisionsOf(replicaSets);
  const found = wanted === undefined ? revisions[1] : revisions.find((each) => each.revision === wanted);
  if (found) return found;
  const there = revisions.map((each) => each.revision).join(', ') || 'none';
  throw new OperationError(
    `${describe(deployment)} has no ${wanted === undefined ? 'earlier revision' : `revision ${wanted}`} to go back to (its ReplicaSets keep: ${there}).`,
    {
      reason: 'NO_PREVIOUS_REVISION',
      next: ['Deploy the last good version again. `spec.revisionHistoryLimit` says how many old revisions are kept (10 by default).'],
    },
  );
}

/** The JSON patch with which kubectl undoes: the whole template and the annotations, at once. Pure. */
export function undoPatch(deployment: KubeObject, revision: Revision): Patch {
  const current = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => KEPT_ANNOTATIONS.has(key));
  const former = Object.entries(revision.annotations).filter(([key]) => !KEPT_ANNOTATIONS.has(key));
  return {
    type: 'json',
    body: [
      { op: 'test', path: '/spec/template', value: deployment.spec.template },
      { op: 'replace', path: '/spec/template', value: revision.template },
      { op: 'add', path: '/metadata/annotations', value: Object.fromEntries([...current, ...former]) },
    ],
  };
}

/**
 * Goes back to the previous (or the given) revision. `changed` is false when the Deployment has that template already.
 *
 * Reasons: NO_PREVIOUS_REVISION, WORKLOAD_PAUSED, CONFLICT.
 */
export async function undo(
  client: KubeClient,
  deployment: KubeObject,
  options: { revision?: string } = {},
): Promise<{ deployment: KubeObject; revision: Revision; changed: boolean }> {
  const { namespace = '', name } = deployment.metadata;
  if (deployment.spec?.paused === true) {
    throw new OperationError(`${describe(deployment)} is paused and cannot be rolled back.`, {
      reason: 'WORKLOAD_PAUSED',
      next: [`kubectl -n ${namespace} rollout resume deployment/${name}, then run this again.`],
    });
  }
  const revision = previousRevision(deployment, await readReplicaSets(client, deployment), options.revision);
  if (isDeepStrictEqual(deployment.spec.template, revision.template)) return { deployment, revision, changed: false };
  const changed = await client.patch(resources.deployments, namespace, name, undoPatch(deployment, revision));
  return { deployment: changed, revision, changed: true };
}

function toRevision(replicaSet: KubeObject): Revision {
  const { template } = replicaSet.spec;
  const { [TEMPLATE_HASH_LABEL]: _hash, ...labels } = template.metadata?.labels ?? {};
  const containers: { name: string; image: string }[] = template.spec?.containers ?? [];
  return {
    revision: String(revisionOf(replicaSet)),
    replicaSet: replicaSet.metadata.name,
    template: { ...template, metadata: { ...template.metadata, labels } },
    annotations: { ...replicaSet.metadata.annotations },
    images: Object.fromEntries(containers.map(({ name, image }) => [name, image])),
  };
}
