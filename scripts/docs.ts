/** `npm run docs`: writes what is generated from the contracts. With `--check`: says what is out of date and fails. */
import { generatedFiles } from './docs/pages.js';
import { staleFiles, writeFiles } from './docs/write.js';

const files = await generatedFiles();
const stale = staleFiles(files);
if (process.argv.includes('--check')) {
  for (const path of stale.keys()) console.log(`out of date: ${path}`);
  console.log(stale.size > 0 ? 'run `npm run docs` and commit the result' : `${files.size} generated files are up to date`);
  process.exitCode = stale.size > 0 ? 1 : 0;
} else {
  writeFiles(stale);
  console.log(`${stale.size} of ${files.size} generated files written`);
}
