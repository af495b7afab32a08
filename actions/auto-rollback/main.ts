import type { Breach } from '@slipway/analysis';
import type { Action, Context, Ending, Inputs } from '@slipway/core';
import {
  createSource,
  type Finished,
  type OpenedRollout,
  openRollout,
  reconcile,
  runCommand,
  type ServicePod,
  type Verdict,
  watchTriggers,
} from '@slipway/rollout';
import { contract } from './contract.js';

type Contract = typeof contract;

export const action: Action<Contract> = { contract, main };

async function main(inputs: Inputs<Contract>, context: Context): Promise<Ending<Contract>> {
  const opened = await openRollout(inputs, context);
  if (inputs.command === 'now') return rollBack(inputs, opened, context, inputs.why ?? `rolled back by ${context.holder}`, undefined);
  if (inputs.command === 'reconcile') return sweep(inputs, opened);
  const { fired, verdict, report } = await watch(inputs, opened, context);
  if (!fired) return { ...ending(verdict), outputs: outputsOf(undefined, undefined), report };
  context.log.warning(`${verdict.summary} Rolling back.`);
  const back = await rollBack(inputs, opened, context, fired.explanation, fired);
  // Users are safe, but the release failed: the job says so.
  return { ...back, ...ending({ ...verdict, summary: `${verdict.summary} ${back.summary}`, next: back.next ?? [] }), report };
}

function watch(inputs: Inputs<Contract>, { deps, service }: OpenedRollout, { env, signal }: Context) {
  const { clock } = deps.context;
  const settings = { ...service.analysis, window: inputs.interval };
  const source = (pods: () => Promise<readonly ServicePod[]>) =>
    createSource({ client: deps.client.withSignal(signal), target: deps.target, settings, clock, env, pods });
  return watchTriggers(deps, { source, triggers: service.triggers, duration: inputs.duration, interval: inputs.interval });
}

async function sweep({ quiet, rest }: Inputs<Contract>, { deps }: OpenedRollout): Promise<Ending<Contract>> {
  const { verdict, state, rolledBack } = await reconcile(deps, { quiet, rest });
  const outputs = { ...outputsOf(undefined, undefined), 'rolled-back': rolledBack };
  const images = rolledBack && state ? { 'from-image': state.image.to, 'to-image': state.image.from } : {};
  return { ...ending(verdict), outputs: { ...outputs, ...images }, details: { state, requests: deps.client.requests } };
}

async function rollBack(
  { image, 'only-unfinished': onlyUnfinished }: Inputs<Contract>,
  { deps }: OpenedRollout,
  { clock }: Context,
  why: string,
  fired: Breach | undefined,
): Promise<Ending<Contract>> {
  const began = clock.now();
  const summary = /[.!?]$/.test(why) ? why : `${why}.`;
  const finished = await runCommand(deps, {
    kind: 'roll-back',
    reason: 'ROLLED_BACK',
    summary,
    onlyUnfinished,
    ...(image === undefined ? {} : { image }),
  });
  const seconds = (clock.now() - began) / 1000;
  const details = { state: finished.state, trigger: fired ?? null, requests: deps.client.requests };
  return { ...ending(finished.verdict), outputs: outputsOf(finished, fired, seconds), details };
}

function ending(verdict: Verdict): Ending<Contract> {
  return { ...verdict, reason: verdict.reason as Ending<Contract>['reason'] };
}

function outputsOf(finished: Finished | undefined, fired: Breach | undefined, seconds?: number): NonNullable<Ending<Contract>['outputs']> {
  const rolledBack = finished?.verdict.outcome === 'pass';
  const image = rolledBack ? finished?.state?.image : undefined;
  return {
    'rolled-back': rolledBack,
    'from-image': image?.to ?? '',
    'to-image': image?.from ?? '',
    trigger: fired?.trigger ?? '',
    ...(rolledBack && seconds !== undefined ? { 'rollback-seconds': Math.round(seconds * 10) / 10 } : {}),
  };
}
