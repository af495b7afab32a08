import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readChangelogFile } from '../src/index.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'changelog-'));
  mkdirSync(join(directory, 'docs'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const read = (given: string) => readChangelogFile(join(directory, given), given);

describe('a changelog that is not there', () => {
  it('suggests the one beside it by a path from the same place', async () => {
    writeFileSync(join(directory, 'docs', 'HISTORY.md'), '');
    expect(await read('docs/CHANGELOG.md')).toMatchObject({
      reason: 'FILE_MISSING',
      message: `There is no ${join(directory, 'docs/CHANGELOG.md')}, but a docs/HISTORY.md`,
      next: ['Set the input `file` to `docs/HISTORY.md`.'],
    });
  });

  it('suggests no directory where none was given', async () => {
    writeFileSync(join(directory, 'HISTORY.md'), '');
    expect(await read('CHANGELOG.md')).toMatchObject({ next: ['Set the input `file` to `HISTORY.md`.'] });
    expect(await read('docs/CHANGELOG.md')).toMatchObject({ next: [expect.stringContaining('Check out the repository')] });
  });
});
