import { type Document, isAlias, isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import type { Problem } from '../errors.js';
import { quoteValue } from '../problems.js';
import type { Config } from './config.js';
import { pathText, problemsOf } from './issues.js';
import { Positions } from './positions.js';
import { brokenRules } from './rules.js';
import { buildSchema } from './schema.js';
import { toConfig } from './to-config.js';

/** An anchor may be used this often; a document that multiplies itself by aliases is over it at once. */
const maxAliasCount = 50;
const maxProblems = 50;

export type ParsedConfig = { config: Config; positions: Positions } | { problems: Omit<Problem, 'file'>[] };

/** Reads the text of slipway.yml (YAML 1.2, one document). Finds every problem, not just the first. */
export function parseConfig(text: string): ParsedConfig {
  const yaml = readYaml(text);
  if ('problems' in yaml) return yaml;
  const { data, positions } = yaml;
  const parsed = buildSchema().schema.safeParse(data, { reportInput: false });
  if (!parsed.success) return refused(problemsOf(parsed.error.issues, data, positions, maxProblems));
  const config = toConfig(parsed.data);
  const problems = brokenRules(config).map(({ path, ...rest }) => ({ where: pathText(path), ...rest, ...positions.value(path) }));
  return problems.length > 0 ? refused(problems) : { config, positions };
}

/** In the order of the file. */
function refused(problems: Omit<Problem, 'file'>[]) {
  const order = (problem: Omit<Problem, 'file'>) => (problem.line ?? 0) * 1e6 + (problem.column ?? 0);
  return { problems: problems.sort((a, b) => order(a) - order(b)).slice(0, maxProblems) };
}

type Yaml = { data: unknown; positions: Positions } | { problems: Omit<Problem, 'file'>[] };

function readYaml(text: string): Yaml {
  const lines = new LineCounter();
  const document = parse(text, lines);
  if (!document) return { problems: [tooDeep] };
  const positions = new Positions(document, lines);
  const flaws = [...document.errors, ...document.warnings];
  if (flaws.some(({ message }) => ranOutOfStack(message))) return { problems: [tooDeep] };
  if (flaws.length > 0) {
    return { problems: flaws.slice(0, maxProblems).map((flaw) => ({ where: '', message: flawWords(flaw), ...positions.at(flaw.pos[0]) })) };
  }
  const repeated = repeatedKeys(document, positions);
  if (repeated.length > 0) return { problems: repeated };
  if (document.contents === null)
    return { problems: [{ where: '', message: 'is empty', allowed: 'a map with version, environments and services', ...positions.at(0) }] };
  try {
    return { data: document.toJS({ maxAliasCount }), positions };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const allowed = /alias count/.test(why) ? { allowed: `an anchor used at most ${maxAliasCount} times` } : {};
    return { problems: [{ where: '', message: `its aliases are refused: ${why}`, ...allowed, ...positions.at(firstAlias(document)) }] };
  }
}

const tooDeep = { where: '', message: 'is nested too deeply to be a configuration', line: 1, column: 1 };

function flawWords({ code, message }: YAMLError): string {
  return code === 'MULTIPLE_DOCS' ? 'holds a second document; one is the most' : `is not YAML: ${message}`;
}

/** The parser compares every key of a map with every other one: for a large file that takes minutes, so it is told not to. */
function repeatedKeys(document: Document, positions: Positions): Omit<Problem, 'file'>[] {
  const problems: Omit<Problem, 'file'>[] = [];
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          const at = positions.at(key.range?.[0] ?? 0);
          problems.push({ where: '', message: `the key ${quoteValue(key.value)} is there already; keys are unique in a map`, ...at });
        }
        seen.add(key.value);
        if (problems.length >= maxProblems) return visit.BREAK;
      }
      return undefined;
    },
  });
  return problems;
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, { version: '1.2', uniqueKeys: false, strict: true, prettyErrors: false, lineCounter });
  } catch (error) {
    // The parser descends by recursion: thousands of brackets use up the stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The parser catches some of these errors itself and reports them as errors of the text. */
function ranOutOfStack(message: string): boolean {
  return /call stack|stack overflow/i.test(message);
}

function firstAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias: (_, node) => {
      if (!isAlias(node)) return undefined;
      offset = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}
