import type { KubeObject, Sandbox } from '@slipway/sandbox';
import { readyPods } from './users-watch.js';

/** Where things stand when nothing is on its way: what two runs must have in common, whatever happened in between. */
export interface Rest {
  /** Who holds the lease; must be nobody. */
  leaseHolder: string;
  stable: { template: unknown; replicas: number; readyReplicas: number };
  canary: { template: unknown; replicas: number } | null;
  /** Ready pods per track. */
  pods: { stable: number; canary: number };
  /** Specs of what leads users: Service, VirtualService, DestinationRule. */
  routes: unknown[];
  /** Every object of the namespace that is neither a record of ours nor made by a controller. */
  objects: string[];
  /** Records of ours: the ConfigMaps and the Lease. */
  records: string[];
  /** The rollout as its state tells it; null: there is none. */
  rollout: { phase: string; step: number; weight: number; from: string; to: string; intent: unknown; ended: string | null } | null;
}

const kindsOfUsers = ['Deployment', 'Service', 'ConfigMap', 'Secret', 'Lease', 'VirtualService', 'DestinationRule'] as const;

export function readRest(sandbox: Sandbox): Rest {
  const find = (kind: string, name: string) => sandbox.find(kind, 'shop', name);
  const state = readState(sandbox);
  const neutral = neutralizer(state?.id);
  const names = kindsOfUsers.flatMap((kind) => sandbox.list(kind, 'shop').map(({ metadata }) => neutral(`${kind}/${metadata.name}`)));
  const [stable, canary] = [find('Deployment', 'shop'), find('Deployment', 'shop-canary')];
  return {
    leaseHolder: find('Lease', 'slipway-shop')?.spec.holderIdentity ?? '',
    stable: {
      template: neutral(stable?.spec.template ?? null),
      replicas: stable?.spec.replicas ?? 0,
      readyReplicas: stable?.status?.readyReplicas ?? 0,
    },
    canary: canary ? { template: neutral(canary.spec.template), replicas: canary.spec.replicas } : null,
    pods: { stable: readyPods(sandbox, 'stable'), canary: readyPods(sandbox, 'canary') },
    routes: ['Service', 'VirtualService', 'DestinationRule'].map((kind) => find(kind, 'shop')?.spec ?? null),
    objects: names.filter((name) => !name.includes('/slipway-')).sort(),
    records: names.filter((name) => name.includes('/slipway-')).sort(),
    rollout: state && {
      phase: state.phase,
      step: state.step,
      weight: state.weight,
      from: state.image.from,
      to: state.image.to,
      intent: state.intent,
      ended: state.ended?.reason ?? null,
    },
  };
}

/** The state as stored; null: none, or not readable. */
// biome-ignore lint/suspicious/noExplicitAny: of the state each test looks at a part
export function readState(sandbox: Sandbox): any {
  const text: unknown = sandbox.find('ConfigMap', 'shop', 'slipway-shop')?.data?.['state.json'];
  try {
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Takes the rollout's id out, which is another one in each run. */
function neutralizer(id: string | undefined): <T>(value: T) => T {
  return (value) => (id === undefined ? value : JSON.parse(JSON.stringify(value).replaceAll(id, 'ROLLOUT')));
}

/** What differs, one line each; empty when all is the same. */
export function differences(expected: Partial<Rest>, actual: Rest): string[] {
  return Object.entries(expected).flatMap(([key, value]) => {
    const there = actual[key as keyof Rest];
    return same(value, there) ? [] : [`${key}: expected ${JSON.stringify(value)}, found ${JSON.stringify(there)}`];
  });
}

/** Waits, for at most `patience` milliseconds, until the world is as expected; answers what still differs. Pods take a moment to go. */
export async function comesToRest(sandbox: Sandbox, expected: Partial<Rest>, patience = 5_000): Promise<string[]> {
  const until = Date.now() + patience;
  for (;;) {
    const left = differences(expected, readRest(sandbox));
    if (left.length === 0 || Date.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The part that users meet, and the lease: what must be right even where there is no record of the rollout, or another one. */
export function withoutRecords({ records: _records, rollout: _rollout, ...seen }: Rest): Partial<Rest> {
  return seen;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

/** With the keys of all objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as KubeObject)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
