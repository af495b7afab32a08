import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, shop, startSandbox } from '@slipway/sandbox';
import type { ScratchRepository } from '../test/workflows/scratch-repository.js';
import { imageOf } from './scenarios.js';
import { createShopRepository } from './shop-repository.js';

/** The shop's namespace in production, and its Service as the sandbox's statistics call it. */
export const production = 'shop';
export const productionService = 'shop/shop';

/** Requests of users per second in production. */
const rps = 250;

/** Where scenarios are played: the sandbox with the shop in it, and the shop's repository. */
export interface World {
  sandbox: Sandbox;
  repository: ScratchRepository;
  /** The kubeconfig as a secret holds it: its text. */
  kubeconfig: string;
  /** For what a run leaves while it runs. */
  directory: string;
  stop(): Promise<void>;
}

/** A world in which all users meet `version`. */
export async function createWorld(version: string): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-demo-'));
  const sandbox = await startSandbox({ repository: 'acme/shop' });
  await shop(sandbox, { image: imageOf(version), rps, replicas: 4 });
  const repository = createShopRepository('acme/shop', version);
  return {
    sandbox,
    repository,
    kubeconfig: readFileSync(sandbox.writeKubeconfig(join(directory, 'kubeconfig')), 'utf8'),
    directory,
    async stop() {
      await sandbox.stop();
      repository.remove();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Image that the stable Deployment runs. */
export function stableImage(sandbox: Sandbox, namespace: string): string {
  return String(sandbox.get('Deployment', namespace, 'shop').spec?.template?.spec?.containers?.[0]?.image);
}

/** Percent of the users that the VirtualService sends to the canary. */
export function canaryWeight(sandbox: Sandbox): number {
  const routes: Route[] =
    sandbox.get('VirtualService', production, 'shop').spec?.http?.flatMap((http: { route: Route[] }) => http.route) ?? [];
  return routes.filter(({ destination }) => destination?.subset === 'canary').reduce((sum, { weight }) => sum + (weight ?? 100), 0);
}

interface Route {
  destination?: { subset?: string };
  weight?: number;
}
