import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readTags } from '../src/index.js';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'slipway-git-'));
  made.push(path);
  return path;
}

function git(cwd: string, ...args: string[]): string {
  const settings = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main', '-c', 'tag.gpgsign=false'];
  return execFileSync('git', [...settings, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

function repository(): string {
  const cwd = directory();
  git(cwd, 'init', '-q');
  return cwd;
}

const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CEILING_DIRECTORIES: tmpdir() };
const read = (cwd: string) => readTags({ cwd, env });

describe('readTags', () => {
  it('reads light and annotated tags with the commits they point to', async () => {
    const cwd = repository();
    git(cwd, 'commit', '-q', '--allow-empty', '-m', 'one');
    const first = git(cwd, 'rev-parse', 'HEAD');
    git(cwd, 'tag', 'v1.0.0-rc.10');
    git(cwd, 'tag', '-a', '-m', 'x', 'v1.0.0');
    git(cwd, 'tag', 'apps/shop/v1.0.0$(id)');
    git(cwd, 'commit', '-q', '--allow-empty', '-m', 'two');
    const { tags, shallow, head } = await read(cwd);
    expect(shallow).toBe(false);
    expect(head).toBe(git(cwd, 'rev-parse', 'HEAD'));
    expect(Object.fromEntries(tags.map(({ name, commit }) => [name, commit]))).toEqual({
      'v1.0.0-rc.10': first,
      'v1.0.0': first,
      'apps/shop/v1.0.0$(id)': first,
    });
  });

  it('reads an empty repository', async () => {
    expect(await read(repository())).toEqual({ tags: [], shallow: false, head: null });
  });

  it('sees a shallow clone', async () => {
    const origin = repository();
    git(origin, 'commit', '-q', '--allow-empty', '-m', 'one');
    git(origin, 'tag', 'v1.0.0');
    git(origin, 'commit', '-q', '--allow-empty', '-m', 'two');
    const clone = directory();
    git(clone, 'clone', '-q', '--depth=1', '--no-tags', `file://${origin}`, '.');
    expect(await read(clone)).toMatchObject({ tags: [], shallow: true });
  });

  it('says that there is no repository', async () => {
    await expect(read(directory())).rejects.toMatchObject({ name: 'OperationError', reason: 'NOT_A_REPOSITORY' });
  });

  it('says what git says when it refuses', async () => {
    const cwd = repository();
    writeFileSync(join(cwd, '.git', 'config'), '[broken\n');
    await expect(read(cwd)).rejects.toMatchObject({ reason: 'GIT_FAILED', message: expect.stringContaining('config') });
  });

  it('says that there is no git', async () => {
    const PATH = process.env.PATH;
    process.env.PATH = directory();
    try {
      await expect(readTags({ cwd: directory(), env: { PATH: process.env.PATH } })).rejects.toMatchObject({
        reason: 'GIT_FAILED',
        cause: expect.anything(),
      });
    } finally {
      process.env.PATH = PATH;
    }
  });
});
