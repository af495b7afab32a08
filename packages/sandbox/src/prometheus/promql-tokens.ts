/** What is wrong with a query, and where (1-based column). */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  constructor(message: string, column: number) {
    super(`1:${column}: parse error: ${message}`);
  }
}

export interface Token {
  kind: 'number' | 'duration' | 'string' | 'name' | 'symbol' | 'end';
  text: string;
  /** 1-based. */
  column: number;
}

const patterns: readonly [kind: Token['kind'], pattern: RegExp][] = [
  ['duration', /^(?:\d+(?:ms|[smhdwy]))+/],
  ['number', /^(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[Ii]nf\b|[Nn]a[Nn]\b)/],
  ['string', /^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)/],
  ['name', /^[a-zA-Z_:][a-zA-Z0-9_:]*/],
  ['symbol', /^(?:=~|!~|!=|==|>=|<=|[-+*/%^(){}[\],=<>@:])/],
];

export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const rest = query.slice(at);
    const space = /^(?:\s+|#[^\n]*)/.exec(rest);
    if (space) {
      at += space[0].length;
      continue;
    }
    const match = patterns.map(([kind, pattern]) => ({ kind, text: pattern.exec(rest)?.[0] })).find(({ text }) => text);
    if (!match?.text) throw new QueryError(`unexpected character: ${JSON.stringify(rest[0])}`, at + 1);
    tokens.push({ kind: match.kind, text: match.text, column: at + 1 });
    at += match.text.length;
  }
  tokens.push({ kind: 'end', text: 'end of input', column: query.length + 1 });
  return tokens;
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };

/** `1h30m` in milliseconds. */
export function durationOf(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit as string] as number), 0);
}

/** The text of a string literal. */
export function unquote(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith('`')) return inner;
  return inner.replace(/\\(.)/g, (_, char: string) => ({ n: '\n', t: '\t', r: '\r' })[char] ?? char);
}
