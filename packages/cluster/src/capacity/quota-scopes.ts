import type { KubeObject } from '../kube.js';
import { type PodSpec, podDemand } from './pod-demand.js';

interface ScopeTerm {
  scopeName?: string;
  operator?: string;
  values?: string[];
}

/** Whether a ResourceQuota counts pods of this spec: all of its scopes have to match (pkg/quota/v1/evaluator/core/pods.go). Pure. */
export function quotaCounts(quota: KubeObject, podSpec: PodSpec): boolean {
  const plain: ScopeTerm[] = (quota.spec?.scopes ?? []).map((scopeName: string) => ({ scopeName, operator: 'Exists' }));
  const terms: ScopeTerm[] = [...plain, ...(quota.spec?.scopeSelector?.matchExpressions ?? [])];
  return terms.every((term) => inScope(term, podSpec));
}

function inScope({ scopeName, operator = 'Exists', values = [] }: ScopeTerm, podSpec: PodSpec): boolean {
  switch (scopeName) {
    case 'Terminating':
      return podSpec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return podSpec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return podDemand(podSpec).size === 0;
    case 'NotBestEffort':
      return podDemand(podSpec).size > 0;
    case 'PriorityClass':
      return hasPriority(podSpec.priorityClassName, operator, values);
    case 'CrossNamespacePodAffinity':
      return /"(namespaces|namespaceSelector)":/.test(JSON.stringify(podSpec.affinity ?? {}));
    default:
      // A scope that is not of pods (VolumeAttributesClass) counts none.
      return false;
  }
}

function hasPriority(name: string | undefined, operator: string, values: readonly string[]): boolean {
  const given = name !== undefined && name !== '';
  if (operator === 'In') return given && values.includes(name);
  if (operator === 'NotIn') return !given || !values.includes(name);
  return operator === 'DoesNotExist' ? !given : given;
}
