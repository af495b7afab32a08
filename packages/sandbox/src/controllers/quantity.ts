import type { KubeObject } from '../kube/object.js';
import { parseQuantity } from '../kube/quantity.js';

export { parseQuantity } from '../kube/quantity.js';

/** Cores as the API writes them: `250m`, `2`. */
export function formatCores(cores: number): string {
  const millis = Math.round(cores * 1000);
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
}

/** What the containers of a pod ask for, or may use, of one resource. A container that does not say counts as 0. */
export function podTotal({ spec }: Pick<KubeObject, 'spec'>, resource: string, of: 'requests' | 'limits' = 'requests'): number {
  const amounts = containersOf(spec).map(({ resources }) => parseQuantity(resources?.[of]?.[resource]) ?? 0);
  return amounts.reduce((sum, amount) => sum + amount, 0);
}

/** The first container that does not say how much it asks for. */
export function containerWithout({ spec }: Pick<KubeObject, 'spec'>, resource: string, of: 'requests' | 'limits' = 'requests') {
  return containersOf(spec).find(({ resources }) => parseQuantity(resources?.[of]?.[resource]) === undefined)?.name;
}

interface Container {
  name: string;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
}

function containersOf(spec: KubeObject['spec']): Container[] {
  return spec?.containers ?? [];
}
