import { type Document, isAlias, LineCounter, parseDocument, visit } from 'yaml';
import type { Problem } from '../errors.js';
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
  if (!parsed.success) return refused(problemsOf(parsed.error.issues, data, positions));
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
  if (!document) return { problems: [{ where: '', message: 'is nested too deeply to be a configuration', line: 1, column: 1 }] };
  const positions = new Positions(document, lines);
  const flaws = [...document.errors, ...document.warnings];
  if (flaws.length > 0) {
    const problems = flaws.map(({ message, pos }) => ({ where: '', message: `is not YAML: ${message}`, ...positions.at(pos[0]) }));
    return { problems: problems.slice(0, maxProblems) };
  }
  if (document.contents === null)
    return { problems: [{ where: '', message: 'is empty', allowed: 'a map with version, environments and services', ...positions.at(0) }] };
  try {
    return { data: document.toJS({ maxAliasCount }), positions };
  } catch (error) {
    const message = `its aliases are refused: ${error instanceof Error ? error.message : String(error)}`;
    return {
      problems: [{ where: '', message, allowed: `an anchor used at most ${maxAliasCount} times`, ...positions.at(firstAlias(document)) }],
    };
  }
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, { version: '1.2', uniqueKeys: true, strict: true, prettyErrors: false, lineCounter });
  } catch (error) {
    // The parser descends by recursion: thousands of brackets use up the stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
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
