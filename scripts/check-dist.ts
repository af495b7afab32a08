/**
 * `npm run check-dist`: builds again into a folder of its own and fails when dist is anything else, or holds what git does not know.
 * Then runs every entry, because a bundle can be made without an error and still not start.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDist } from './build/dist.js';
import { checkTypes } from './build/types.js';
import { differences } from './check-dist/compare.js';
import { entriesOf, problemOf } from './check-dist/entries.js';
import { readContracts } from './contracts.js';
import { root } from './node24.mjs';

const dist = join(root, 'dist');
let problems = 0;
const complain = (text: string) => {
  problems += 1;
  console.log(`FAIL ${text}`);
};

if (existsSync(dist)) {
  await checkTypes().catch((error: Error) => complain(error.message));
  await compare();
  untracked();
  await runEntries();
} else complain('there is no dist: run `npm run build` and commit it');
console.log(
  problems === 0 ? 'dist is what its sources build, and every entry runs' : `${problems} problems; \`npm run build\` makes dist anew`,
);
process.exitCode = problems === 0 ? 0 : 1;

async function compare() {
  const fresh = mkdtempSync(join(tmpdir(), 'slipway-dist-'));
  try {
    await buildDist(fresh);
    for (const difference of differences(dist, fresh)) complain(`dist/${difference}`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** What is in dist here but not in the commit would be missing for everybody else. */
function untracked() {
  const git = spawnSync('git', ['status', '--porcelain', '--untracked-files=all', '--ignored', '--', 'dist'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (git.status !== 0) console.log('not a git repository: nothing to say about untracked files');
  else for (const line of git.stdout.split('\n').filter(Boolean)) complain(`not committed: ${line}`);
}

async function runEntries() {
  for (const entry of entriesOf(await readContracts())) {
    const problem = problemOf(dist, entry);
    const name = ['dist', entry.file].join('/').concat(...(entry.args ?? []).map((arg) => ` ${arg}`));
    if (problem) complain(`${name} ${problem}`);
    else console.log(`ok   ${name}`);
  }
}
