import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended, Workspace } from '../../e2e/slipway.js';
import type { TestBed } from './test-bed.js';

/** What takes up a release whose runner died, without a person. */
export interface Rescue {
  /** For the report: `a later job, 30 s after`. */
  words: string;
  /** Before the release: what a cluster with this rescue has in it. */
  prepare(bed: TestBed, namespace: string, workspace: Workspace): Promise<void>;
  /** From the kill on; resolves when it says that users are safe. */
  run(bed: TestBed, namespace: string, workspace: Workspace): Promise<Ended>;
}

/** Seconds until the CI notices that a runner is lost and starts the next job. */
const noticed = 30;

/** A job with `if: failure() || cancelled()` that runs `auto-rollback now` on another runner. */
const laterJob: Rescue = {
  words: `a later job, ${noticed} s after`,
  prepare: async () => undefined,
  run: async (_bed, _namespace, workspace) => {
    await sleep(noticed * 1_000);
    return workspace.run(['auto-rollback', 'now']);
  },
};

/** By name, as in `slipway:killed:by=NAME`; the first is the default. */
export const rescues: Readonly<Record<string, Rescue>> = { 'later-job': laterJob };

export function rescueOf(variant: string): Rescue {
  const name = /(?:^|,)by=([a-z-]+)/.exec(variant)?.[1];
  const rescue = name === undefined ? Object.values(rescues)[0] : rescues[name];
  if (!rescue) throw new Error(`there is no rescue "${name}"; there are ${Object.keys(rescues).join(', ')}`);
  return rescue;
}
