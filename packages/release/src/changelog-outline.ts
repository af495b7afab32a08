import MarkdownIt, { type Token } from 'markdown-it';
import type { ChangelogSource } from './changelog-source.js';

/** The block structure of a changelog as CommonMark has it. Lines are 1-based, ranges include both ends. */
export interface Outline {
  /** Headings that stand on their own, not in a list, quote or code block. */
  headings: Heading[];
  /** Places where a line may look like a heading without being one. */
  hidden: HiddenRange[];
  /** Ranges that show something to a reader. */
  content: Range[];
  /** Definitions of link references (`[1.4.0]: https://…`). */
  definitions: Definition[];
  flaws: Flaw[];
}

export interface Range {
  line: number;
  endLine: number;
}

export interface Heading extends Range {
  level: number;
  /** The text as written, without the marks of the heading. */
  text: string;
  /** The line of the `<details>` around it, if any. */
  foldedBy: number | null;
}

export type HidingPlace = 'code' | 'comment' | 'details' | 'html' | 'quote' | 'list' | 'paragraph';

export interface HiddenRange extends Range {
  place: HidingPlace;
  /** An unclosed fence or HTML block: it hides everything to the end. */
  unclosed: FlawCode | null;
}

export interface Definition extends Range {
  /** Normalised as CommonMark compares labels. */
  label: string;
  topLevel: boolean;
}

export type FlawCode = 'UNCLOSED_FENCE' | 'UNCLOSED_HTML' | 'NESTED_TOO_DEEP';

export interface Flaw extends Range {
  code: FlawCode;
  message: string;
}

/** Beyond this depth the parser drops everything that follows; it counts a list item as two levels. */
const deepest = 20;

/** Only blocks are parsed: inline text is read where a heading or a link label is looked for. */
function blockParser() {
  const parser = new MarkdownIt('commonmark', { maxNesting: deepest });
  parser.core.ruler.disable(['inline', 'text_join', 'strip_references']);
  // Links are copied as they are written, never followed or rendered here.
  parser.normalizeLink = (url) => url;
  parser.validateLink = () => true;
  return parser;
}

/** The label of a link reference in the form in which CommonMark compares it. */
export function normalizeLabel(label: string): string {
  return label.trim().replace(/\s+/g, ' ').toLowerCase().toUpperCase();
}

export function outlineOf(source: ChangelogSource): Outline {
  const tokens = blockParser().parse(`${source.lines.join('\n')}\n`, {});
  const outline: Outline = { headings: [], hidden: [], content: [], definitions: [], flaws: [] };
  const reader = new OutlineReader(outline, source);
  for (const [index, token] of tokens.entries()) reader.read(token, tokens[index + 1]);
  return outline;
}

class OutlineReader {
  /** The lists and quotes that are open. */
  private readonly containers: ('list' | 'quote')[] = [];
  /** Lines of the `<details>` tags that are open. */
  private readonly folds: number[] = [];

  constructor(
    private readonly outline: Outline,
    private readonly source: ChangelogSource,
  ) {}

  read(token: Token, next: Token | undefined): void {
    if (token.type === 'list_item_open' || token.type === 'blockquote_open')
      this.containers.push(token.type === 'blockquote_open' ? 'quote' : 'list');
    if (token.type === 'list_item_close' || token.type === 'blockquote_close') this.containers.pop();
    if (token.map === null) return;
    const range = { line: token.map[0] + 1, endLine: this.lastLine(token.map) };
    if (token.level >= deepest - 1) this.flaw('NESTED_TOO_DEEP', range, 'lists or quotes are nested too deeply here');
    this.readBlock(token, range, next?.content ?? '');
    if (token.level === 0 && !silentTypes.has(token.type) && !isComment(token)) this.outline.content.push(range);
  }

  private readBlock(token: Token, range: Range, inline: string): void {
    if (token.type === 'heading_open') this.readHeading(token, range, inline);
    else if (token.type === 'fence' || token.type === 'code_block') this.readCode(token, range);
    else if (token.type === 'html_block') this.readHtml(token, range);
    else if (token.type === 'paragraph_open') this.readParagraph(range, inline);
    else if (token.type === 'reference_definition') this.readDefinition(token, range);
  }

