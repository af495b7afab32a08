import { durationOf, QueryError, type Token, tokenize, unquote } from './promql-tokens.js';

export interface Matcher {
  label: string;
  operator: '=' | '!=' | '=~' | '!~';
  value: string;
}

export interface Selector {
  type: 'selector';
  matchers: Matcher[];
  /** Milliseconds; absent: an instant vector. */
  range?: number;
  offset: number;
}

/** Labels that two vectors are matched by. */
export interface Matching {
  mode: 'on' | 'ignoring';
  labels: string[];
}

export type Expression =
  | { type: 'number'; value: number }
  | Selector
  | { type: 'call'; name: FunctionName; args: Expression[] }
  | { type: 'aggregate'; name: AggregateName; mode: 'by' | 'without'; labels: string[]; of: Expression }
  | { type: 'binary'; operator: string; left: Expression; right: Expression; matching: Matching }
  | { type: 'negate'; of: Expression };

export type FunctionName = 'rate' | 'increase' | 'histogram_quantile' | 'vector' | 'time';
export type AggregateName = 'sum' | 'avg' | 'min' | 'max' | 'count';

/** Argument types of each function: `m` range vector, `v` instant vector, `s` scalar. */
const functions: Record<FunctionName, string> = { rate: 'm', increase: 'm', histogram_quantile: 'sv', vector: 's', time: '' };
const aggregates: readonly string[] = ['sum', 'avg', 'min', 'max', 'count'] satisfies AggregateName[];
const typeNames: Record<string, string> = { m: 'range vector', v: 'instant vector', s: 'scalar' };
const precedence: readonly (readonly string[])[] = [
  ['or'],
  ['and', 'unless'],
  ['==', '!=', '>', '<', '>=', '<='],
  ['+', '-'],
  ['*', '/', '%'],
];

/**
 * Parses the part of PromQL that dashboards and canary judges use: selectors with matchers, ranges and offsets; rate, increase,
 * histogram_quantile, vector, time; sum, avg, min, max, count with by or without; arithmetic, comparison, and, or, unless with on or
 * ignoring. Throws QueryError for everything else.
 */
