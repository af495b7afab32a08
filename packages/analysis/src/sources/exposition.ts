import { OperationError } from '@slipway/core';

/** One line of a metrics page. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Exposition {
  samples: Sample[];
  /** Families that were declared (`# TYPE`, `# HELP`), also those without a sample yet. */
  families: ReadonlySet<string>;
}

const longestPage = 16_000_000;
const longestLine = 100_000;

/**
 * Reads Prometheus' text exposition format, keeping only samples that `wanted` names; strictly, in time linear in the text. Throws
 * OperationError METRICS_UNREADABLE naming the line: a page that is partly something else (HTML, a proxy's error) is not counted at all.
 */
export function parseExposition(text: string, wanted: (name: string) => boolean): Exposition {
  if (text.length > longestPage) throw unreadable(0, `the page is ${text.length} characters long, more than ${longestPage}`);
  const samples: Sample[] = [];
  const families = new Set<string>();
  let from = 0;
  for (let number = 1; from < text.length; number++) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    if (end - from > longestLine) throw unreadable(number, `the line is longer than ${longestLine} characters`);
    const line = text.slice(from, end).trim();
    from = end + 1;
    if (line === '') continue;
    if (line.startsWith('#')) readComment(line, families);
    else readSample(line, number, wanted, samples);
  }
  return { samples, families };
}

function readComment(line: string, families: Set<string>): void {
  const [, keyword, name] = line.split(/[ \t]+/, 3);
  if ((keyword === 'TYPE' || keyword === 'HELP') && name) families.add(name);
}

const namePattern = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelPattern = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"/y;

function readSample(line: string, number: number, wanted: (name: string) => boolean, samples: Sample[]): void {
  const name = matchAt(namePattern, line, 0)?.[0];
  if (!name) throw unreadable(number, `expected a metric, found ${JSON.stringify(line.slice(0, 60))}`);
  const { labels, end } = line[name.length] === '{' ? readLabels(line, name.length + 1, number) : { labels: {}, end: name.length };
  const rest = line
    .slice(end)
    .trim()
    .split(/[ \t]+/);
  const value = readValue(rest[0] ?? '');
  if (value === undefined || rest.length > 2 || (rest.length === 2 && !/^-?\d+$/.test(rest[1] ?? ''))) {
    // OpenMetrics puts exemplars after ` # `; they say nothing of the count.
    if (value === undefined || !(rest[1] === '#' || rest[2] === '#')) {
      throw unreadable(number, `${name} has no number as its value: ${JSON.stringify(line.slice(end, end + 60).trim())}`);
    }
  }
  if (wanted(name)) samples.push({ name, labels, value });
}

function readLabels(line: string, start: number, number: number): { labels: Record<string, string>; end: number } {
  // No prototype: a label may be called anything.
  const labels: Record<string, string> = Object.create(null);
  let at = start;
  for (;;) {
    const close = matchAt(/[ \t]*,?[ \t]*\}/y, line, at);
    if (close) return { labels, end: at + close[0].length };
    if (at > start) {
      const comma = matchAt(/[ \t]*,/y, line, at);
      if (!comma) throw unreadable(number, `labels that do not end: ${JSON.stringify(line.slice(start, start + 60))}`);
      at += comma[0].length;
    }
    const match = matchAt(labelPattern, line, at);
    if (!match) throw unreadable(number, `not a label: ${JSON.stringify(line.slice(at, at + 60))}`);
    const value = readQuoted(line, at + match[0].length, number);
    labels[match[1] ?? ''] = value.text;
    at = value.end;
  }
}

function readQuoted(line: string, start: number, number: number): { text: string; end: number } {
  let text = '';
  for (let at = start; at < line.length; at++) {
    const character = line[at];
    if (character === '"') return { text, end: at + 1 };
    if (character !== '\\') text += character;
    else {
      at++;
      text += line[at] === 'n' ? '\n' : (line[at] ?? '');
    }
  }
  throw unreadable(number, 'a label value without its closing quote');
}

/** A float as Go prints it; NaN and infinities are values too, to be judged by who uses them. */
function readValue(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : undefined;
}

function matchAt(pattern: RegExp, line: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(line);
}

function unreadable(line: number, what: string): OperationError {
  return new OperationError(line > 0 ? `line ${line}: ${what}` : what, {
    reason: 'METRICS_UNREADABLE',
    next: ['Check that the port and path serve metrics in the Prometheus text format.'],
  });
}
