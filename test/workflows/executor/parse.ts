import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { convertWorkflowTemplate, isSequence, NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { parseAction } from '@actions/workflow-parser/actions/action-parser';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';
import { child, conditionOf, evaluateText, pairs } from './evaluate.js';
import {
  type ActionDefinition,
  type CallDefinition,
  type InputDefinition,
  type JobDefinition,
  type Repository,
  type StepDefinition,
  type Workflow,
  WorkflowError,
} from './model.js';
import { singleLineScalars } from './single-line-scalars.js';

/** Reads and checks a workflow file with GitHub's own parser. Throws a WorkflowError that lists every problem with its place. */
export async function readWorkflow(repository: Repository, path: string): Promise<Workflow> {
  const file = join(repository.directory, path);
  if (!existsSync(file)) throw new WorkflowError(`${repository.name} has no ${path}`);
  const content = readFileSync(file, 'utf8');
  const { context, value: asWritten } = parseWorkflow({ name: path, content }, new NoOperationTraceWriter());
  // The conversion finds what the schema cannot say (cycles, unknown needs); it drops `with` and time-outs, so jobs are read from the tokens.
  if (asWritten !== undefined) await convertWorkflowTemplate(context, asWritten);
  refuse(context.errors.getErrors());
  const { value } = parseWorkflow({ name: path, content: singleLineScalars(content) }, new NoOperationTraceWriter());
  return {
    path,
    repository,
    name: text(child(value, 'name')) ?? path,
    events: eventsOf(child(value, 'on')),
    call: callOf(child(value, 'on', 'workflow_call')),
    dispatch: callOf(child(value, 'on', 'workflow_dispatch')),
    env: child(value, 'env'),
    defaults: child(value, 'defaults'),
    concurrency: child(value, 'concurrency'),
    jobs: new Map(pairs(child(value, 'jobs')).map(([id, job]) => [id, jobOf(id, job)])),
  };
}

/** Reads and checks the action.yml of a directory. */
export function readAction(repository: Repository, path: string): ActionDefinition {
  const directory = join(repository.directory, path);
  const name = ['action.yml', 'action.yaml'].find((candidate) => existsSync(join(directory, candidate)));
  if (name === undefined) throw new WorkflowError(`there is no action.yml in ${join(repository.name, path)}`);
  const content = readFileSync(join(directory, name), 'utf8');
  refuse(parseAction({ name: join(path, name), content }, new NoOperationTraceWriter()).context.errors.getErrors());
  const { value } = parseAction({ name: join(path, name), content: singleLineScalars(content) }, new NoOperationTraceWriter());
  return {
    directory,
    repository,
    inputs: new Map(
      pairs(child(value, 'inputs')).map(([id, input]) => [
        id.toLowerCase(),
        { required: text(child(input, 'required')) === 'true', default: child(input, 'default') },
      ]),
    ),
    outputs: new Map(pairs(child(value, 'outputs')).map(([id, output]) => [id, child(output, 'value')])),
    runs: runsOf(child(value, 'runs'), path),
  };
}

function runsOf(runs: TemplateToken | undefined, path: string): ActionDefinition['runs'] {
  const using = text(child(runs, 'using'));
  if (using === 'composite') return { using, steps: items(child(runs, 'steps')).map(stepOf) };
  if (using !== 'node24')
    throw new WorkflowError(`${path}: runs.using is ${using}; GitHub's runners start JavaScript actions with node24 only`);
  if (child(runs, 'pre')) throw new WorkflowError(`${path}: runs.pre is not supported by this executor`);
  const main = text(child(runs, 'main'));
  if (main === undefined) throw new WorkflowError(`${path}: runs.main is missing`);
  return { using: 'node', main, post: text(child(runs, 'post')), postIf: text(child(runs, 'post-if')) ?? 'always()' };
}

function jobOf(id: string, job: TemplateToken): JobDefinition {
  const needs = child(job, 'needs');
  const base = {
    id,
    name: child(job, 'name'),
    needs: needs === undefined ? [] : isSequence(needs) ? items(needs).map(String) : [needs.toString()],
    if: conditionOf(child(job, 'if')),
    strategy: child(job, 'strategy'),
    concurrency: child(job, 'concurrency'),
    continueOnError: child(job, 'continue-on-error'),
  };
  const uses = text(child(job, 'uses'));
  if (uses !== undefined) return { ...base, kind: 'call', uses, with: child(job, 'with'), secrets: child(job, 'secrets') };
  for (const unsupported of ['container', 'services']) {
    if (child(job, unsupported)) throw new WorkflowError(`job ${id}: ${unsupported} is not supported by this executor`);
  }
  return {
    ...base,
    kind: 'steps',
    env: child(job, 'env'),
    defaults: child(job, 'defaults'),
    environment: child(job, 'environment'),
    timeoutMinutes: child(job, 'timeout-minutes'),
    outputs: child(job, 'outputs'),
    steps: items(child(job, 'steps')).map(stepOf),
  };
}

function stepOf(step: TemplateToken): StepDefinition {
  const run = child(step, 'run');
  const uses = text(child(step, 'uses'));
  if (run === undefined && uses === undefined) throw new WorkflowError('this executor runs steps with `run` or `uses` only');
  return {
    id: text(child(step, 'id')),
    name: child(step, 'name'),
    if: conditionOf(child(step, 'if')),
    env: child(step, 'env'),
    continueOnError: child(step, 'continue-on-error'),
    timeoutMinutes: child(step, 'timeout-minutes'),
    run,
    uses,
    with: child(step, 'with'),
    shell: child(step, 'shell'),
    workingDirectory: child(step, 'working-directory'),
  };
}

function callOf(call: TemplateToken | undefined): CallDefinition {
  return {
    inputs: new Map(pairs(child(call, 'inputs')).map(([name, input]) => [name, inputOf(input)])),
    secrets: new Map(
      pairs(child(call, 'secrets')).map(([name, secret]) => [name, { required: text(child(secret, 'required')) === 'true' }]),
    ),
    outputs: new Map(
      pairs(child(call, 'outputs')).flatMap(([name, output]) => {
        const value = child(output, 'value');
        return value === undefined ? [] : [[name, value] as const];
      }),
    ),
  };
}

function inputOf(input: TemplateToken): InputDefinition {
  const type = text(child(input, 'type'));
  return {
    type: type === 'boolean' || type === 'number' ? type : 'string',
    required: text(child(input, 'required')) === 'true',
    default: child(input, 'default'),
  };
}

function eventsOf(on: TemplateToken | undefined): string[] {
  if (on === undefined) return [];
  if (isSequence(on)) return items(on).map(String);
  const mapped = pairs(on).map(([event]) => event);
  return mapped.length > 0 ? mapped : [on.toString()];
}

function items(token: TemplateToken | undefined): TemplateToken[] {
  return token !== undefined && isSequence(token) ? Array.from({ length: token.count }, (_, index) => token.get(index)) : [];
}

function text(token: TemplateToken | undefined): string | undefined {
  return token === undefined ? undefined : evaluateText(token, { contexts: {} });
}

function refuse(problems: { message: string }[]): void {
  if (problems.length > 0) throw new WorkflowError(problems.map(({ message }) => message).join('\n'));
}
