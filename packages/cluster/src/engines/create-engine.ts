import type { KubeClient } from '../kube.js';
import { argoRollouts, type EngineOptions } from './argo-rollouts.js';
import type { EngineKind, RolloutEngine } from './engine.js';
import { flagger } from './flagger.js';

/** The engine that drives a service. Sends nothing yet. */
export function createEngine(client: KubeClient, kind: EngineKind, options: EngineOptions): RolloutEngine {
  return kind === 'argo-rollouts' ? argoRollouts(client, options) : flagger(client, options);
}
