import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  failedRequests,
  type Sandbox,
  type SandboxOptions,
  type ShopOptions,
  shop,
  startSandbox,
  unansweredRequests,
} from '@slipway/sandbox';
import { type ActionOutcome, type RunningAction, runAction, startAction } from '../run-action.js';

export const image = (tag: string) => `registry.example/shop:${tag}`;
/** The version that the sandbox's shop begins with. */
export const former = image('v1.3.0');

export interface World {
  sandbox: Sandbox;
  /** A checkout with slipway.yml and a kubeconfig. */
  cwd: string;
  run: (entry: string, inputs: Record<string, string>, how?: How) => Promise<ActionOutcome>;
  start: (entry: string, inputs: Record<string, string>, how?: How) => RunningAction;
  weight: () => number;
  servedImage: () => string;
  hasCanary: () => boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the state as JSON, of which each test looks at a part
  state: () => any;
  end: () => Promise<void>;
}

export interface How {
  job?: string;
  attempt?: number;
  phase?: 'main' | 'post';
  state?: Record<string, string>;
  user?: string;
}

export interface WorldOptions {
  sandbox?: SandboxOptions;
  shop?: ShopOptions;
  config?: ConfigOptions;
}

interface ConfigOptions {
  router?: 'istio' | 'replicas';
  duration?: string;
}

/** slipway.yml with steps of seconds, so that a release takes some. */
function slipwayYml({ router = 'istio', duration = '6s' }: ConfigOptions): string {
  return `version: 1
environments:
  production: { namespace: shop }
  staging: { namespace: shop-staging }
services:
  shop:
    traffic: { router: ${router} }
    steps:
      - { weight: 10, duration: ${duration}, max-error-rate: 1% }
      - { weight: 50, duration: ${duration}, max-error-rate: 0.5% }
    ready-timeout: 20s
    drain: 1s
    analysis: { window: 1s, warm-up: 1s, on-inconclusive: continue }
`;
}

/** A sandbox with the shop in it, and the actions of this repository to release it with. */
export async function world(options: WorldOptions = {}): Promise<World> {
  const sandbox = await startSandbox(options.sandbox);
  const cwd = mkdtempSync(join(tmpdir(), 'slipway-shop-'));
  mkdirSync(join(cwd, '.github'));
  writeFileSync(join(cwd, '.github/slipway.yml'), slipwayYml({ ...options.config }));
  await shop(sandbox, { router: options.config?.router ?? 'istio', ...options.shop });
  const settings = (
    entry: string,
    inputs: Record<string, string>,
    { job = 'canary', attempt = 1, phase = 'main', state = {}, user = 'admin' }: How = {},
  ) => ({
    entry,
    inputs: { environment: 'production', ...inputs },
    cwd,
    phase,
    state,
    env: { KUBECONFIG: sandbox.writeKubeconfig(join(cwd, 'kubeconfig'), { user }), GITHUB_JOB: job, GITHUB_RUN_ATTEMPT: String(attempt) },
  });
  return {
    sandbox,
    cwd,
    run: (entry, inputs, how) => runAction(settings(entry, inputs, how)),
    start: (entry, inputs, how) => startAction(settings(entry, inputs, how)),
    weight: () => canaryWeight(sandbox),
    servedImage: () => sandbox.get('Deployment', 'shop', 'shop').spec.template.spec.containers[0].image,
    hasCanary: () => sandbox.find('Deployment', 'shop', 'shop-canary') !== undefined,
    state: () => JSON.parse(sandbox.get('ConfigMap', 'shop', 'slipway-shop').data['state.json']),
    end: async () => {
      await sandbox.stop();
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

function canaryWeight(sandbox: Sandbox): number {
  const routes: { name?: string; route: { destination: { subset?: string }; weight?: number }[] }[] = sandbox.get(
    'VirtualService',
    'shop',
    'shop',
  ).spec.http;
  const primary = routes.find(({ name }) => name === 'primary');
  return primary?.route.find(({ destination }) => destination.subset === 'canary')?.weight ?? 0;
}

/** Requests of users in production that failed, and how many of them no pod answered. */
export function failures(sandbox: Sandbox, from: number): { failed: number; unanswered: number } {
  const { total } = sandbox.stats('shop/shop', { from });
  return { failed: failedRequests(total), unanswered: unansweredRequests(total) };
}

/** A test with a world of its own, which goes with it: such tests can run side by side. */
export function scene<T extends unknown[]>(
  options: WorldOptions,
  body: (shop: World, ...row: T) => Promise<void>,
): (...row: T) => Promise<void> {
  return async (...row) => {
    const shop = await world(options);
    try {
      await body(shop, ...row);
    } finally {
      await shop.end();
    }
  };
}

/** Resolves when an analysis is at work: its first window is in the state. */
export async function watched({ sandbox, state }: World): Promise<void> {
  await sandbox.until('the first window is judged', () => (state().evidence?.watched ?? 0) >= 1);
}
