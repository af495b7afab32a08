import * as z from 'zod/mini';
import { buildSchema } from './schema.js';

/** Where the JSON Schema of slipway.yml is published, for editors: `# yaml-language-server: $schema=…`. */
export const configSchemaFile = 'schema/slipway.schema.json';

/** The JSON Schema (draft 2020-12) of what a person may write in slipway.yml. */
export function configJsonSchema(): object {
  const { schema, descriptions } = buildSchema();
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', metadata: descriptions, target: 'draft-2020-12' });
  return { $schema, title: 'slipway.yml', ...rest };
}

/** The schema file's exact content. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
