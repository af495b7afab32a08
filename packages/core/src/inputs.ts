import type { Contract, InputSpec, Inputs } from './contract.js';
import { suggestion } from './did-you-mean.js';
import { durationForm, formatDuration, parseDuration } from './duration.js';
import { type Problem, UsageError } from './errors.js';
import { formatPercent, parsePercent, percentForm } from './percent.js';
import { quoteValue } from './problems.js';

/** Inputs as strings, by name; absent and empty both mean "not given". */
export type RawInputs = Readonly<Record<string, string | undefined>>;

/** The inputs as the runner hands them over: `INPUT_` and the name in upper case, with spaces as underscores and hyphens as they are. */
export function inputsFromEnvironment(contract: Contract, env: RawInputs): RawInputs {
  return Object.fromEntries(Object.keys(contract.inputs).map((name) => [name, env[inputVariable(name)]]));
}

/** Name of the variable in which the runner hands over an input. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

/**
 * Parses the inputs of a contract. Throws one UsageError with all problems. Strings are taken exactly, with their white space, but for line
 * breaks at the end, which YAML block texts add; all other kinds are trimmed.
 */
export function parseInputs<C extends Contract>(contract: C, raw: RawInputs): Inputs<C> {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(contract.inputs)) {
    const parsed = parseInput(spec, raw[name]);
    if ('problem' in parsed) problems.push({ where: name, example: spec.example, ...parsed.problem });
    else values[name] = parsed.value;
  }
  if (problems.length > 0) throw new UsageError(problems);
  return values as Inputs<C>;
}

/** The values of a contract's secret inputs, to be hidden in the log before anything else is done. */
export function secretValues(contract: Contract, raw: RawInputs): string[] {
  return Object.entries(contract.inputs).flatMap(([name, spec]) => (spec.secret && raw[name]?.trim() ? [raw[name]] : []));
}

type Flaw = Pick<Problem, 'message'> & Partial<Pick<Problem, 'allowed'>>;
type Parsed = { value: unknown } | { problem: Flaw };

function parseInput(spec: InputSpec, given: string | undefined): Parsed {
  const text = given === undefined || given.trim() === '' ? spec.default : given;
  if (text === undefined) {
    return spec.required ? { problem: { message: `is required: ${spec.description}`, ...allowedBy(spec) } } : { value: undefined };
  }
  const parsed = spec.kind === 'string' ? { value: text.replace(/[\r\n]+$/, '') } : parsers[spec.kind](text.trim(), spec);
  if ('problem' in parsed && spec.secret)
    return { problem: { ...parsed.problem, message: 'has a wrong value (not shown: it is a secret)' } };
  return parsed;
}

type Parser = (text: string, spec: InputSpec) => Parsed;

const parsers: Readonly<Record<Exclude<InputSpec['kind'], 'string'>, Parser>> = {
  integer: (text, spec) => within(spec, text, /^[-+]?\d+$/.test(text) ? safeInteger(Number(text)) : undefined, 'a whole number'),
  percent: (text, spec) => within(spec, text, parsePercent(text), 'a percentage'),
  duration: (text, spec) => within(spec, text, parseDuration(text), 'a duration'),
  boolean: parseBoolean,
  choice: parseChoice,
  list: (text) => ({ value: text.split(/[\r\n,]+/).flatMap((item) => item.trim() || []) }),
  json: parseJson,
};

function within(spec: InputSpec, text: string, value: number | undefined, what: string): Parsed {
  if (value === undefined) return { problem: { message: `${quoteValue(text)} is not ${what}`, ...allowedBy(spec) } };
  if (value < (spec.min ?? Number.NEGATIVE_INFINITY)) return { problem: { message: `${text} is too small`, ...allowedBy(spec) } };
  if (value > (spec.max ?? Number.POSITIVE_INFINITY)) return { problem: { message: `${text} is too large`, ...allowedBy(spec) } };
  return { value };
}

function safeInteger(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The spellings of YAML 1.2's core schema, as @actions/core takes them. */
function parseBoolean(text: string, spec: InputSpec): Parsed {
  if (/^(true|True|TRUE)$/.test(text)) return { value: true };
  if (/^(false|False|FALSE)$/.test(text)) return { value: false };
  return { problem: { message: `${quoteValue(text)} is neither true nor false`, ...allowedBy(spec) } };
}

function parseChoice(text: string, spec: InputSpec): Parsed {
  const values = spec.values ?? [];
  if (values.includes(text)) return { value: text };
  return { problem: { message: `${quoteValue(text)} is not known${suggestion(text, values)}`, ...allowedBy(spec) } };
}

function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: { message: `${quoteValue(text)} is not JSON: ${error instanceof Error ? error.message : error}`, allowed: 'JSON' } };
  }
}

/** What an input accepts, in words: for messages and help. Nothing for a free string. */
export function allowedBy(spec: InputSpec): { allowed?: string } {
  switch (spec.kind) {
    case 'integer':
      return { allowed: `a whole number${bounds(spec, String)}` };
    case 'percent':
      return { allowed: `${percentForm}${bounds(spec, formatPercent)}` };
    case 'duration':
      return { allowed: `${durationForm}${bounds(spec, formatDuration)}` };
    case 'boolean':
      return { allowed: 'true or false' };
    case 'choice':
      return { allowed: (spec.values ?? []).join(', ') };
    default:
      return {};
  }
}

function bounds({ min, max }: InputSpec, format: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${format(min)} to ${format(max)}`;
  if (min !== undefined) return `, at least ${format(min)}`;
  if (max !== undefined) return `, at most ${format(max)}`;
  return '';
}
