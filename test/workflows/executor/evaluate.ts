import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import type { FunctionDefinition } from '@actions/expressions/funcs/info';
import { isBasicExpression, isBoolean, isMapping, isNumber, isSequence, isString } from '@actions/workflow-parser';
import { ensureStatusFunction } from '@actions/workflow-parser/model/converter/if-condition';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';

/** `github`, `needs`, `steps` …: everything an expression may name, as plain JSON. Which of them may be used where, the parser has checked. */
export type Contexts = Record<string, unknown>;

/** What `success()`, `failure()` and `cancelled()` answer at one place of a run; `always()` is always true. */
export interface Status {
  success(): boolean;
  failure(): boolean;
  cancelled(): boolean;
}

export interface Scope {
  contexts: Contexts;
  status?: Status;
}

const contextNames = ['github', 'env', 'vars', 'job', 'jobs', 'steps', 'runner', 'secrets', 'strategy', 'matrix', 'needs', 'inputs'];

/** The value of a token as plain JSON, with every expression in it evaluated. */
export function evaluate(token: TemplateToken, scope: Scope): unknown {
  if (isBasicExpression(token)) return toJson(evaluateExpression(token.expression, scope));
  if (isMapping(token)) return Object.fromEntries(pairs(token).map(([key, value]) => [key, evaluate(value, scope)]));
  if (isSequence(token)) return Array.from({ length: token.count }, (_, index) => evaluate(token.get(index), scope));
  if (isString(token) || isNumber(token) || isBoolean(token)) return token.value;
  return null;
}

/** The value of a scalar as GitHub would put it into text: `true`, `10`, '' for null. */
export function evaluateText(token: TemplateToken, scope: Scope): string {
  if (isBasicExpression(token)) return evaluateExpression(token.expression, scope).coerceString();
  return toData(evaluate(token, scope)).coerceString();
}

export function evaluateTexts(token: TemplateToken | undefined, scope: Scope): Record<string, string> {
  return Object.fromEntries(pairs(token).map(([key, value]) => [key, evaluateText(value, scope)]));
}

export function evaluateBoolean(token: TemplateToken | undefined, scope: Scope, otherwise: boolean): boolean {
  return token === undefined ? otherwise : isTruthy(toData(evaluate(token, scope)));
}

export function evaluateNumber(token: TemplateToken | undefined, scope: Scope): number | undefined {
  return token === undefined ? undefined : toData(evaluate(token, scope)).number();
}

/** The expression of an `if:`; as GitHub does, `success() &&` goes before it unless it asks for a status itself. */
export function conditionOf(token: TemplateToken | undefined): string {
  if (token === undefined) return 'success()';
  const condition = (isBasicExpression(token) ? token.expression : evaluateText(token, { contexts: {} })).trim();
  return condition === '' ? 'success()' : ensureStatusFunction(condition, token.definitionInfo);
}

export function isTrue(expression: string, scope: Scope): boolean {
  return isTruthy(evaluateExpression(expression, scope));
}

/** Key and value tokens of a mapping in their order; none for an absent one. */
export function pairs(token: TemplateToken | undefined): [string, TemplateToken][] {
  if (token === undefined || !isMapping(token)) return [];
  return Array.from({ length: token.count }, (_, index) => {
    const { key, value } = token.get(index);
    return [key.toString(), value];
  });
}

export function child(token: TemplateToken | undefined, ...path: string[]): TemplateToken | undefined {
  return path.reduce<TemplateToken | undefined>((parent, key) => (parent && isMapping(parent) ? parent.find(key) : undefined), token);
}

function evaluateExpression(expression: string, { contexts, status }: Scope): data.ExpressionData {
  const functions = statusFunctions(status);
  const tree = new Parser(new Lexer(expression).lex().tokens, contextNames, [...functions.values()]).parse();
  return new Evaluator(tree, toDictionary(contexts), functions).evaluate();
}

function statusFunctions(status: Status | undefined): Map<string, FunctionDefinition> {
  const define = (name: string, answer: () => boolean): [string, FunctionDefinition] => [
    name,
    { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(answer()) },
  ];
  const unsupported = (name: string): [string, FunctionDefinition] => [
    name,
    {
      name,
      minArgs: 1,
      maxArgs: 255,
      call: () => {
        throw new Error(`${name}() is not supported by this executor`);
      },
    },
  ];
  if (status === undefined) return new Map([unsupported('hashfiles')]);
  return new Map([
    define('always', () => true),
    define('success', status.success),
    define('failure', status.failure),
    define('cancelled', status.cancelled),
    unsupported('hashfiles'),
  ]);
}

function toDictionary(contexts: Contexts): data.Dictionary {
  const all = Object.fromEntries(contextNames.map((name) => [name, contexts[name] ?? {}]));
  return toData(all) as data.Dictionary;
}

function toData(value: unknown): data.ExpressionData {
  return JSON.parse(JSON.stringify(value ?? null), data.reviver) as data.ExpressionData;
}

function toJson(value: data.ExpressionData): unknown {
  return JSON.parse(JSON.stringify(value, data.replacer));
}

/** False, 0, NaN, '' and null are false; everything else is true. */
function isTruthy(value: data.ExpressionData): boolean {
  if (
    value.kind === data.Kind.Boolean ||
    value.kind === data.Kind.Number ||
    value.kind === data.Kind.String ||
    value.kind === data.Kind.Null
  ) {
    return Boolean(toJson(value));
  }
  return true;
}
