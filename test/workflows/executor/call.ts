import { type Contexts, evaluate, evaluateText, evaluateTexts, pairs, type Scope } from './evaluate.js';
import type { CallDefinition, CallJob, InputDefinition, Repository } from './model.js';
import type { RunOptions } from './runtime.js';

/** Where the `uses:` of a job leads; `./` and `$/` both mean the repository of the calling workflow file. */
export function locateWorkflow(uses: string, repository: Repository, options: RunOptions): { repository: Repository; path: string } {
  if (uses.startsWith('./') || uses.startsWith('$/')) return { repository, path: uses.slice(2) };
  const match = /^([^/@]+\/[^/@]+)\/(\.github\/workflows\/[^@]+)@(.+)$/.exec(uses);
  const [, name = '', path = ''] = match ?? [];
  const known = options.repositories?.[name];
  if (known === undefined) throw new Error(`uses: ${uses} is a workflow of a repository that this executor does not know`);
  return { repository: known, path };
}

/** The inputs that a called workflow sees. Rejects what GitHub rejects: unknown and missing ones, and values of another type. */
export function inputsOfCall(definition: CallDefinition, job: CallJob, scope: Scope): Record<string, unknown> {
  const given = new Map(pairs(job.with).map(([name, token]) => [name.toLowerCase(), evaluate(token, scope)]));
  return coerceInputs(definition, given, `job ${job.id}`, scope.contexts);
}

/** As above from plain values; those of a workflow_dispatch may come as text. */
export function coerceInputs(
  definition: CallDefinition,
  given: Map<string, unknown>,
  where: string,
  contexts: Contexts,
): Record<string, unknown> {
  const names = new Set([...definition.inputs.keys()].map((name) => name.toLowerCase()));
  const unknown = [...given.keys()].filter((name) => !names.has(name));
  if (unknown.length > 0) throw new Error(`${where}: invalid input ${unknown.join(', ')}: not defined in the called workflow`);
  return Object.fromEntries(
    [...definition.inputs].map(([name, input]) => {
      const value = given.get(name.toLowerCase());
      if (value !== undefined) return [name, coerce(name, value, input, where)];
      if (input.required) throw new Error(`${where}: input ${name} is required, but not provided while calling`);
      return [name, input.default === undefined ? emptyOf(input) : evaluate(input.default, { contexts })];
    }),
  );
}

function coerce(name: string, value: unknown, { type }: InputDefinition, where: string): unknown {
  if (type === 'string') {
    if (typeof value === 'object' && value !== null) throw new Error(`${where}: input ${name} must be a string`);
    return value === null ? '' : String(value);
  }
  const wanted = type === 'boolean' ? 'boolean' : 'number';
  if (typeof value === wanted) return value;
  throw new Error(`${where}: input ${name} is '${String(value)}' (${typeof value}), the called workflow wants a ${wanted}`);
}

function emptyOf({ type }: InputDefinition): unknown {
  return type === 'boolean' ? false : type === 'number' ? 0 : '';
}

/** The secrets that a called workflow sees: only those handed over, all of them with `inherit`; GITHUB_TOKEN is always there. */
export function secretsOfCall(definition: CallDefinition, job: CallJob, scope: Scope): Record<string, string> {
  const own = scope.contexts.secrets as Record<string, string>;
  const inherited = job.secrets !== undefined && pairs(job.secrets).length === 0 && evaluateText(job.secrets, scope) === 'inherit';
  if (inherited) return own;
  const given = evaluateTexts(job.secrets, scope);
  for (const name of Object.keys(given)) {
    if (!definition.secrets.has(name)) throw new Error(`job ${job.id}: invalid secret ${name}: not defined in the called workflow`);
  }
  for (const [name, { required }] of definition.secrets) {
    if (required && !given[name]) throw new Error(`job ${job.id}: secret ${name} is required, but not provided while calling`);
  }
  return { ...given, GITHUB_TOKEN: own.GITHUB_TOKEN ?? '' };
}
