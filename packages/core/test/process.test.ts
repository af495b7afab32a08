import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'slipway-process-'));
const program = join(directory, 'busy.mjs');

beforeAll(() => {
  const source = fileURLToPath(new URL('./fixtures/busy-action.ts', import.meta.url));
  const options = ['--bundle', '--platform=node', '--format=esm', '--target=node20', `--outfile=${program}`, '--log-level=error'];
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [source, ...options], { cwd: root });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text) => {
    output.stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, ...output }));
  });
  const says = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => (output.stdout + output.stderr).includes(text) && resolve();
      child.stdout.on('data', look);
      child.stderr.on('data', look);
    });
  return { child, ended, says };
}

describe('the process', () => {
  it('ends although connections and timers are left, and not before all is written', async () => {
    const { code, stdout } = await start(['cli', '--json']).ended;
    expect(code).toBe(3);
    expect(JSON.parse(stdout).details.text).toHaveLength(200_000);
  });

  it('lets an action finish after SIGINT', async () => {
    const { child, ended, says } = start(['main'], { INPUT_WAIT: '1m', GITHUB_ACTIONS: 'true' });
    await says('ready');
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(stdout).toBe('ready\n::error title=busy::put back [STOPPED]\n');
  });

  it('does not mind a reader that goes away', async () => {
    const { child, ended } = start(['cli', '--json']);
    child.stdout.destroy();
    expect((await ended).code).toBe(3);
  });
});