export function parseQuery(query: string): Expression {
  const parser = new Parser(tokenize(query));
  const expression = parser.expression(0);
  parser.expectEnd();
  return expression;
}

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  /** Binary operators by rising precedence. */
  expression(level: number): Expression {
    const operators = precedence[level];
    if (!operators) return this.unary();
    let left = this.expression(level + 1);
    while (operators.includes(this.peek().text) && this.peek().kind !== 'string') {
      const { text: operator, column } = this.next();
      const matching = this.matching();
      const right = this.expression(level + 1);
      if (['and', 'or', 'unless'].includes(operator) && [left, right].some((side) => typeOf(side) === 's')) {
        throw new QueryError(`set operator "${operator}" not allowed in binary scalar expression`, column);
      }
      left = { type: 'binary', operator, left, right, matching };
    }
    return left;
  }

  expectEnd(): void {
    const token = this.peek();
    if (token.kind !== 'end') throw this.unexpected(token);
  }

  private unary(): Expression {
    if (this.accept('-')) return { type: 'negate', of: this.unary() };
    if (this.accept('+')) return this.unary();
    return this.primary();
  }

  private primary(): Expression {
    const token = this.next();
    if (token.kind === 'number') return { type: 'number', value: numberOf(token.text) };
    if (token.text === '(') {
      const inner = this.expression(0);
      this.expect(')');
      return inner;
    }
    if (token.text === '{') return this.selector([], token);
    if (token.kind !== 'name') throw this.unexpected(token);
    if (aggregates.includes(token.text)) return this.aggregate(token.text as AggregateName);
    if (this.peek().text === '(') return this.call(token);
    const named: Matcher = { label: '__name__', operator: '=', value: token.text };
    return this.selector([named], token, this.accept('{'));
  }

  private selector(matchers: Matcher[], start: Token, hasBraces = true): Selector {
    if (hasBraces) while (!this.accept('}')) this.matcher(matchers);
    const isEmpty = ({ operator, value }: Matcher) =>
      (operator === '=' && value === '') || (operator === '=~' && new RegExp(`^(?:${value})$`).test(''));
    if (matchers.every(isEmpty)) throw new QueryError('vector selector must contain at least one non-empty matcher', start.column);
    const selector: Selector = { type: 'selector', matchers, offset: 0 };
    if (this.accept('[')) {
      selector.range = this.duration();
      this.expect(']');
    }
    if (this.accept('offset')) selector.offset = this.duration();
    return selector;
  }

  private matcher(matchers: Matcher[]): void {
    const label = this.next();
    if (label.kind !== 'name') throw this.unexpected(label);
    const operator = this.next();
    if (!['=', '!=', '=~', '!~'].includes(operator.text)) throw this.unexpected(operator);
    const value = this.next();
    if (value.kind !== 'string') throw this.unexpected(value);
    const text = unquote(value.text);
    if (operator.text.includes('~')) checkRegex(text, value.column);
    matchers.push({ label: label.text, operator: operator.text as Matcher['operator'], value: text });
    if (this.peek().text !== '}') this.expect(',');
  }

  private call({ text, column }: Token): Expression {
    const types = functions[text as FunctionName];
    if (types === undefined || !Object.hasOwn(functions, text)) throw new QueryError(`unknown function with name "${text}"`, column);
    this.expect('(');
    const args: Expression[] = [];
    while (!this.accept(')')) {
      args.push(this.expression(0));
      if (this.peek().text !== ')') this.expect(',');
    }
    if (args.length !== types.length)
      throw new QueryError(`expected ${types.length} argument(s) in call to "${text}", got ${args.length}`, column);
    for (const [i, arg] of args.entries()) {
      const [want = '', got] = [types[i], typeOf(arg)];
      if (got !== want) {
        throw new QueryError(`expected type ${typeNames[want]} in call to function "${text}", got ${typeNames[got]}`, column);
      }
    }
    return { type: 'call', name: text as FunctionName, args };
  }

  private aggregate(name: AggregateName): Expression {
    const before = this.grouping();
    const open = this.peek();
    this.expect('(');
    const of = this.expression(0);
    this.expect(')');
    if (typeOf(of) !== 'v')
      throw new QueryError(`expected type instant vector in aggregation expression, got ${typeNames[typeOf(of)]}`, open.column);
    const { mode, labels } = before ?? this.grouping() ?? { mode: 'by' as const, labels: [] };
    return { type: 'aggregate', name, mode, labels, of };
  }

  private grouping(): { mode: 'by' | 'without'; labels: string[] } | undefined {
    const mode = this.peek().text;
    if (mode !== 'by' && mode !== 'without') return undefined;
    this.next();
    return { mode, labels: this.labels() };
  }

  private matching(): Matching {
    const mode = this.peek().text;
    if (mode !== 'on' && mode !== 'ignoring') return { mode: 'ignoring', labels: [] };
    this.next();
    return { mode, labels: this.labels() };
  }

  private labels(): string[] {
    this.expect('(');
    const labels: string[] = [];
    while (!this.accept(')')) {
      const token = this.next();
      if (token.kind !== 'name') throw this.unexpected(token);
      labels.push(token.text);
      if (this.peek().text !== ')') this.expect(',');
    }
    return labels;
  }

  private duration(): number {
    const token = this.next();
    if (token.kind !== 'duration') throw new QueryError(`unexpected ${describe(token)}, expected duration`, token.column);
    return durationOf(token.text);
  }

  private peek(): Token {
    return this.tokens[this.at] as Token;
  }

  private next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.at += 1;
    return token;
  }

  private accept(text: string): boolean {
    const is = this.peek().text === text && this.peek().kind !== 'string';
    if (is) this.at += 1;
    return is;
  }

  private expect(text: string): void {
    const token = this.next();
    if (token.text !== text) throw new QueryError(`unexpected ${describe(token)}, expected "${text}"`, token.column);
  }

  private unexpected(token: Token): QueryError {
    return new QueryError(`unexpected ${describe(token)}`, token.column);
  }
}

export function typeOf(expression: Expression): 's' | 'v' | 'm' {
  switch (expression.type) {
    case 'number':
      return 's';
    case 'selector':
      return expression.range === undefined ? 'v' : 'm';
    case 'call':
      return expression.name === 'time' ? 's' : 'v';
    case 'aggregate':
      return 'v';
    case 'negate':
      return typeOf(expression.of);
    case 'binary':
      return typeOf(expression.left) === 's' && typeOf(expression.right) === 's' ? 's' : 'v';
  }
}

function numberOf(text: string): number {
  if (/^inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : Number(text);
}

function describe({ kind, text }: Token): string {
  return kind === 'end' ? text : `${kind === 'name' ? 'identifier' : kind} ${JSON.stringify(text)}`;
}

function checkRegex(pattern: string, column: number): void {
  try {
    new RegExp(`^(?:${pattern})$`);
  } catch (error) {
    throw new QueryError(`error parsing regexp: ${error instanceof Error ? error.message : String(error)}`, column);
  }
}
