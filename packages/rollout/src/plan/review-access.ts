import { type KubeClient, resources } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Access } from './access.js';

/** Reviews asked at the same time. */
const AT_ONCE = 8;

export interface ReviewedAccess extends Access {
  /** Null: the API server does not tell. */
  allowed: boolean | null;
}

/** What a rollout needs and is not allowed. Pure. */
export function missingOf(access: readonly ReviewedAccess[]): ReviewedAccess[] {
  return access.filter(({ allowed, without }) => allowed === false && without === undefined);
}

/** Asks the API server whether the one who asks may do each of these (SelfSubjectAccessReview, which everybody may create). */
export async function reviewAccess(client: KubeClient, namespace: string, needed: readonly Access[]): Promise<ReviewedAccess[]> {
  const reviewed: ReviewedAccess[] = [];
  for (let i = 0; i < needed.length; i += AT_ONCE) {
    reviewed.push(...(await Promise.all(needed.slice(i, i + AT_ONCE).map((access) => review(client, namespace, access)))));
  }
  return reviewed;
}

async function review(client: KubeClient, namespace: string, access: Access): Promise<ReviewedAccess> {
  const { verb, resource, subresource, name } = access;
  const resourceAttributes = {
    namespace,
    verb,
    group: resource.group,
    resource: resource.plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === undefined ? {} : { name }),
  };
  try {
    const answer = await client.create(resources.selfsubjectaccessreviews, '', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    });
    return { ...access, allowed: answer.status?.allowed === true };
  } catch (error) {
    if (!(error instanceof OperationError) || error.reason === 'UNAUTHENTICATED' || error.reason === 'API_UNAVAILABLE') throw error;
    return { ...access, allowed: null };
  }
}
