import type { Changelog, Section } from './changelog.js';
import { type Definition, normalizeLabel } from './changelog-outline.js';

/**
 * The text below a section's heading, ready to be shown by itself: lines end with `\n`, blank lines around it are gone, and the link
 * references that it uses are appended, wherever in the file they are defined.
 */
export function notesOf(changelog: Changelog, section: Section): string {
  const definitions = changelog.outline.definitions;
  const taken = definedLines(definitions.filter(({ topLevel }) => topLevel));
  const body: string[] = [];
  for (let line = section.headingEndLine + 1; line <= section.endLine; line++) {
    if (!taken.has(line)) body.push(changelog.source.lines[line - 1] as string);
  }
  const text = trimBlankLines(body).join('\n');
  const used = usedDefinitions(text, definitions).map((definition) => definitionText(changelog, definition));
  return [text, used.join('\n')].filter((part) => part !== '').join('\n\n');
}

function definedLines(definitions: readonly Definition[]): Set<number> {
  const lines = new Set<number>();
  for (const { line, endLine } of definitions) for (let at = line; at <= endLine; at++) lines.add(at);
  return lines;
}

function trimBlankLines(lines: readonly string[]): string[] {
  const isText = (line: string) => line.trim() !== '';
  const first = lines.findIndex(isText);
  return first < 0 ? [] : lines.slice(first, lines.findLastIndex(isText) + 1);
}

/** The first definition of each label that stands in brackets in the text: the first one counts (CommonMark 0.31 §4.7). */
function usedDefinitions(text: string, definitions: readonly Definition[]): Definition[] {
  const byLabel = new Map<string, Definition>();
  for (const definition of definitions) if (!byLabel.has(definition.label)) byLabel.set(definition.label, definition);
  const used = new Set<Definition>();
  for (const label of bracketed(text)) {
    const definition = byLabel.get(normalizeLabel(label));
    if (definition) used.add(definition);
  }
  return [...used];
}

/** Everything between an unescaped `[` and the next `]` without another `[` in between: link labels hold no brackets. One pass. */
function* bracketed(text: string): Generator<string> {
  let open = -1;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '\\') index++;
    else if (character === '[') open = index + 1;
    else if (character === ']' && open >= 0) {
      yield text.slice(open, index);
      open = -1;
    }
  }
}

/** As written; inside a list or quote without what the container puts in front. */
function definitionText({ source }: Changelog, { line, endLine, topLevel }: Definition): string {
  const lines = source.lines.slice(line - 1, endLine);
  if (topLevel) return lines.join('\n');
  const first = lines[0] as string;
  return [first.slice(first.indexOf('[')), ...lines.slice(1).map((text) => text.replace(/^[\s>]+/, ''))].join('\n');
}
