import { type KubeClient, type KubeObject, resources } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import { type Check, warning } from './check.js';

/** Name of the CronJob in docs/rbac/watchdog.yaml. */
export function watchdogName(workload: string): string {
  return `slipway-watchdog-${workload}`;
}

/** Who sends users back when the runner that moves them has died. */
export async function checkWatchdog(client: KubeClient, namespace: string, workload: string): Promise<Check> {
  const name = watchdogName(workload);
  const what = 'users are sent back when the runner dies';
  const found = await findUnlessForbidden(client, namespace, name);
  if (found === 'forbidden') return warning(what, `Whether CronJob ${namespace}/${name} watches is not known: it may not be read.`);
  if (found && found.spec?.suspend !== true) return { what, outcome: 'ok', words: `CronJob ${name} watches`, next: [] };
  return warning(
    what,
    `Nothing in the cluster does: CronJob ${namespace}/${name} is ${found ? 'suspended' : 'not there'}. A re-run of the job does, or a person.`,
    ['Apply docs/rbac/watchdog.yaml, or have a job with `auto-rollback` and `if: failure() || cancelled()`.'],
  );
}

async function findUnlessForbidden(client: KubeClient, namespace: string, name: string): Promise<KubeObject | undefined | 'forbidden'> {
  try {
    return await client.find(resources.cronjobs, namespace, name);
  } catch (error) {
    if (error instanceof OperationError && error.reason === 'FORBIDDEN') return 'forbidden';
    throw error;
  }
}
