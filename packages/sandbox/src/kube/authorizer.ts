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

/** What is asked about: `name` empty means all names, `namespace` empty all namespaces, verb and resource may be `*`. */
export type Question = Pick<Attempt, 'verb' | 'subresource' | 'namespace' | 'name'> & { kind: Pick<Attempt['kind'], 'group' | 'plural'> };

/** Decides as RBAC does: what some rule allows is allowed, everything else is not. */
export class Authorizer {
  constructor(private readonly store: Store) {}

  allows(user: User, question: Question): boolean {
    return this.reason(user, question) !== undefined;
  }

  /** Why it is allowed, in RBAC's words; undefined: it is not. */
  reason(user: User, question: Question): string | undefined {
    if (user.admin) return '';
    const inReach = !user.namespaces || user.namespaces.includes(question.namespace);
    if (inReach && user.rules?.some((rule) => covers(rule, question))) return '';
    for (const { binding, subject, rules } of this.bound(user.name, question.namespace)) {
      if (rules.some((rule) => covers(rule, question))) return grantedBy(binding, subject);
    }
    return undefined;
  }

  private bound(user: string, namespace: string): { binding: KubeObject; subject: Subject; rules: PolicyRule[] }[] {
    const local = namespace ? this.store.list('RoleBinding', namespace) : [];
    return [...this.store.list('ClusterRoleBinding'), ...local].flatMap((binding) => {
      const subject = subjectOf(binding, user);
      return subject ? [{ binding, subject, rules: this.rulesOf(binding) }] : [];
    });
  }

  private rulesOf(binding: KubeObject): PolicyRule[] {
    const { kind, name } = binding.roleRef ?? {};
    const role =
      kind === 'ClusterRole' ? this.store.find('ClusterRole', '', name) : this.store.find('Role', binding.metadata.namespace ?? '', name);
    return Array.isArray(role?.rules) ? role.rules : [];
  }
}

interface Subject {
  kind?: unknown;
  name?: unknown;
  namespace?: unknown;
}

/** The subject of a binding that means this user, by name or by a group that every user or service account is in. */
function subjectOf(binding: KubeObject, user: string): Subject | undefined {
  const subjects: unknown[] = binding.subjects ?? [];
  return subjects.filter(isRecord).find((subject) => {
    if (subject.kind === 'User') return subject.name === user;
    if (subject.kind === 'Group') return groupsOf(user).includes(String(subject.name));
    const namespace = subject.namespace ?? binding.metadata.namespace;
    return subject.kind === 'ServiceAccount' && `system:serviceaccount:${namespace}:${subject.name}` === user;
  });
}

function groupsOf(user: string): string[] {
  const [, , namespace] = user.startsWith('system:serviceaccount:') ? user.split(':') : [];
  return ['system:authenticated', ...(namespace ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`] : [])];
}

function grantedBy({ kind, metadata, roleRef }: KubeObject, subject: Subject): string {
  const binding = metadata.namespace ? `${metadata.name}/${metadata.namespace}` : metadata.name;
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? metadata.namespace}` : subject.name;
  return `RBAC: allowed by ${kind} "${binding}" of ${roleRef?.kind} "${roleRef?.name}" to ${subject.kind} "${who}"`;
}

function covers(rule: PolicyRule, { kind, subresource, verb, name }: Question): boolean {
  const has = (list: string[] | undefined, value: string) => Boolean(list?.includes('*') || list?.includes(value));
  const resource = subresource ? `${kind.plural}/${subresource}` : kind.plural;
  const bySubresource = subresource !== '' && rule.resources?.includes(`*/${subresource}`);
  if (!has(rule.apiGroups, kind.group) || !(has(rule.resources, resource) || bySubresource) || !has(rule.verbs, verb)) return false;
  return !rule.resourceNames?.length || rule.resourceNames.includes(name);
}
