import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineContract } from '@slipway/core';
import { differences } from '../../scripts/check-dist/compare.js';
import { entriesOf, problemOf } from '../../scripts/check-dist/entries.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-check-dist-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with these files, path → text. */
function folderWith(name: string, files: Record<string, string>): string {
  const path = join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

describe('the comparison of dist with a fresh build', () => {
  it('names changed, missing and left-over files, and a lost executable bit', () => {
    const fresh = folderWith('fresh', { 'a/index.js': 'one', 'b/index.js': 'two', 'cli/main.js': 'run' });
    chmodSync(join(fresh, 'cli/main.js'), 0o755);
    const dist = folderWith('dist', { 'a/index.js': 'ONE', 'cli/main.js': 'run', '184.index.js': 'chunk' });
    chmodSync(join(dist, 'cli/main.js'), 0o644);
    expect(differences(dist, fresh)).toEqual([
      '184.index.js is not built any more',
      'a/index.js is not what its sources build (3 bytes, built: 3)',
      'b/index.js is missing',
      'cli/main.js is not executable',
    ]);
  });

  it('has nothing to say about equal folders', () => {
    const one = folderWith('one', { 'a/index.js': 'one' });
    cpSync(one, join(folder, 'two'), { recursive: true });
    expect(differences(one, join(folder, 'two'))).toEqual([]);
  });
});

describe('the run of an entry', () => {
  const contract = defineContract({
    name: 'gate',
    family: 'gates',
    description: 'A gate.',
    inputs: { version: { kind: 'string', required: true, description: 'The version.', example: 'v1' } },
    outputs: {},
    reasons: {},
    permissions: [],
  });
  const entry = entriesOf([contract]).find(({ file }) => file === 'gate/main.js');
  const run = (name: string, code: string) =>
    problemOf(folderWith(name, { 'package.json': '{"type":"module"}', 'gate/main.js': code }), entry as never);

  it('is content with exit code 2 and an error that names the input', () => {
    expect(run('good', "console.log('::error title=gate::version: is required'); process.exitCode = 2;")).toBeUndefined();
  });

  it.each([
    ['a success', "console.log('::error::version: is required');", 'ended with 0, not 2'],
    ['a bundle that does not start', "import '@actions/not-there';", 'ended with 1, not 2'],
    [
      'a stack trace',
      "console.log('::error::version'); console.error(new Error('x').stack); process.exitCode = 2;",
      'printed a stack trace',
    ],
    ['an error about something else', "console.log('::error::subversion'); process.exitCode = 2;", 'did not print'],
    ['a warning of Node', "process.emitWarning('old'); console.log('::error::version'); process.exitCode = 2;", "a warning of Node's own"],
  ])('refuses %s', (name, code, problem) => {
    expect(run(name, code)).toContain(problem);
  });
});
