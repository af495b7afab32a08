/** Larger files are refused: nothing that people read is that long, and a release must not wait for a parser. */
export const maxChangelogBytes = 2_000_000;
/**
 * Lines, and the marks of lists, quotes, headings and links at their starts: bounds the parser's time for a file that consists of little
 * else. A megabyte of ordinary changelog has about 35,000.
 */
export const maxChangelogMarks = 40_000;

export type LineEndings = 'none' | 'lf' | 'crlf' | 'cr' | 'mixed';

/** The text of a changelog, and its lines as CommonMark counts them. */
export interface ChangelogSource {
  /** Everything as it is in the file, byte order mark included. */
  raw: string;
  /** The lines without their ends and without the byte order mark. */
  lines: string[];
  /** Where each line starts in `raw`, and at the end the length of `raw`. */
  starts: number[];
  byteOrderMark: boolean;
  lineEndings: LineEndings;
}

export type SourceReason = 'TOO_LARGE' | 'NOT_TEXT';
export type ReadSource = { ok: true; source: ChangelogSource } | { ok: false; reason: SourceReason; line: number | null; message: string };

/** Decodes a file: UTF-8 with or without a byte order mark, any line ends. */
export function readChangelogSource(bytes: Uint8Array): ReadSource {
  if (bytes.length > maxChangelogBytes) {
    const message = `the file has ${bytes.length} bytes, ${maxChangelogBytes} is the most`;
    return { ok: false, reason: 'TOO_LARGE', line: null, message };
  }
  if (countLineEnds(bytes) > maxChangelogMarks) return tooManyMarks();
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { ok: false, reason: 'NOT_TEXT', line: 1, message: 'the file is UTF-16, it has to be UTF-8' };
  }
  const source = changelogSource(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const broken = source.lines.findIndex((line) => line.includes('\uFFFD') || line.includes('\0'));
  if (broken >= 0 && !isUtf8Text(bytes)) {
    return { ok: false, reason: 'NOT_TEXT', line: broken + 1, message: `line ${broken + 1} is not UTF-8 text` };
  }
  return countMarks(source.lines) > maxChangelogMarks ? tooManyMarks() : { ok: true, source };
}

function tooManyMarks(): ReadSource {
  return {
    ok: false,
    reason: 'TOO_LARGE',
    line: null,
    message: `the file has more than ${maxChangelogMarks} lines and marks of lists, headings and links`,
  };
}

/** Before anything is decoded or cut into lines. */
function countLineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === 0x0a || (byte === 0x0d && bytes[index + 1] !== 0x0a)) count++;
  }
  return count;
}

/** A text that is in memory already, taken apart into its lines. */
export function changelogSource(raw: string): ChangelogSource {
  const byteOrderMark = raw.startsWith('\uFEFF');
  const lines: string[] = [];
  const starts: number[] = [0];
  const ends = new Set<string>();
  const lineEnd = /\r\n|\n|\r/g;
  let start = byteOrderMark ? 1 : 0;
  for (let end = lineEnd.exec(raw); end !== null; end = lineEnd.exec(raw)) {
    lines.push(raw.slice(start, end.index));
    ends.add(end[0]);
    start = lineEnd.lastIndex;
    starts.push(start);
  }
  if (start < raw.length || raw === '\uFEFF') {
    lines.push(raw.slice(start));
    starts.push(raw.length);
  }
  return { raw, lines, starts, byteOrderMark, lineEndings: nameLineEndings(ends) };
}

/** The lines from `line` to `endLine` (1-based, both included) exactly as they are in the file. */
export function sliceLines({ raw, starts }: ChangelogSource, line: number, endLine: number): string {
  return raw.slice(starts[line - 1], starts[endLine]);
}

function nameLineEndings(ends: ReadonlySet<string>): LineEndings {
  if (ends.size > 1) return 'mixed';
  if (ends.has('\n')) return 'lf';
  if (ends.has('\r\n')) return 'crlf';
  return ends.has('\r') ? 'cr' : 'none';
}

function isUtf8Text(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** What the parser makes tokens of: lines, and what stands at their starts. Lists and quotes within each other cost the most. */
function countMarks(lines: readonly string[]): number {
  let marks = 0;
  for (const line of lines) {
    marks += 1 + (line.startsWith('[') ? 1 : countMarkers(line));
    if (marks > maxChangelogMarks) break;
  }
  return marks;
}

function countMarkers(line: string): number {
  const marker = /[ \t]*(?:>|#{1,6}(?=[ \t]|$)|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$))/y;
  let markers = 0;
  while (marker.test(line)) markers++;
  return Math.max(0, 3 * markers - 2);
}
