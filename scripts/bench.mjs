/**
 * `npm run bench [-- NAME … [TOOL:RELEASE …]]`: runs the measurements of test/bench, all that take minutes at most, or the named ones. Words with
 * a colon, and all after a second `--`, are arguments of each.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node24.mjs';

const folder = join(root, 'test', 'bench');
/** Takes half an hour with nothing else on the machine, so it is run only when it is named. */
const onlyNamed = ['peers'];
const all = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => /^[a-z-]+\.ts$/.test(file))
      .map((file) => file.slice(0, -3))
  : [];
const words = process.argv.slice(2);
const end = words.indexOf('--');
const before = end < 0 ? words : words.slice(0, end);
const names = before.filter((word) => !word.includes(':'));
const args = [...before.filter((word) => word.includes(':')), ...(end < 0 ? [] : words.slice(end + 1))];

const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no measurement ${unknown.join(', ')}; there are ${all.join(', ')}\n`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : all.filter((name) => !onlyNamed.includes(name))) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/run-ts.mjs'), join(folder, `${name}.ts`), ...args], {
    stdio: 'inherit',
    cwd: root,
  });
  if (status !== 0) process.exitCode = 1;
}
