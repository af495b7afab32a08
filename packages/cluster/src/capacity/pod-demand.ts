import { type Nano, parseQuantity } from './quantity.js';

/** Amounts by name, as a ResourceQuota names them: `requests.cpu`, `limits.memory`, `requests.nvidia.com/gpu` … */
export type Demand = Map<string, Nano>;

interface Container {
  name: string;
  restartPolicy?: string;
  resources?: Resources;
}

interface Resources {
  requests?: Record<string, unknown>;
  limits?: Record<string, unknown>;
}

/** What this package reads of a pod's spec. */
export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
  resources?: Resources;
  overhead?: Record<string, unknown>;
  activeDeadlineSeconds?: number;
  priorityClassName?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the rest is not looked at, or by its own reader
  [field: string]: any;
}

/**
 * What one pod asks for: the sum of its containers and sidecars, or the largest step of its start where that is more, and the overhead of
 * its runtime (k8s.io/component-helpers, resource/helpers.go). Requests that are not given are the limits. Pure.
 */
export function podDemand(spec: PodSpec): Demand {
  const demand = larger(sum([...(spec.containers ?? []), ...sidecars(spec)].map(demandOf)), peakOfStart(spec));
  // Amounts given for the whole pod stand in place of the containers' sum.
  for (const [name, amount] of demandOf({ name: '', resources: spec.resources ?? {} })) demand.set(name, amount);
  for (const [name, amount] of amounts('requests', spec.overhead)) demand.set(name, (demand.get(name) ?? 0n) + amount);
  for (const [name, amount] of amounts('limits', spec.overhead)) {
    const limit = demand.get(name);
    if (limit !== undefined) demand.set(name, limit + amount);
  }
  return demand;
}

/** Names of the containers that do not say how much of `name` (e.g. `limits.cpu`) they want. Pure. */
export function silentContainers(spec: PodSpec, name: string): string[] {
  if (demandOf({ name: '', resources: spec.resources ?? {} }).has(name)) return [];
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter((each) => !demandOf(each).has(name)).map((each) => each.name);
}

function demandOf({ resources = {} }: Container): Demand {
  const limits = amounts('limits', resources.limits);
  return new Map([...amounts('requests', resources.limits), ...amounts('requests', resources.requests), ...limits]);
}

function amounts(prefix: string, given: Record<string, unknown> = {}): Demand {
  const demand: Demand = new Map();
  for (const [name, value] of Object.entries(given)) {
    const amount = parseQuantity(value);
    if (amount !== undefined) demand.set(`${prefix}.${name}`, amount);
  }
  return demand;
}

/** Init containers run one after the other, each beside the sidecars that were started before it. */
function peakOfStart(spec: PodSpec): Demand {
  let running: Demand = new Map();
  let peak: Demand = new Map();
  for (const container of spec.initContainers ?? []) {
    const together = sum([running, demandOf(container)]);
    peak = larger(peak, together);
    if (isSidecar(container)) running = together;
  }
  return peak;
}

function sidecars({ initContainers = [] }: PodSpec): Container[] {
  return initContainers.filter(isSidecar);
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always';
}

function sum(demands: readonly Demand[]): Demand {
  const total: Demand = new Map();
  for (const [name, amount] of demands.flatMap((demand) => [...demand])) total.set(name, (total.get(name) ?? 0n) + amount);
  return total;
}

function larger(a: Demand, b: Demand): Demand {
  const result: Demand = new Map(a);
  for (const [name, amount] of b) if (amount > (result.get(name) ?? 0n)) result.set(name, amount);
  return result;
}
