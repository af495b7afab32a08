import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type RouterConfig } from '@slipway/cluster';
import { systemClock } from '@slipway/core';
import { type PolicyRule, type Sandbox, type ShopRouter, shop, startSandbox } from '@slipway/sandbox';
import { parseAllDocuments } from 'yaml';
import type { RolloutTarget } from '../src/target.js';
import { deps, type TestDeps, target } from './shop.js';

export type Way = Exclude<ShopRouter, 'argo'> | 'rolling';
export const ways: Way[] = ['istio', 'replicas', 'gateway-api', 'nginx', 'service', 'rolling'];
export const image = (tag: string) => `registry.example/shop:${tag}`;

/** The rules of docs/rbac/slipway.yaml. */
export const rules = (): PolicyRule[] => {
  const documents = parseAllDocuments(readFileSync('docs/rbac/slipway.yaml', 'utf8')).map((document) => document.toJS());
  return documents.find(({ kind }) => kind === 'Role').rules;
};

const traffic: Record<Exclude<Way, 'rolling'>, RouterConfig> = {
  istio: target('istio').traffic,
  replicas: target('replicas').traffic,
  'gateway-api': {
    router: 'gateway-api',
    httpRoute: 'shop',
    stableService: 'shop-stable',
    canaryService: 'shop-canary',
    gitopsIgnoresWeights: false,
  },
  nginx: { router: 'nginx', ingress: 'shop', canaryService: 'shop-canary', gitopsIgnoresWeights: false },
  service: { router: 'service', previewService: 'shop-preview', gitopsIgnoresWeights: false },
};

/** A target with steps of no length, since nobody watches them here. */
export function targetOf(way: Way): RolloutTarget {
  const shared = way === 'rolling' ? { strategy: 'rolling' as const, traffic: traffic.replicas, steps: [] } : { traffic: traffic[way] };
  const steps = way === 'service' ? [0, 100] : [25, 50];
  return {
    ...target(),
    strategy: way === 'service' ? 'blue-green' : 'canary',
    steps: steps.map((weight) => ({ weight, duration: 0 })),
    readyTimeout: 20_000,
    drain: 0,
    ...shared,
  };
}

/** Nothing takes long here, so nobody waits as long as is usual. */
const hastyClock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 20, signal) };

export interface PlanScene {
  sandbox: Sandbox;
  /** Deps of a user with docs/rbac/slipway.yaml, of `admin`, or of one with just these rules. */
  as(user: 'slipway' | 'admin' | PolicyRule[], aim?: RolloutTarget): TestDeps;
  /** Grows with everything that is stored, whoever writes it. */
  version(): string;
  end(): Promise<void>;
}

/** A sandbox with a shop that nobody visits, where everything happens at once. */
export async function planScene(way: Way): Promise<PlanScene> {
  const sandbox = await startSandbox({ readyDelay: 10, stopDelay: 10, applyDelay: 10, endpointDelay: 10 });
  await shop(sandbox, { router: way === 'rolling' ? 'replicas' : way, replicas: 4, rps: 0, namespaces: ['shop'] });
  sandbox.apply(readFileSync('docs/rbac/slipway.yaml', 'utf8'));
  const directory = mkdtempSync(join(tmpdir(), 'slipway-plan-'));
  let users = 0;
  return {
    sandbox,
    as(user, aim = targetOf(way)) {
      const name = typeof user === 'string' ? (user === 'admin' ? user : 'system:serviceaccount:shop:slipway') : `user-${++users}`;
      if (typeof user !== 'string') sandbox.addUser(name, { rules: user });
      const kubeconfig = sandbox.writeKubeconfig(join(directory, `${users}-${name.replaceAll(':', '-')}`), { user: name });
      const made = deps(connect({ kubeconfig, env: {} }) as never, { target: aim });
      return { ...made, context: { ...made.context, clock: hastyClock } };
    },
    version: () => sandbox.cluster.store.resourceVersion,
    end: async () => {
      await sandbox.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
