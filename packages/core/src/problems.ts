import type { Problem } from './errors.js';

/** One problem as one sentence: where in which file, what is wrong, what is allowed, an example. */
export function describeProblem(problem: Problem): string {
  const place = problemPlace(problem);
  return `${place ? `${place}: ` : ''}${problemSentence(problem)}`;
}

/** As describeProblem, without the place in the file. */
export function problemSentence({ message, where, allowed, example }: Problem): string {
  const hints = [allowed && `allowed: ${allowed}`, example && `example: ${example}`].filter(Boolean);
  return `${where ? `${where}: ` : ''}${message}${hints.length > 0 ? ` (${hints.join('; ')})` : ''}`;
}

/** `.github/slipway.yml:12:5`, or nothing when the problem is not in a file. */
function problemPlace({ file, line, column }: Problem): string {
  return file === undefined ? '' : [file, line, column].filter((part) => part !== undefined).join(':');
}

/** A value as it was given, quoted, and cut when it is long. */
export function quoteValue(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 80 ? text : `${text.slice(0, 60)}… (${text.length} characters)`;
}
