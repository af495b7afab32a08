import type { Resource } from '../kube.js';
import { resources } from '../resources.js';

/** An object of the workload's namespace, by name. */
export interface Reference {
  resource: Resource;
  name: string;
}

interface Named {
  name?: string;
}

interface Container {
  envFrom?: { configMapRef?: Named; secretRef?: Named }[];
  env?: { valueFrom?: { configMapKeyRef?: Named; secretKeyRef?: Named } }[];
}

interface Volume {
  configMap?: Named;
  secret?: { secretName?: string };
  projected?: { sources?: { configMap?: Named; secret?: Named }[] };
}

/** The ConfigMaps and Secrets that pods of this spec mount or read their environment from, in all containers, each once, by name. Pure. */
export function referencedConfig(podSpec: {
  volumes?: Volume[];
  containers?: Container[];
  initContainers?: Container[];
  // biome-ignore lint/suspicious/noExplicitAny: the rest of a pod's spec refers to none
  [field: string]: any;
}): Reference[] {
  const { volumes = [], containers = [], initContainers = [] } = podSpec;
  const all = [...initContainers, ...containers];
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const from = all.flatMap(({ envFrom = [] }) => envFrom);
  const values = all.flatMap(({ env = [] }) => env.map(({ valueFrom = {} }) => valueFrom));
  const configMaps = [
    ...volumes.map(({ configMap }) => configMap?.name),
    ...sources.map(({ configMap }) => configMap?.name),
    ...from.map(({ configMapRef }) => configMapRef?.name),
    ...values.map(({ configMapKeyRef }) => configMapKeyRef?.name),
  ];
  const secrets = [
    ...volumes.map(({ secret }) => secret?.secretName),
    ...sources.map(({ secret }) => secret?.name),
    ...from.map(({ secretRef }) => secretRef?.name),
    ...values.map(({ secretKeyRef }) => secretKeyRef?.name),
  ];
  return [...references(resources.configmaps, configMaps), ...references(resources.secrets, secrets)];
}

function references(resource: Resource, names: readonly (string | undefined)[]): Reference[] {
  const given = names.filter((name): name is string => typeof name === 'string' && name !== '');
  return [...new Set(given)].sort().map((name) => ({ resource, name }));
}
