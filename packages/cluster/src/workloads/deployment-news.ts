import type { Clock } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';

/** What a watch tells of one Deployment while it is waited for. */
export interface DeploymentNews {
  /** The newest that was heard, unless that is too long ago to rely on; a stream that says nothing may be broken. */
  newest(): KubeObject | undefined;
  /** Aborts when a Deployment was heard that is what is waited for; `newest()` is that one from then on. */
  readonly arrived: AbortSignal;
  close(): void;
}

/** For how long the last word of a stream stands for the Deployment, milliseconds. */
const STANDS = 10_000;

/**
 * Watches a Deployment from `seen` on, unless that is what is waited for. Where that may not be, or the stream breaks, there is no news, and nothing else: who waits has to look
 * by itself then.
 */
export function deploymentNews(
  client: KubeClient,
  seen: KubeObject,
  isAwaited: (deployment: KubeObject) => boolean,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): DeploymentNews {
  const { name, namespace = '', resourceVersion = '' } = seen.metadata;
  const [closing, arrived] = [new AbortController(), new AbortController()];
  let last: { deployment: KubeObject; at: number } | undefined;

  async function listen(): Promise<void> {
    const options = { resourceVersion, timeoutMs, signal: closing.signal };
    for await (const deployment of client.watch?.(resources.deployments, namespace, name, options) ?? []) {
      last = { deployment, at: clock.now() };
      if (isAwaited(deployment)) return arrived.abort();
    }
    last = undefined;
  }
  if (!isAwaited(seen)) {
    void listen().catch(() => {
      last = undefined;
    });
  }

  return {
    newest: () => (last && (arrived.signal.aborted || clock.now() - last.at < STANDS) ? last.deployment : undefined),
    arrived: arrived.signal,
    close: () => closing.abort(),
  };
}
