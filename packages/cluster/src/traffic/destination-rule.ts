import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { CANARY, STABLE, TRACK_LABEL } from '../names.js';
import { resources } from '../resources.js';
import { describe } from '../workloads/workload.js';

interface Subset {
  name: string;
  labels?: Record<string, string>;
}

export interface SubsetRules {
  destinationRule: string;
  stableSubset: string;
  canarySubset: string;
  kubeService: string;
}

/** Reads the DestinationRule and refuses it when a subset is missing or both tracks' pods are in one. */
export async function checkSubsets(client: KubeClient, namespace: string, rules: SubsetRules): Promise<KubeObject> {
  const found = await client.find(resources.destinationrules, namespace, rules.destinationRule);
  if (!found) {
    throw new OperationError(`There is no DestinationRule ${namespace}/${rules.destinationRule}, which says which pods each subset has.`, {
      reason: 'DESTINATION_RULE_NOT_FOUND',
      next: [`Correct \`traffic.destination-rule\` in slipway.yml, or apply:\n${destinationRuleYaml(namespace, rules)}`],
    });
  }
  refuseSubsets(found, rules);
  return found;
}

/** Reasons: SUBSET_MISSING (with the YAML to add), SUBSETS_OVERLAP (stable's labels would also choose the canary's pods). Pure. */
function refuseSubsets(rule: KubeObject, rules: SubsetRules): void {
  const subsets: Subset[] = rule.spec?.subsets ?? [];
  const byName = (name: string) => subsets.find((subset) => subset.name === name);
  const wanted = [
    { name: rules.stableSubset, track: STABLE },
    { name: rules.canarySubset, track: CANARY },
  ];
  const missing = wanted.filter(({ name }) => !byName(name));
  if (missing.length > 0) {
    throw new OperationError(
      `${describe(rule)} has no subset ${missing.map(({ name }) => `"${name}"`).join(' and ')}; it has ${subsets.map(({ name }) => name).join(', ') || 'none'}.`,
      {
        reason: 'SUBSET_MISSING',
        next: [`Add to its spec.subsets:\n${missing.map(({ name, track }) => subsetYaml(name, track)).join('\n')}`],
      },
    );
  }
  const stable = byName(rules.stableSubset)?.labels ?? {};
  const canary = byName(rules.canarySubset)?.labels ?? {};
  if (!Object.entries(stable).every(([key, value]) => canary[key] === value)) return;
  throw new OperationError(
    `In ${describe(rule)} the labels of subset "${rules.stableSubset}" also choose the pods of "${rules.canarySubset}".`,
    {
      reason: 'SUBSETS_OVERLAP',
      next: [`Tell them apart:\n${wanted.map(({ name, track }) => subsetYaml(name, track)).join('\n')}`],
    },
  );
}

function subsetYaml(name: string, track: string): string {
  return `  - name: ${name}\n    labels: {${TRACK_LABEL}: ${track}}`;
}

function destinationRuleYaml(namespace: string, { destinationRule, kubeService, stableSubset, canarySubset }: SubsetRules): string {
  return [
    'apiVersion: networking.istio.io/v1',
    'kind: DestinationRule',
    `metadata: {name: ${destinationRule}, namespace: ${namespace}}`,
    'spec:',
    `  host: ${kubeService}`,
    '  subsets:',
    subsetYaml(stableSubset, STABLE),
    subsetYaml(canarySubset, CANARY),
  ].join('\n');
}
