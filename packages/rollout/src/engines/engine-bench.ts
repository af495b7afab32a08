import type { EngineView, KubeClient, RolloutEngine } from '@slipway/cluster';
import type { RolloutDeps } from '../deps.js';
import type { RolloutRecord } from '../rollout-record.js';
import { engineFor, engineKindOf } from './engine-target.js';

/** What a command of a driven rollout is carried out with. */
export interface EngineBench {
  deps: RolloutDeps;
  engine: RolloutEngine;
  record: RolloutRecord;
  /** Aborts when the run is cancelled, or when the lease is lost. */
  signal: AbortSignal;
  client: KubeClient;
  /** What was read last. */
  seen: () => EngineView | undefined;
  /** The image that was sent, once it is answered: what makes users safe waits for it, so as not to be overtaken by it. Undefined: none was. */
  started: () => Promise<unknown> | undefined;
}

/** The bench of a target whose engine is not `native`. */
export function engineBench(deps: RolloutDeps, record: RolloutRecord, signal: AbortSignal): EngineBench {
  const client = deps.client.withSignal(signal);
  const kind = engineKindOf(deps.target);
  if (!kind) throw new Error(`${deps.target.workload} is driven by no engine`);
  let seen: EngineView | undefined;
  let pending: Promise<unknown> | undefined;
  const reading = engineFor(client, deps.target, kind);
  const engine: RolloutEngine = {
    ...reading,
    check: async () => {
      seen = await reading.check();
      return seen;
    },
    read: async () => {
      seen = await reading.read();
      return seen;
    },
    start: (...args) => {
      const sent = reading.start(...args);
      pending = sent.catch(() => undefined);
      return sent;
    },
  };
  return { deps, engine, record, signal, client, seen: () => seen, started: () => pending };
}
