import { isRecord, type KubeObject, sameJson } from '../object.js';
import type { Findings } from '../validate.js';
import type { Schema } from './schema.js';

/** After these the rules are not looked at. */
const blocking = new Set([
  'FieldValueTypeInvalid',
  'FieldValueRequired',
  'FieldValueNotSupported',
  'FieldValueTooLong',
  'FieldValueTooMany',
]);

/**
 * Checks an object against a schema in the words of the API server; rules are looked at only when its form is right.
 * What is wrong with a status that is written apart is said without its `status.`.
 */
export function checkSchema(
  object: KubeObject,
  before: KubeObject | undefined,
  schema: Schema,
  findings: Findings,
  subresource: string,
): void {
  const earlier = findings.causes.length;
  checkForm(object, schema, '', findings);
  if (subresource === 'status') for (const cause of findings.causes) cause.message = cause.message.replace(' status.', ' ');
  const blocks = findings.causes.slice(earlier).some(({ reason }) => blocking.has(reason));
  if (!hasRules(schema)) return;
  if (blocks) return findings.unfinished();
  checkRules(object, before, schema, '', findings);
}

function checkForm(value: unknown, schema: Schema, path: string, findings: Findings): void {
  if (value === undefined || schema.type === 'any') return;
  if (!hasType(value, schema.type)) return findings.mistyped(path, value, schema.type === 'intOrString' ? 'integer,string' : schema.type);
  if (schema.enum && !schema.enum.includes(value)) return findings.unsupported(path, value, schema.enum as string[]);
  if (typeof value === 'number') checkNumber(value, schema, path, findings);
  if (typeof value === 'string') checkText(value, schema, path, findings);
  if (Array.isArray(value)) checkList(value, schema, path, findings);
  if (isRecord(value)) checkObject(value, schema, path, findings);
}

function hasType(value: unknown, type: Schema['type']): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    case 'integer':
      return Number.isInteger(value);
    case 'intOrString':
      return Number.isInteger(value) || typeof value === 'string';
    default:
      return typeof value === type;
  }
}

function checkNumber(value: number, { minimum, maximum }: Schema, path: string, findings: Findings): void {
  if (minimum !== undefined && value < minimum)
    findings.invalid(path, value, `${path} in body should be greater than or equal to ${minimum}`);
  if (maximum !== undefined && value > maximum) findings.invalid(path, value, `${path} in body should be less than or equal to ${maximum}`);
}

function checkText(value: string, { minLength = 0, maxLength, pattern }: Schema, path: string, findings: Findings): void {
  if (value.length < minLength) findings.invalid(path, value, `${path} in body should be at least ${minLength} chars long`);
  if (maxLength !== undefined && value.length > maxLength) findings.tooLong(path, maxLength);
  if (pattern && !new RegExp(pattern).test(value)) findings.invalid(path, value, `${path} in body should match '${pattern}'`);
}

function checkList(value: unknown[], schema: Schema, path: string, findings: Findings): void {
  const { items, minItems = 0, maxItems, keys, set } = schema;
  if (value.length < minItems) findings.invalid(path, value.length, `${path} in body should have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems) findings.tooMany(path, value.length, maxItems);
  const seen: unknown[] = [];
  for (const [i, item] of value.entries()) {
    if (items) checkForm(item, items, `${path}[${i}]`, findings);
    const identity = keys ? Object.fromEntries(keys.map((key) => [key, isRecord(item) ? item[key] : undefined])) : item;
    if ((keys || set) && seen.some((other) => sameJson(other, identity))) findings.duplicate(`${path}[${i}]`, identity);
    seen.push(identity);
  }
}

function checkObject(value: Record<string, unknown>, schema: Schema, path: string, findings: Findings): void {
  for (const key of schema.required ?? []) if (value[key] === undefined) findings.required(below(path, key));
  for (const [key, one] of Object.entries(value)) {
    const field = schema.fields?.[key] ?? schema.values;
    if (field) checkForm(one, field, below(path, key), findings);
  }
}

function below(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

function checkRules(value: unknown, before: unknown, schema: Schema, path: string, findings: Findings): void {
  if (value === undefined) return;
  for (const { message, holds } of schema.rules ?? []) if (!holds(value, before)) findings.broken(path, message);
  if (Array.isArray(value) && schema.items) {
    for (const [i, item] of value.entries()) checkRules(item, undefined, schema.items, `${path}[${i}]`, findings);
  }
  if (!isRecord(value)) return;
  for (const [key, one] of Object.entries(value)) {
    const field = schema.fields?.[key] ?? schema.values;
    if (field) checkRules(one, isRecord(before) ? before[key] : undefined, field, below(path, key), findings);
  }
}

function hasRules(schema: Schema): boolean {
  const parts = [...Object.values(schema.fields ?? {}), schema.items, schema.values];
  return Boolean(schema.rules?.length) || parts.some((part) => part !== undefined && hasRules(part));
}
