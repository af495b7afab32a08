import type { Resource } from '@slipway/cluster';

/** One permission, as RBAC and SelfSubjectAccessReview name it. */
export interface Access {
  verb: string;
  resource: Resource;
  subresource?: 'log' | 'proxy' | 'status';
  /** Absent: all of the namespace, as `list` and `create` need. */
  name?: string;
  /** What is not done without it; absent: a rollout needs it. */
  without?: string;
}

/** Each verb on one object. */
export function named(resource: Resource, name: string, verbs: readonly string[]): Access[] {
  return verbs.map((verb) => ({ verb, resource, name }));
}

/** The same, none of them needed. */
export function optional(without: string, accesses: readonly Access[]): Access[] {
  return accesses.map((access) => ({ ...access, without }));
}

/** Each once; needed before optional, where something asks for both. Pure. */
export function distinct(accesses: readonly Access[]): Access[] {
  const byWords = new Map<string, Access>();
  for (const access of accesses) {
    const words = accessWords(access);
    const there = byWords.get(words);
    if (!there || (there.without !== undefined && access.without === undefined)) byWords.set(words, access);
  }
  return [...byWords.values()];
}

/** `patch deployments.apps shop`, `get pods/log`. */
export function accessWords({ verb, resource: { plural, group }, subresource, name }: Access): string {
  const kind = `${plural}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`;
  return `${verb} ${kind}${name === undefined ? '' : ` ${name}`}`;
}
