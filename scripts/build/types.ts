import { join } from 'node:path';
import { node24, root } from '../node24.mjs';
import { run } from './run.js';

/** Checks the types of all that goes into dist. Rejects with the compiler's list of errors. */
export async function checkTypes(): Promise<void> {
  await run(node24(), [join(root, 'node_modules/typescript/bin/tsc'), '--project', join(root, 'packages/cli'), '--noEmit'], root);
}
