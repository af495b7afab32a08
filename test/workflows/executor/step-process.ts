import { delimiter, join } from 'node:path';
import { runProcess } from './child-process.js';
import { createFileCommands, type FileCommands } from './file-commands.js';
import { createCommandReader, type LogCommand } from './log-commands.js';
import type { JobRuntime } from './runtime.js';

export interface StepProgram {
  job: JobRuntime;
  place: string;
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

/**
 * Runs a program as a step of the job: the environment built from nothing, its output read for commands and masked, its command files
 * applied to the job. Rejects when it ends with another code than 0; `onSaid` has had its outputs and state by then.
 */
export async function runStepProcess(
  { job, place, command, args, cwd, env, signal }: StepProgram,
  onSaid: (said: FileCommands) => void,
): Promise<void> {
  const { emit, masks } = job.run;
  const files = createFileCommands(join(job.temp, '_runner_file_commands', place.replaceAll(/[^0-9a-z]/g, '_')));
  const readCommand = createCommandReader();
  const code = await runProcess(command, args, {
    cwd,
    env: { ...machineEnv(job), ...env, ...githubEnv(job), ...files.env },
    cancel: signal,
    kill: job.run.kill,
    grace: job.run.grace,
    leftovers: job.leftovers,
    onLine(line, stream) {
      const given = readCommand(line);
      if (given !== undefined && apply(given, job, place)) return;
      emit({ type: 'line', job: job.path, step: place, text: masks.hide(line), stream });
    },
  });
  const said = files.read();
  applyFiles(said, job, place);
  onSaid(said);
  if (code !== 0) throw new Error(`Process completed with exit code ${code}.`);
}

/** True when the line was a command and nothing else: it is not printed. */
function apply({ name, message, properties }: LogCommand, job: JobRuntime, step: string): boolean {
  const { emit, masks } = job.run;
  switch (name) {
    case 'add-mask':
      masks.add(message);
      return true;
    case 'error':
    case 'warning':
    case 'notice':
    case 'debug':
      emit({ type: 'annotation', job: job.path, step, level: name, message: masks.hide(message), properties });
      return true;
    case 'set-output':
    case 'save-state':
    case 'set-env':
    case 'add-path':
      emit({
        type: 'annotation',
        job: job.path,
        step,
        level: 'error',
        message: `::${name}:: has been removed from GitHub's runner`,
        properties,
      });
      return true;
    default:
      return false;
  }
}

function applyFiles(said: FileCommands, job: JobRuntime, step: string): void {
  const { emit, masks } = job.run;
  Object.assign(job.env, said.env);
  job.paths.unshift(...said.paths);
  for (const [name, value] of Object.entries(said.outputs)) {
    emit({ type: 'output', job: job.path, step, name, value: masks.hide(value) });
  }
  if (said.summary !== '') emit({ type: 'summary', job: job.path, step, markdown: masks.hide(said.summary) });
}

function machineEnv(job: JobRuntime): Record<string, string> {
  const { options } = job.run;
  return {
    HOME: join(job.temp, 'home'),
    LANG: 'C.UTF-8',
    ...options.env,
    PATH: [...job.paths, join(job.temp, 'tools'), process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter),
  };
}

/** The default variables: https://docs.github.com/actions/reference/workflows-and-actions/variables#default-environment-variables */
function githubEnv(job: JobRuntime): Record<string, string> {
  const github = job.contexts.github as Record<string, unknown>;
  const runner = job.contexts.runner as Record<string, string>;
  const names = [
    'actor',
    'api_url',
    'base_ref',
    'event_name',
    'event_path',
    'graphql_url',
    'head_ref',
    'job',
    'ref',
    'ref_name',
    'ref_protected',
    'ref_type',
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'run_attempt',
    'run_id',
    'run_number',
    'server_url',
    'sha',
    'triggering_actor',
    'workflow',
    'workflow_ref',
    'workflow_sha',
    'workspace',
  ];
  return {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    ...Object.fromEntries(names.map((name) => [`GITHUB_${name.toUpperCase()}`, String(github[name] ?? '')])),
    ...Object.fromEntries(Object.entries(runner).map(([name, value]) => [`RUNNER_${name.toUpperCase()}`, value])),
  };
}