  private readDefinition(token: Token, range: Range): void {
    this.outline.definitions.push({ ...range, label: normalizeLabel(String(token.meta?.label ?? '')), topLevel: token.level === 0 });
  }

  private readHeading(token: Token, range: Range, text: string): void {
    const container = this.containers.at(-1);
    if (container !== undefined) this.outline.hidden.push({ ...range, place: container, unclosed: null });
    else this.outline.headings.push({ ...range, level: Number(token.tag.slice(1)), text, foldedBy: this.folds[0] ?? null });
  }

  private readCode(token: Token, range: Range): void {
    const unclosed = token.type === 'fence' && isUnclosedFence(token) ? 'UNCLOSED_FENCE' : null;
    this.outline.hidden.push({ ...range, place: 'code', unclosed });
    if (unclosed)
      this.flaw(unclosed, range, `the code fence ${token.markup} is never closed: everything down to line ${range.endLine} is code`);
  }

  private readHtml(token: Token, range: Range): void {
    const comment = isComment(token);
    const missing = missingEnd(token.content);
    const unclosed = missing === undefined ? null : 'UNCLOSED_HTML';
    const details = !comment && (this.folds.length > 0 || /<details\b/i.test(token.content));
    this.outline.hidden.push({ ...range, place: comment ? 'comment' : details ? 'details' : 'html', unclosed });
    if (unclosed) this.flaw(unclosed, range, `${missing} is missing: everything down to line ${range.endLine} is hidden`);
    if (!comment) this.trackDetails(token.content, range.line, true);
  }

  private readParagraph(range: Range, text: string): void {
    this.outline.hidden.push({ ...range, place: 'paragraph', unclosed: null });
    this.trackDetails(text, range.line, false);
  }

  /** `<details>` opens only at the start of a block; its end may also stand in a line of text. */
  private trackDetails(html: string, line: number, mayOpen: boolean): void {
    for (const [, slash] of html.matchAll(/<(\/?)details(?=[\s/>])/gi)) {
      if (slash === '/') this.folds.pop();
      else if (mayOpen) this.folds.push(line);
    }
  }

  private flaw(code: FlawCode, range: Range, message: string): void {
    this.outline.flaws.push({ ...range, code, message });
  }

  /** The parser counts the blank lines below into some blocks, and one line too many at the end of the file. */
  private lastLine([start, end]: [number, number]): number {
    let last = Math.min(end, this.source.lines.length);
    while (last > start + 1 && this.source.lines[last - 1]?.trim() === '') last--;
    return last;
  }
}

/** Blocks that show nothing by themselves. */
const silentTypes: ReadonlySet<string> = new Set(['heading_open', 'reference_definition', 'hr', 'inline']);

const isComment = (token: Token): boolean => token.type === 'html_block' && token.content.trimStart().startsWith('<!--');

/** A fence's range has two lines more than its content when it is closed, the opening and the closing one, else just one more. */
function isUnclosedFence(token: Token): boolean {
  const [start, end] = token.map as [number, number];
  const contentLines = token.content.split('\n').length - 1;
  return end - start - contentLines < 2;
}

/** HTML blocks that last until their own end marker (CommonMark 0.31 §4.6, kinds 1 to 5), wherever that is. */
const lasting: readonly { start: RegExp; end: RegExp; name: string }[] = [
  { start: /^<!--/, end: /-->/, name: '`-->`' },
  { start: /^<(?:script|pre|style|textarea)(?=[\s>]|$)/i, end: /<\/(?:script|pre|style|textarea)>/i, name: 'the closing tag' },
  { start: /^<\?/, end: /\?>/, name: '`?>`' },
  { start: /^<!\[CDATA\[/, end: /\]\]>/, name: '`]]>`' },
  { start: /^<![A-Za-z]/, end: />/, name: '`>`' },
];

function missingEnd(html: string): string | undefined {
  const text = html.trimStart();
  const kind = lasting.find(({ start }) => start.test(text));
  return kind && !kind.end.test(text) ? kind.name : undefined;
}
