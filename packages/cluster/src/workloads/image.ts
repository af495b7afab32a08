import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Patch } from '../kube.js';
import { resources } from '../resources.js';
import { describe, type Workload } from './workload.js';

/** The recommended label for a version, see kubernetes.io/docs/concepts/overview/working-with-objects/common-labels. */
export const VERSION_LABELS = ['app.kubernetes.io/version', 'version'];
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/**
 * The JSON patch that sets the released container's image, guarded by tests on what it was read as: a container moved, renamed or changed
 * by somebody else meanwhile makes the API server refuse the patch. Pure.
 */
export function setImagePatch(workload: Workload, image: string, version: string | null = null): Patch {
  const { deployment, container } = workload;
  const index = deployment.spec.template.spec.containers.findIndex((each: { name: string }) => each.name === container);
  const path = `/spec/template/spec/containers/${index}`;
  return {
    type: 'json',
    body: [
      { op: 'test', path: `${path}/name`, value: container },
      { op: 'test', path: `${path}/image`, value: workload.image },
      { op: 'replace', path: `${path}/image`, value: image },
      ...versionLabelOps(deployment, version),
    ],
  };
}

/**
 * Sets the image of the released container. Sends nothing when the Deployment has it already. Reason: CONFLICT (changed by somebody else
 * since it was read).
 */
export async function setImage(
  client: KubeClient,
  workload: Workload,
  image: string,
  options: { version?: string | null } = {},
): Promise<KubeObject> {
  const { deployment } = workload;
  if (workload.image === image) return deployment;
  const { namespace = '', name } = deployment.metadata;
  try {
    return await client.patch(resources.deployments, namespace, name, setImagePatch(workload, image, options.version ?? null));
  } catch (error) {
    if (!(error instanceof OperationError && error.reason === 'CONFLICT')) throw error;
    throw new OperationError(`${describe(deployment)} was changed by somebody else while its image was being set; nothing was written.`, {
      reason: 'CONFLICT',
      next: [`See who: kubectl -n ${namespace} get deployment/${name} -o yaml --show-managed-fields. Then run this again.`],
      details: { ...error.details },
      cause: error,
    });
  }
}

/**
 * A pod template whose version label, if it has one that no selector needs, says `version`. Pure. A version that is no label value (with
 * `+build`, too long) leaves it as it is.
 */
// biome-ignore lint/suspicious/noExplicitAny: a pod template, of which only labels are touched
export function withVersionLabel(template: any, selector: any, version: string | null): any {
  const changed = changedVersionLabels(template, selector, version);
  return { ...template, metadata: { ...template?.metadata, labels: { ...template?.metadata?.labels, ...changed } } };
}

function versionLabelOps(deployment: KubeObject, version: string | null) {
  const changed = changedVersionLabels(deployment.spec.template, deployment.spec.selector, version);
  return Object.entries(changed).map(([label, value]) => ({
    op: 'replace' as const,
    path: `/spec/template/metadata/labels/${label.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    value,
  }));
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function changedVersionLabels(template: any, selector: any, version: string | null): Record<string, string> {
  if (version === null || !LABEL_VALUE.test(version)) return {};
  const labels: Record<string, string> = template?.metadata?.labels ?? {};
  const fixed = new Set([
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).map((each: { key: string }) => each.key),
  ]);
  const ours = VERSION_LABELS.filter((label) => label in labels && !fixed.has(label) && labels[label] !== version);
  return Object.fromEntries(ours.map((label) => [label, version]));
}
