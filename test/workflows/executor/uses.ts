import { join } from 'node:path';
import { evaluateText, isTrue, pairs, type Scope } from './evaluate.js';
import type { ActionDefinition, Repository } from './model.js';
import { readAction } from './parse.js';
import type { Frame, JobRuntime, StandIn } from './runtime.js';
import { runSteps, type StepRun, scopeOf } from './step.js';
import { runStepProcess } from './step-process.js';

/** Runs a `uses:` step: an action of a known repository, or the stand-in of a third party's. */
export async function runUses(stepRun: StepRun): Promise<void> {
  const { job, frame, step, scope, outputs } = stepRun;
  const uses = step.uses ?? '';
  const target = locateAction(uses, job, frame.repository);
  const given = Object.fromEntries(pairs(step.with).map(([name, value]) => [name.toLowerCase(), evaluateText(value, scope)]));
  if (typeof target === 'function') {
    Object.assign(outputs, await playStandIn(target, uses, given, stepRun));
    return;
  }
  const action = readAction(target.repository, target.path);
  const inputs = inputsOf(action, given, scope, stepRun);
  if (action.runs.using === 'composite') await runComposite(action, inputs, stepRun);
  else await runNode(action, inputs, stepRun);
}

/**
 * Where `uses` leads: `$/path` into the repository of the file that says it, `./path` into the job's workspace, `owner/name/path@ref`
 * into a known repository or to a stand-in. Anything else is an error: an action that nobody plays must not look green.
 */
function locateAction(uses: string, job: JobRuntime, repository: Repository): StandIn | { repository: Repository; path: string } {
  if (uses.startsWith('$/')) return { repository, path: uses.slice(2) };
  if (uses.startsWith('./'))
    return { repository: { name: job.run.options.repository.name, directory: job.workspace }, path: uses.slice(2) };
  const match = /^([^/@\s]+\/[^/@\s]+)((?:\/[^@\s]+)?)@(\S+)$/.exec(uses);
  if (match === null) throw new Error(`uses: ${uses} is neither $/path, ./path nor owner/name/path@ref`);
  const [, name = '', path = ''] = match;
  const standIn = job.run.options.standIns?.[`${name}${path}`];
  if (standIn !== undefined) return standIn;
  const known = job.run.options.repositories?.[name];
  if (known !== undefined) return { repository: known, path: path.slice(1) };
  throw new Error(`uses: ${uses} is an action that this executor does not know: give it a stand-in or its repository`);
}

async function playStandIn(standIn: StandIn, uses: string, inputs: Record<string, string>, { job, place, env, signal }: StepRun) {
  const { options, emit, masks } = job.run;
  const outputs = await standIn({
    uses,
    inputs,
    env,
    workspace: job.workspace,
    repository: options.repository,
    ref: options.ref,
    sha: options.sha,
    signal,
    log: (text) => emit({ type: 'line', job: job.path, step: place, text: masks.hide(text), stream: 'stdout' }),
  });
  for (const [name, value] of Object.entries(outputs ?? {}))
    emit({ type: 'output', job: job.path, step: place, name, value: masks.hide(value) });
  return outputs ?? {};
}

/** The values of an action's inputs: as given, else the default of action.yml, else ''. A required one that is missing stays '', as on GitHub. */
function inputsOf(action: ActionDefinition, given: Record<string, string>, scope: Scope, { job, place, step }: StepRun) {
  const unexpected = Object.keys(given).filter((name) => !action.inputs.has(name));
  if (unexpected.length > 0) {
    const message = `Unexpected input(s) '${unexpected.join("', '")}' for ${step.uses}, valid inputs are ['${[...action.inputs.keys()].join("', '")}']`;
    job.run.emit({ type: 'annotation', job: job.path, step: place, level: 'warning', message, properties: {} });
  }
  const defaults = [...action.inputs].map(([name, input]) => [name, input.default === undefined ? '' : evaluateText(input.default, scope)]);
  return { ...(Object.fromEntries(defaults) as Record<string, string>), ...given };
}

async function runNode(action: ActionDefinition, inputs: Record<string, string>, stepRun: StepRun): Promise<void> {
  if (action.runs.using !== 'node') throw new Error('not a JavaScript action');
  const { main, post, postIf } = action.runs;
  const { job, frame, place, name, signal, outputs } = stepRun;
  const inputEnv = Object.fromEntries(
    Object.entries(inputs).map(([input, value]) => [`INPUT_${input.replaceAll(' ', '_').toUpperCase()}`, value]),
  );
  const env = { ...stepRun.env, ...inputEnv };
  const state: Record<string, string> = {};
  const program = (file: string, at: string, extra: Record<string, string>, cancel: AbortSignal) => ({
    job,
    place: at,
    command: job.run.options.node,
    args: [join(action.directory, file)],
    cwd: job.workspace,
    env: { ...env, ...extra },
    signal: cancel,
  });
  if (post !== undefined) {
    const step = `post ${place}`;
    const stateEnv = () => Object.fromEntries(Object.entries(state).map(([key, value]) => [`STATE_${key}`, value]));
    job.posts.push({
      name: `Post ${name}`,
      step,
      frame,
      condition: postIf,
      run: (cancel) => runStepProcess(program(post, step, stateEnv(), cancel), () => {}),
    });
  }
  await runStepProcess(program(main, place, {}, signal), (said) => {
    Object.assign(outputs, said.outputs);
    Object.assign(state, said.state);
  });
}

async function runComposite(action: ActionDefinition, inputs: Record<string, string>, stepRun: StepRun): Promise<void> {
  if (action.runs.using !== 'composite') throw new Error('not a composite action');
  const { job, scope, env, place, outputs } = stepRun;
  const frame: Frame = {
    repository: action.repository,
    steps: {},
    status: 'success',
    contexts: { inputs, github: { ...(scope.contexts.github as object), action_path: action.directory } },
    env,
    defaults: { shell: undefined, workingDirectory: undefined },
    place: `${place}.`,
  };
  await runSteps(job, frame, action.runs.steps);
  const inside = scopeOf(job, frame);
  for (const [name, value] of action.outputs) if (value !== undefined) outputs[name] = evaluateText(value, inside);
  if (frame.status !== 'success') throw new Error(`a step of ${stepRun.step.uses} ended with ${frame.status}`);
}

/** Runs the post steps of a job, last action first; each by its own `post-if`. Returns false when one failed. */
export async function runPosts(job: JobRuntime, runPost: (post: JobRuntime['posts'][number]) => Promise<boolean>): Promise<boolean> {
  let well = true;
  for (const post of [...job.posts].reverse()) {
    if (isTrue(post.condition, scopeOf(job, post.frame))) well = (await runPost(post)) && well;
  }
  return well;
}
