/** `npm run build`: makes dist. Errors in types are told when the bundles are written, so that an unfinished tree can be tried out. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildDist } from './build/dist.js';
import { checkTypes } from './build/types.js';
import { generatedFiles } from './docs/pages.js';
import { staleFiles, writeFiles } from './docs/write.js';
import { root } from './node24.mjs';

writeFiles(staleFiles(await generatedFiles()));
const [built, typed] = await Promise.allSettled([replaceDist(), checkTypes()]);
for (const part of [built, typed]) {
  if (part.status === 'rejected') {
    console.error(part.reason instanceof Error ? part.reason.message : part.reason);
    process.exitCode = 1;
  }
}

/** dist is exchanged in one go: whoever uses it meanwhile has the old one whole or the new one whole. */
async function replaceDist(): Promise<void> {
  const cache = join(root, 'node_modules', '.cache', 'slipway');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'dist-'));
  const [fresh, old, dist] = [join(work, 'fresh'), join(work, 'old'), join(root, 'dist')];
  try {
    mkdirSync(dist, { recursive: true });
    await buildDist(fresh);
    renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
