import type { Attempt } from './api-error.js';
import { isRecord, type KubeObject } from './object.js';
import type { Store } from './store.js';

/** A rule as in a Role. */
export interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

export interface User {
  name: string;
  token: string;
  /** Everything is allowed. */
  admin?: boolean;
  /** Rules granted to this token beside what Roles in the cluster bind to its name. */
  rules?: PolicyRule[];
  /** Where `rules` hold; absent: everywhere. */
  namespaces?: string[];
}

/** Decides as RBAC does: what some rule allows is allowed, everything else is not. */
export class Authorizer {
  constructor(private readonly store: Store) {}

  allows(user: User, attempt: Omit<Attempt, 'user'>): boolean {
    if (user.admin) return true;
    const inReach = !user.namespaces || user.namespaces.includes(attempt.namespace);
    const granted = inReach ? (user.rules ?? []) : [];
    return [...granted, ...this.bound(user.name, attempt.namespace)].some((rule) => covers(rule, attempt));
  }

  private bound(user: string, namespace: string): PolicyRule[] {
    const local = namespace ? this.store.list('RoleBinding', namespace) : [];
    return [...local, ...this.store.list('ClusterRoleBinding')]
      .filter((binding) => names(binding, user))
      .flatMap((binding) => this.rulesOf(binding));
  }

  private rulesOf(binding: KubeObject): PolicyRule[] {
    const { kind, name } = binding.roleRef ?? {};
    const role =
      kind === 'ClusterRole' ? this.store.find('ClusterRole', '', name) : this.store.find('Role', binding.metadata.namespace ?? '', name);
    return Array.isArray(role?.rules) ? role.rules : [];
  }
}

function names(binding: KubeObject, user: string): boolean {
  const subjects: unknown[] = binding.subjects ?? [];
  return subjects.some((subject) => {
    if (!isRecord(subject)) return false;
    if (subject.kind === 'User') return subject.name === user;
    const namespace = subject.namespace ?? binding.metadata.namespace;
    return subject.kind === 'ServiceAccount' && `system:serviceaccount:${namespace}:${subject.name}` === user;
  });
}

function covers(rule: PolicyRule, { kind, subresource, verb, name }: Omit<Attempt, 'user'>): boolean {
  const has = (list: string[] | undefined, value: string) => Boolean(list?.includes('*') || list?.includes(value));
  const resource = subresource ? `${kind.plural}/${subresource}` : kind.plural;
  const bySubresource = subresource !== '' && rule.resources?.includes(`*/${subresource}`);
  if (!has(rule.apiGroups, kind.group) || !(has(rule.resources, resource) || bySubresource) || !has(rule.verbs, verb)) return false;
  return !rule.resourceNames?.length || rule.resourceNames.includes(name);
}
