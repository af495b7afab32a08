/** `npm run build`: makes dist. Errors in types are told when the bundles are written, so that an unfinished tree can be tried out. */
import { join } from 'node:path';
import { buildDist } from './build/dist.js';
import { checkTypes } from './build/types.js';
import { generatedFiles } from './docs/pages.js';
import { staleFiles, writeFiles } from './docs/write.js';
import { root } from './node24.mjs';

writeFiles(staleFiles(await generatedFiles()));
const [built, typed] = await Promise.allSettled([buildDist(join(root, 'dist')), checkTypes()]);
for (const part of [built, typed]) {
  if (part.status === 'rejected') {
    console.error(part.reason instanceof Error ? part.reason.message : part.reason);
    process.exitCode = 1;
  }
}
