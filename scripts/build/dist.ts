import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readContracts } from '../contracts.js';
import { root } from '../node24.mjs';
import { bundleFamily } from './family-bundle.js';
import { bundleRouter } from './router-bundle.js';
import { stubs } from './stubs.js';

export const families = ['gates', 'cluster'] as const;

/** Builds all of dist into the empty folder `out`. The same sources and lockfile give the same bytes. */
export async function buildDist(out: string): Promise<void> {
  const contracts = await readContracts();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await Promise.all([...families.map((family) => bundleFamily(family, out)), bundleRouter(out, families)]);
  for (const [path, text] of stubs(contracts, version)) {
    const file = join(out, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  chmodSync(join(out, 'cli/main.js'), 0o755);
}
