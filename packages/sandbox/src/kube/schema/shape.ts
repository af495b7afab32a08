import { isRecord } from '../object.js';
import type { Schema } from './schema.js';

/** Drops what the schema does not name and fills in its defaults, in place. A value of the wrong type is left for the check. */
export function shape(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) shape(item, schema.items);
    return;
  }
  if (!isRecord(value)) return;
  if (schema.values) for (const one of Object.values(value)) shape(one, schema.values);
  if (!schema.fields) return;
  if (!schema.open) for (const key of Object.keys(value)) if (!Object.hasOwn(schema.fields, key)) delete value[key];
  for (const [key, field] of Object.entries(schema.fields)) {
    if (value[key] === undefined && field.default !== undefined) value[key] = structuredClone(field.default);
    shape(value[key], field);
  }
}
