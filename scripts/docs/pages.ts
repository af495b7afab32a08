import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchemaText, configSchemaFile } from '@slipway/core';
import { rootContract } from '../../packages/cli/src/root-contract.js';
import { readContracts } from '../contracts.js';
import { root } from '../node24.mjs';
import { actionYml, rootActionYml } from './action-yml.js';
import { contractList, familyEntry } from './entries.js';
import { actionReadme } from './readme.js';
import { reasonsPage } from './reasons.js';

/** Every generated file of the repository outside dist: path from the root → text. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const contracts = await readContracts();
  const files = new Map<string, string>();
  for (const contract of contracts) {
    const folder = `actions/${contract.name}`;
    files.set(`${folder}/action.yml`, actionYml(contract));
    files.set(`${folder}/README.md`, actionReadme(contract, intro(folder)));
  }
  files.set('action.yml', rootActionYml(rootContract, contracts));
  files.set('docs/reasons.md', reasonsPage(contracts));
  files.set(configSchemaFile, configJsonSchemaText());
  files.set('packages/cli/src/contracts.ts', contractList(contracts));
  for (const family of ['gates', 'cluster'] as const) files.set(`packages/cli/src/${family}.ts`, familyEntry(family, contracts));
  return files;
}

function intro(folder: string): string {
  const file = join(root, folder, 'intro.md');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
