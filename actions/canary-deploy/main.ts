import { exampleImage, imageProblem } from '@slipway/cluster';
import { type Action, type Context, type Ending, type Inputs, UsageError } from '@slipway/core';
import {
  type Command,
  finishCancelled,
  guardsReport,
  isActive,
  measuredWeight,
  noteUnfinished,
  openRollout,
  type RolloutDeps,
  type RolloutState,
  readGuards,
  readPlan,
  readStatus,
  runCommand,
  type Verdict,
  wasUnfinished,
  watchStatus,
} from '@slipway/rollout';
import { contract } from './contract.js';

type Contract = typeof contract;

export const action: Action<Contract> = { contract, main, post };

async function main(inputs: Inputs<Contract>, context: Context): Promise<Ending<Contract>> {
  const command = commandOf(inputs, context);
  const { deps, service } = await openRollout(inputs, context);
  if (command === 'status') {
    const { verdict, state, report } = await (inputs.watch ? watchStatus(deps) : readStatus(deps));
    return { ...ending(verdict, state), report };
  }
  if (command === 'plan') {
    const { verdict, state, plan, report } = await readPlan(deps, { image: inputs.image, provider: service.analysis.provider });
    return { ...ending(verdict, state), details: { plan, requests: deps.client.requests }, report };
  }
  const { verdict, state } = await noteUnfinished(context, () => runCommand(deps, command));
  const report = command.kind === 'start' && isActive(state) ? await guardedBy(deps, service.analysis.window, context) : undefined;
  return { ...ending(verdict, state), details: { state, requests: deps.client.requests }, ...(report === undefined ? {} : { report }) };
}

/** Who sends users back when this run dies; a report that cannot be had does not fail a step that is in force. */
async function guardedBy(deps: RolloutDeps, window: number, { signal }: Context): Promise<string | undefined> {
  return signal.aborted ? undefined : guardsReport(await readGuards(deps), { window });
}

async function post(inputs: Inputs<Contract>, context: Context): Promise<Ending<Contract>> {
  if (!wasUnfinished(context)) return { outcome: 'skipped', reason: 'NOTHING_TO_DO', summary: 'Nothing is left to clean up.' };
  const { deps } = await openRollout(inputs, context);
  return ending(await finishCancelled(deps, inputs.image), undefined);
}

function commandOf(inputs: Inputs<Contract>, { holder }: Context): Command | 'status' | 'plan' {
  const { command, image, weight, version: given, supersede } = inputs;
  const version = given ?? null;
  const share = weight === undefined ? {} : { weight };
  const refuse = (where: string, message: string, example: string) => new UsageError([{ where, message, example }]);
  const wrong = image === undefined ? undefined : imageProblem(image);
  if (wrong !== undefined) throw refuse('image', `${JSON.stringify(image?.slice(0, 100))} ${wrong}`, exampleImage);
  if (weight === 100 && command !== 'promote') throw refuse('weight', '100 % is not a step: `promote` sends everybody', '50');
  switch (command) {
    case 'start':
      if (image === undefined) throw refuse('image', 'is required for `start`: what is to be released', contract.inputs.image.example);
      return { kind: 'start', image, version, ...share, supersede };
    case 'step':
      return { kind: 'step', ...share };
    case 'promote':
      return { kind: 'promote', version, ...(image === undefined ? {} : { image }), ...share };
    case 'abort':
      return { kind: 'abort', reason: 'ABORTED', summary: `aborted by ${holder}.` };
    case 'pause':
      return { kind: 'pause', why: inputs.why ?? 'no reason was given' };
    case 'resume':
      return { kind: 'resume' };
    case 'status':
    case 'plan':
      return command;
  }
}

function ending(verdict: Verdict, state: RolloutState | undefined): Ending<Contract> {
  return {
    ...verdict,
    reason: verdict.reason as Ending<Contract>['reason'],
    outputs: {
      'rollout-id': state?.id ?? '',
      phase: state?.phase ?? 'none',
      step: (state?.step ?? -1) + 1,
      weight: state?.weight ?? 0,
      'measured-weight': state ? Math.round(measuredWeight(state) * 10) / 10 : 0,
      image: state?.image.to ?? '',
      'previous-image': state?.image.from ?? '',
      done: state !== undefined && !isActive(state),
    },
  };
}
