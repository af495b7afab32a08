import type { KubeObject } from '../kube.js';
import { VERSION_LABELS } from '../workloads/image.js';
import { describe } from '../workloads/workload.js';
import { ignoreAdvice } from './gitops-advice.js';
import { type GitopsOwner, gitopsOwner } from './gitops-owner.js';
import type { FieldPath } from './managed-fields.js';

/** What to tell a person who releases a Deployment that a GitOps controller keeps as Git says. */
export interface GitopsWarning {
  owner: GitopsOwner;
  warning: string;
  next: string[];
}

/**
 * A warning when a GitOps controller owns what a promotion writes (the container's image and the version label; with `writesReplicas` the
 * replicas, too): its next sync would put the former version back. Undefined when none does. Pure.
 */
export function warnOfGitopsDeployment(
  deployment: KubeObject,
  { container, writesReplicas }: { container: string; writesReplicas: boolean },
): GitopsWarning | undefined {
  const written = writtenFields(deployment, container, writesReplicas);
  const owned = written.filter(({ path }) => gitopsOwner(deployment, path) !== undefined);
  const owner = owned[0] && gitopsOwner(deployment, owned[0].path);
  if (!owner) return undefined;
  const image = owned.some(({ words }) => words === 'image');
  const fields = owned.map(({ words }) => words).join(', ');
  return {
    owner,
    warning: `${owner.words} keeps ${fields} of ${describe(deployment)} as its Git repository says: ${
      image
        ? 'after the promotion its next sync would put the former version back.'
        : 'its next sync would undo what the rollout writes there.'
    }`,
    next: [
      ...(image ? ['Commit the new image to the manifest when the release is promoted, before the next sync.'] : []),
      `Or let Git not say it. ${ignoreAdvice(
        owner,
        deployment,
        owned.map(({ path }) => path),
      )}`,
    ],
  };
}

function writtenFields(deployment: KubeObject, container: string, writesReplicas: boolean): { path: FieldPath; words: string }[] {
  const labels: Record<string, string> = deployment.spec?.template?.metadata?.labels ?? {};
  const template = ['spec', 'template'] as const;
  return [
    { path: [...template, 'spec', 'containers', { name: container }, 'image'], words: 'image' },
    ...(writesReplicas ? [{ path: ['spec', 'replicas'], words: 'replicas' }] : []),
    ...VERSION_LABELS.filter((label) => label in labels).map((label) => ({
      path: [...template, 'metadata', 'labels', label],
      words: `label ${label}`,
    })),
  ];
}
