import { createEngine, type EngineKind, type KubeClient, type RolloutEngine } from '@slipway/cluster';
import type { RolloutTarget } from '../target.js';

/** The controller that drives the target; undefined: Slipway does itself. Pure. */
export function engineKindOf({ engine }: Pick<RolloutTarget, 'engine'>): EngineKind | undefined {
  return engine === 'argo-rollouts' || engine === 'flagger' ? engine : undefined;
}

/** The engine of a target whose `engine` is not `native`. Sends nothing yet. */
export function engineFor(client: KubeClient, target: RolloutTarget, kind: EngineKind): RolloutEngine {
  const { namespace, workload: name, container } = target;
  return createEngine(client, kind, { namespace, name, container });
}
