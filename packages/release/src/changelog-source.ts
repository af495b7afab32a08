/** Larger files are refused: nothing that people read is that long, and a release must not wait for a parser. */
export const maxChangelogBytes = 2_000_000;
/** Lines plus list and quote markers at their starts; bounds the parser's time for a file that consists of little else. */
export const maxChangelogMarks = 50_000;

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
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { ok: false, reason: 'NOT_TEXT', line: 1, message: 'the file is UTF-16, it has to be UTF-8' };
  }
  const source = changelogSource(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const broken = source.lines.findIndex((line) => line.includes('\uFFFD') || line.includes('\0'));
  if (broken >= 0 && !isUtf8Text(bytes)) {
    return { ok: false, reason: 'NOT_TEXT', line: broken + 1, message: `line ${broken + 1} is not UTF-8 text` };
  }
  if (countMarks(source.lines) > maxChangelogMarks) {
    const message = `the file has more than ${maxChangelogMarks} lines and list markers`;
    return { ok: false, reason: 'TOO_LARGE', line: null, message };
  }
  return { ok: true, source };
}

/** A text that is in memory already, taken apart into its lines. */
export function changelogSource(raw: string): ChangelogSource {
  const byteOrderMark = raw.startsWith('\uFEFF');
  const lines: string[] = [];
  const starts: number[] = [];
  const ends = new Set<string>();
  let start = byteOrderMark ? 1 : 0;
  for (const match of raw.matchAll(/\r\n|\n|\r/g)) {
    starts.push(lines.length === 0 ? 0 : start);
    lines.push(raw.slice(start, match.index));
    ends.add(match[0]);
    start = match.index + match[0].length;
  }
  if (start < raw.length) {
    starts.push(lines.length === 0 ? 0 : start);
    lines.push(raw.slice(start));
  }
  starts.push(raw.length);
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

/** Each line is a mark, and so is each list or quote marker at its start: what the parser makes a token of. */
function countMarks(lines: readonly string[]): number {
  let marks = 0;
  for (const line of lines) {
    marks += 1 + countMarkers(line);
    if (marks > maxChangelogMarks) break;
  }
  return marks;
}

function countMarkers(line: string): number {
  const marker = /[ \t]*(?:>|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$))/y;
  let markers = 0;
  while (marker.test(line)) markers++;
  return markers;
}
