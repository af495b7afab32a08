import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { evaluateText } from './evaluate.js';
import type { StepRun } from './step.js';
import { runStepProcess } from './step-process.js';

/** How each shell is started: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell */
const shells: Record<string, readonly string[]> = {
  '': ['bash', '-e'],
  bash: ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail'],
  sh: ['sh', '-e'],
};

/** Runs a `run:` step. */
export async function runScript({ job, frame, step, place, env, scope, signal, outputs }: StepRun): Promise<void> {
  if (step.run === undefined) throw new Error('the step has no `run`');
  const name = step.shell === undefined ? (frame.defaults.shell ?? '') : evaluateText(step.shell, scope);
  const shell = shells[name];
  if (shell === undefined) throw new Error(`shell ${name} is not supported by this executor`);
  const [command = '', ...flags] = shell;
  const script = join(job.temp, `step-${place.replaceAll(/[^0-9a-z]/g, '_')}.sh`);
  writeFileSync(script, evaluateText(step.run, scope));
  const directory = step.workingDirectory === undefined ? frame.defaults.workingDirectory : evaluateText(step.workingDirectory, scope);
  const cwd = resolve(job.workspace, directory ?? '.');
  const program = { job, place, command, args: [...flags, script], cwd, env: { ...env, ...actionEnv(frame.contexts) }, signal };
  await runStepProcess(program, (said) => Object.assign(outputs, said.outputs));
}

/** Inside a composite action, scripts are told where its files are. */
function actionEnv(contexts: Record<string, unknown>): Record<string, string> {
  const github = contexts.github as { action_path?: string } | undefined;
  return github?.action_path === undefined ? {} : { GITHUB_ACTION_PATH: github.action_path };
}
