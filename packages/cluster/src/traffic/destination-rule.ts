import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { CANARY, STABLE, TRACK_LABEL } from '../names.js';
import { resources } from '../resources.js';
import { VERSION_LABELS } from '../workloads/image.js';
import { describe } from '../workloads/workload.js';
import type { IstioReader } from './istio-api.js';
import { isService } from './service-host.js';

type Labels = Record<string, string>;

interface Subset {
  name: string;
  labels?: Labels;
}

export interface SubsetRules {
  namespace: string;
  destinationRule: string;
  stableSubset: string;
  canarySubset: string;
  kubeService: string;
  /** Name of the stable Deployment, whose pods' labels are held against the subsets; nothing is held against them when it is not there. */
  stable: string;
}

/**
 * Reads the DestinationRule and refuses one by which the two tracks cannot be told apart.
 *
 * Reasons: DESTINATION_RULE_NOT_FOUND, DESTINATION_RULE_OTHER_HOST, SUBSET_MISSING (each with the YAML to add), SUBSETS_OVERLAP,
 * SUBSET_EXCLUDES_PODS.
 */
export async function checkSubsets(client: KubeClient, read: IstioReader, rules: SubsetRules): Promise<void> {
  const { namespace, destinationRule, kubeService } = rules;
  const found = await read(client, resources.destinationrules, namespace, destinationRule);
  if (!found) {
    throw new OperationError(`There is no DestinationRule ${namespace}/${destinationRule}, which says which pods each subset has.`, {
      reason: 'DESTINATION_RULE_NOT_FOUND',
      next: [`Correct \`traffic.destination-rule\` in slipway.yml, or apply:\n${destinationRuleYaml(rules)}`],
    });
  }
  const rule = found.object;
  if (!isService(rule.spec?.host, { service: kubeService, namespace })) {
    throw new OperationError(`${describe(rule)} is about the host ${rule.spec?.host}, not about Service ${namespace}/${kubeService}.`, {
      reason: 'DESTINATION_RULE_OTHER_HOST',
      next: ['Correct `service` or `traffic.destination-rule` in slipway.yml, so that both mean the Service that the route leads to.'],
    });
  }
  const subsets = subsetsOf(rule, rules);
  refuseOverlap(rule, subsets, rules);
  const deployment = await client.find(resources.deployments, namespace, rules.stable);
  if (deployment) refuseOtherPods(rule, subsets, deployment, rules);
}

function subsetsOf(rule: KubeObject, rules: SubsetRules): { stable: Labels; canary: Labels } {
  const subsets: Subset[] = rule.spec?.subsets ?? [];
  const byName = (name: string) => subsets.find((subset) => subset.name === name);
  const stable = byName(rules.stableSubset);
  const canary = byName(rules.canarySubset);
  if (stable && canary) return { stable: stable.labels ?? {}, canary: canary.labels ?? {} };
  const missing = wantedSubsets(rules).filter(({ name }) => !byName(name));
  throw new OperationError(
    `${describe(rule)} has no subset ${missing.map(({ name }) => `"${name}"`).join(' and ')}; it has ${subsets.map(({ name }) => name).join(', ') || 'none'}.`,
    { reason: 'SUBSET_MISSING', next: [`Add to its spec.subsets:\n${yamlOf(missing)}`] },
  );
}

/** One subset's labels are among the other's: every pod of the other is in it as well. */
function refuseOverlap(rule: KubeObject, { stable, canary }: { stable: Labels; canary: Labels }, rules: SubsetRules): void {
  if (selects(stable, canary)) throw overlap(rule, rules.stableSubset, rules.canarySubset, rules);
  if (selects(canary, stable)) throw overlap(rule, rules.canarySubset, rules.stableSubset, rules);
}

/** The subsets held against the labels that the pods of both tracks have during a rollout; the version's labels change with it. */
function refuseOtherPods(
  rule: KubeObject,
  { stable, canary }: { stable: Labels; canary: Labels },
  deployment: KubeObject,
  rules: SubsetRules,
): void {
  const pods: Labels = { ...deployment.spec?.template?.metadata?.labels };
  const selector: Labels = deployment.spec?.selector?.matchLabels ?? {};
  for (const label of VERSION_LABELS) if (!(label in selector)) delete pods[label];
  const stablePods = { ...pods, [TRACK_LABEL]: pods[TRACK_LABEL] ?? STABLE };
  const canaryPods = { ...pods, [TRACK_LABEL]: CANARY };
  if (selects(stable, canaryPods)) throw overlap(rule, rules.stableSubset, rules.canarySubset, rules);
  if (selects(canary, stablePods)) throw overlap(rule, rules.canarySubset, rules.stableSubset, rules);
  const excluded = [
    { name: rules.stableSubset, labels: stable, pods: stablePods },
    { name: rules.canarySubset, labels: canary, pods: canaryPods },
  ].find((each) => !selects(each.labels, each.pods));
  if (!excluded) return;
  throw new OperationError(
    `In ${describe(rule)} the subset "${excluded.name}" with the labels ${JSON.stringify(excluded.labels)} would have no pods of ${describe(deployment)}: theirs, without those of a version, are ${JSON.stringify(excluded.pods)}.`,
    { reason: 'SUBSET_EXCLUDES_PODS', next: [`Choose them by their track:\n${yamlOf(wantedSubsets(rules))}`] },
  );
}

function overlap(rule: KubeObject, chooses: string, pods: string, rules: SubsetRules): OperationError {
  return new OperationError(`In ${describe(rule)} the labels of subset "${chooses}" also choose the pods of "${pods}".`, {
    reason: 'SUBSETS_OVERLAP',
    next: [`Tell them apart:\n${yamlOf(wantedSubsets(rules))}`],
  });
}

function selects(labels: Labels, pods: Labels): boolean {
  return Object.entries(labels).every(([key, value]) => pods[key] === value);
}

interface WantedSubset {
  name: string;
  track: string;
}

function wantedSubsets({ stableSubset, canarySubset }: SubsetRules): WantedSubset[] {
  return [
    { name: stableSubset, track: STABLE },
    { name: canarySubset, track: CANARY },
  ];
}

function yamlOf(subsets: WantedSubset[]): string {
  return subsets.map(({ name, track }) => `  - name: ${name}\n    labels: {${TRACK_LABEL}: ${track}}`).join('\n');
}

function destinationRuleYaml(rules: SubsetRules): string {
  return [
    'apiVersion: networking.istio.io/v1',
    'kind: DestinationRule',
    `metadata: {name: ${rules.destinationRule}, namespace: ${rules.namespace}}`,
    'spec:',
    `  host: ${rules.kubeService}`,
    '  subsets:',
    yamlOf(wantedSubsets(rules)),
  ].join('\n');
}
