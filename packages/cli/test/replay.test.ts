import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { action } from '../../../actions/canary-analyze/main.js';
import { runCli } from '../../core/src/index.js';
import { MemoryHost } from '../../core/test/memory-host.js';

it('prints a line for each replayed trace to people too', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'replay-'));
  const file = join(directory, 't.jsonl');
  const header = (trace: string) => ({ trace, window: 10, steps: [{ at: 0, weight: 10 }], bounds: [], end: 10 });
  const window = (e: number) => ({ t: 10, stable: { n: 1000, e: 0, b: [] }, canary: { n: 100, e, b: [] } });
  const lines = [header('calm'), window(0), header('broken'), window(60)];
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const host = new MemoryHost();
  await runCli(action, ['--replay', file], host);
  rmSync(directory, { recursive: true });
  expect(host.exitCode).toBe(0);
  expect(host.out).toMatch(/\| calm \| \w+ \| never \|/);
  expect(host.out).toContain('| broken | fail | 10 s | errors |');
});
