import {
  annotations,
  type KubeObject,
  removeCanary,
  resources,
  stableAlone,
  type TrafficRouter,
  type Workload,
  workloadOf,
} from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { Bench } from './act.js';
import type { Command } from './command.js';
import { drain } from './drain.js';
import type { Verdict } from './verdicts.js';

export type BackCommand = Extract<Command, { kind: 'abort' | 'roll-back' }>;

export interface Unrecorded {
  command: BackCommand;
  stable: Workload;
  /** Our canary Deployment, if it is there; `foreign`: one of that name that is not ours. */
  canary: KubeObject | undefined | 'foreign';
  /** Why there is a record but it cannot be read. */
  corrupt: OperationError | undefined;
}

/** The canary Deployment of a target, whatever the record says. */
export async function findCanary({ client, deps: { target } }: Bench): Promise<Unrecorded['canary']> {
  const there = await client.find(resources.deployments, target.namespace, target.canary);
  return there && there.metadata.annotations?.[annotations.canaryOf] !== target.workload ? 'foreign' : there;
}

/**
 * Sends users back by what the cluster says alone, for when nothing is on record (somebody deleted the state) or the record cannot be read:
 * the way back must not depend on a ConfigMap. Undefined: no user meets a canary, and none is there.
 *
 * Stable is left as it is, because only the record knows what it was.
 */
export async function abortUnrecorded({ command, stable, canary, corrupt }: Unrecorded, bench: Bench): Promise<Verdict | undefined> {
  const { client, router, deps } = bench;
  const { target, context } = deps;
  if (canary === 'foreign') return undefined;
  const image = canary && workloadOf(canary, stable.container).image;
  if (command.kind === 'roll-back' && command.image !== undefined && image !== undefined && image !== command.image) return undefined;
  const split = await readSplitIfAny(router);
  if (!canary && !(split && split.weight > 0)) return undefined;
  context.log.warning(
    `${unrecorded(corrupt)}, but ${split?.words ?? `Deployment ${target.namespace}/${target.canary} is there`}: sending all users to stable.`,
  );
  if (split) {
    await router.cleanup();
    await router.verify(stableAlone);
  }
  if (canary) {
    await drain(bench, canary, target);
    await removeCanary(client, target.namespace, target.canary, { canaryOf: target.workload });
    if (split && router.prepare) await router.cleanup();
  }
  return verdictOf(command, stable, image, corrupt);
}

function verdictOf(
  command: BackCommand,
  { deployment, image }: Workload,
  canaryImage: string | undefined,
  corrupt: OperationError | undefined,
): Verdict {
  const { namespace, name } = deployment.metadata;
  const done = `${unrecorded(corrupt)}. All users meet stable (${image}), and no canary is left`;
  const look = `See whether ${image} is the version you want; if it is not: kubectl -n ${namespace} rollout undo deployment/${name}`;
  if (corrupt) {
    return {
      outcome: 'fail',
      reason: corrupt.reason,
      summary: `${done}; whether that is the former version is not known: ${corrupt.message}`,
      next: [look, ...corrupt.next],
    };
  }
  if (image === canaryImage) {
    return {
      outcome: 'fail',
      reason: 'NO_LAST_GOOD',
      summary: `${done}; but that is the canary's image: it was being promoted, and what was before is not on record.`,
      next: [look],
    };
  }
  return { outcome: 'pass', reason: command.kind === 'abort' ? 'ABORTED' : 'ROLLED_BACK', summary: `${done}.`, next: [look] };
}

function unrecorded(corrupt: OperationError | undefined): string {
  return corrupt ? 'The record of the rollout cannot be read' : 'No rollout was on record';
}

/** Null where no route is: a service that is only ever released at once needs none. */
export async function readSplitIfAny(router: TrafficRouter): Promise<{ weight: number; words: string } | null> {
  try {
    return await router.read();
  } catch (error) {
    const unsure = ['API_UNAVAILABLE', 'FORBIDDEN', 'UNAUTHENTICATED'];
    if (!(error instanceof OperationError) || unsure.includes(error.reason)) throw error;
    return null;
  }
}
