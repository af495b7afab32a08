import type { KubeClient } from '@slipway/cluster';
import type { Context } from '@slipway/core';
import type { RolloutTarget } from './target.js';

/** What a rollout is done with: the cluster, the target, and the process it runs in. */
export interface RolloutDeps {
  client: KubeClient;
  target: RolloutTarget;
  /** Hash of the service's settings as slipway.yml says now. */
  configHash: string;
  context: Pick<Context, 'clock' | 'signal' | 'log' | 'holder' | 'runUrl' | 'progress'>;
  /** Encrypts the Secrets in snapshots; absent: only fingerprints of them are kept. */
  snapshotKey?: string;
  /** What a cancellation does while the canary has users: send them back, or leave all as it is. Default `rollback`. */
  onCancel?: 'rollback' | 'hold';
}
