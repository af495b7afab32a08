import { type KubeClient, raiseFloor as raise, readScaler, restoreFloor as restore, type Scaler } from '@slipway/cluster';
import type { Floor } from './state.js';
import type { RolloutTarget } from './target.js';

/** The autoscaler of stable, or null. */
export function scalerOf(client: KubeClient, { namespace, workload }: RolloutTarget): Promise<Scaler | null> {
  return readScaler(client, namespace, { kind: 'Deployment', name: workload });
}

/** What is written down before the floor is raised: the number to go back to. */
export function floorOf({ kind, name, floor }: Scaler, raised: number): Floor {
  return { kind, name, original: floor, raised };
}

/** While part of its users is elsewhere, stable's autoscaler must not take away the pods that it needs when they come back. */
export async function raiseFloor(client: KubeClient, scaler: Scaler | null, replicas: number): Promise<Scaler | null> {
  return scaler && raise(client, scaler, replicas);
}

/** Gives the autoscaler its own limit back, unless it is gone or somebody else has set another. */
export async function restoreFloor(client: KubeClient, target: RolloutTarget, floor: Floor): Promise<void> {
  const scaler = await scalerOf(client, target);
  if (scaler?.kind === floor.kind && scaler.name === floor.name) await restore(client, scaler, floor.original, floor.raised);
}
