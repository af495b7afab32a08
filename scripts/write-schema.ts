/** Writes the JSON Schema of slipway.yml: `node scripts/run-ts.mjs scripts/write-schema.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configJsonSchemaText, configSchemaFile } from '@slipway/core';

const file = join(import.meta.dirname, '..', configSchemaFile);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, configJsonSchemaText());
