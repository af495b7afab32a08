import type * as z from 'zod/mini';
import { suggestion } from '../did-you-mean.js';
import type { Problem } from '../errors.js';
import { quoteValue } from '../problems.js';
import type { Path, Positions } from './positions.js';

type Issue = z.core.$ZodIssue;

/**
 * What the schema found, as problems with line and column; `most` keys of one map, because each is looked for in the text.
 * The messages of the schema are what it allows (kinds.ts).
 */
export function problemsOf(issues: readonly Issue[], data: unknown, positions: Positions, most: number): Omit<Problem, 'file'>[] {
  return issues
    .slice(0, 10 * most)
    .flatMap((outer) => fromForms(outer, data))
    .flatMap((issue) => {
      const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
      return issue.code === 'unrecognized_keys'
        ? unknownKeys(issue.keys.slice(0, most), path, issue.message, positions)
        : [valueProblem(issue, path, data, positions)];
    });
}

/** Of a setting that may be written short or as a map, a map's own problems are told, not that neither form fits. */
function fromForms(issue: Issue, data: unknown): Issue[] {
  const last = issue.code === 'invalid_union' ? issue.errors.at(-1) : undefined;
  const given = valueAt(data, issue.path as Path);
  if (!last || last.length === 0 || typeof given !== 'object' || given === null || Array.isArray(given)) return [issue];
  return last.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function unknownKeys(keys: readonly string[], path: Path, allowed: string, positions: Positions): Omit<Problem, 'file'>[] {
  return keys.map((key) => ({
    where: pathText([...path, key]),
    message: `the key ${quoteValue(key)} is not known${suggestion(key, allowed.split(', '))}`,
    allowed,
    ...positions.key([...path, key]),
  }));
}

function valueProblem(issue: Issue, path: Path, data: unknown, positions: Positions): Omit<Problem, 'file'> {
  const allowed = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const given = valueAt(data, path);
  const isKey = issue.code === 'invalid_key';
  const message = isKey ? `${quoteValue(path.at(-1))} is no name for an entry` : describe(given, allowed);
  return { where: pathText(path), message, allowed, ...(isKey ? positions.key(path) : positions.value(path)) };
}

function describe(given: unknown, allowed: string): string {
  if (given === undefined) return 'is missing';
  if (given === null) return 'is empty';
  if (Array.isArray(given)) return given.length === 0 ? 'is an empty list' : 'a list is not accepted here';
  if (typeof given === 'object') return Object.keys(given).length === 0 ? 'is an empty map' : 'a map is not accepted here';
  const names = allowed.replace(/, or .*$/, '');
  const hint = typeof given === 'string' && /^[\w-]+(, [\w-]+)+$/.test(names) ? suggestion(given, names.split(', ')) : '';
  return `${quoteValue(given)} is not accepted${hint}`;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    return (value as Record<string | number, unknown>)[step];
  }, data);
}

/** `services.shop.steps[0].weight`. */
export function pathText(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('');
}
