import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { root } from '../../scripts/node24.mjs';
import { workflow } from './run-scratch.js';
import { createScratchRepository, type ScratchRepository } from './scratch-repository.js';

let repository: ScratchRepository | undefined;
afterEach(() => repository?.remove());

/** Runs a TypeScript file of the project as a person would, from `cwd`. */
function tool(file: string, cwd: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(root, 'scripts/run-ts.mjs'), join(root, file), ...args], { cwd }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

const executor = 'test/workflows/executor/cli.ts';

describe('the executor as a command', () => {
  it('finds the repository around the file from anywhere, and takes API, repository and token from its options', async () => {
    const steps =
      'a:\n  runs-on: ubuntu-latest\n  steps:\n    - run: echo "$GITHUB_API_URL $GITHUB_REPOSITORY ${{ github.token != \'\' }}"\n';
    repository = createScratchRepository('acme/shop', workflow(steps));
    const file = '.github/workflows/main.yml';
    const args = ['--env', 'GITHUB_API_URL=http://127.0.0.1:81', '--env', 'GITHUB_REPOSITORY=acme/shop', '--secret', 'GITHUB_TOKEN=t0ken'];
    const within = await tool(executor, join(repository.directory, '.github'), 'workflows/main.yml', ...args);
    expect(within.out).toContain('http://127.0.0.1:81 acme/shop true');
    expect(within.code).toBe(0);
    const outside = await tool(executor, tmpdir(), join(repository.directory, file));
    expect(outside.out).toContain('https://api.github.com local/repository false');
  });

  it('says what it needs', async () => {
    expect(await tool(executor, tmpdir(), '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--repository DIR') });
    expect(await tool(executor, tmpdir(), 'no.yml')).toMatchObject({ code: 2, err: expect.stringMatching(/^there is no file .*no\.yml/) });
    const elsewhere = mkdtempSync(join(tmpdir(), 'slipway-elsewhere-'));
    const misplaced = await tool(executor, root, 'package.json', '--repository', elsewhere);
    rmSync(elsewhere, { recursive: true });
    expect(misplaced.err).toMatch(/is not in the repository .*--repository/);
  });
});

describe('the other tools', () => {
  it('print their options and refuse what is wrong without a stack', async () => {
    const sandbox = 'packages/sandbox/src/serve-main.ts';
    expect(await tool(sandbox, root, '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--kubeconfig FILE') });
    expect(await tool(sandbox, root, '--wat')).toMatchObject({ code: 2, err: expect.not.stringContaining('    at ') });
    const demo = await tool('demo/main.ts', root, '--plain', '--json', join(tmpdir(), 'no-such-directory', 't.json'));
    expect(demo).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^demo: --json .* cannot be written: ENOENT/) });
  });
});
