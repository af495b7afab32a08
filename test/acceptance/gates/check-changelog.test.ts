import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { runAction } from '../run-action.js';
import { Workspace } from './workspace.js';

const workspaces: Workspace[] = [];
afterEach(() => {
  for (const workspace of workspaces.splice(0)) workspace.remove();
});

function workspace(changelog?: string | Uint8Array, name = 'CHANGELOG.md'): Workspace {
  const made = new Workspace();
  workspaces.push(made);
  return changelog === undefined ? made : made.write(name, changelog);
}

const check = (cwd: string, inputs: Record<string, string> = {}) =>
  runAction({ entry: 'check-changelog', cwd, inputs: { version: 'v1.4.0', ...inputs } });

const rest = '## [1.3.0] - 2026-01-01\n\n- old\n';
const good = `# Changelog\n\n## [1.4.0] - 2026-02-01\n\n### Added\n\n- **new** [x]\n\n${rest}\n[x]: https://example.com/x\n`;

describe('check-changelog', () => {
  it('hands out the notes', async () => {
    const { path } = workspace(good);
    const { code, outputs, result } = await check(path, { 'notes-file': 'notes.md' });
    expect(code).toBe(0);
    const notes = '### Added\n\n- **new** [x]\n\n[x]: https://example.com/x';
    expect(outputs).toMatchObject({
      notes,
      date: '2026-02-01',
      line: '3',
      yanked: 'false',
      reason: 'FOUND',
      'notes-file': join(path, 'notes.md'),
    });
    expect(readFileSync(join(path, 'notes.md'), 'utf8')).toBe(`${notes}\n`);
    expect(result.details).toMatchObject({ file: 'CHANGELOG.md', version: '1.4.0', line: 3 });
  });

  it('writes the notes to the temporary directory of the runner by default', async () => {
    const { path } = workspace(good);
    const temporary = workspace().path;
    const { outputs } = await runAction({
      entry: 'check-changelog',
      cwd: path,
      inputs: { version: '1.4.0' },
      env: { RUNNER_TEMP: temporary },
    });
    expect(outputs['notes-file']?.startsWith(temporary)).toBe(true);
    expect(existsSync(outputs['notes-file'] as string)).toBe(true);
  });

  it.each([
    ['VERSION_MISSING', rest, 1],
    ['IN_CODE', `\`\`\`\n## [1.4.0]\n\`\`\`\n\n${rest}`, 2],
    ['IN_COMMENT', `<!--\n## [1.4.0]\n-->\n\n${rest}`, 2],
    ['IN_DETAILS', `<details>\n\n## [1.4.0]\n\n- a\n\n</details>\n\n${rest}`, 3],
    ['UNCLOSED_FENCE', `Text\n\n\`\`\`\n\n## [1.4.0]\n\n- a\n\n${rest}`, 3],
    ['DUPLICATE_VERSION', `## [1.4.0]\n- a\n\n1.4.0\n-----\n- b\n\n${rest}`, 4],
    ['EMPTY_SECTION', `## [1.4.0] - 2026-02-01\n\n${rest}`, 1],
    ['DATE_INVALID', `## [1.4.0] - 2026-02-31\n- a\n\n${rest}`, 1],
    ['DATE_IN_FUTURE', `## [1.4.0] - 9999-01-01\n- a\n\n${rest}`, 1],
    ['VERSION_YANKED', `## [1.4.0] - 2026-02-01 [YANKED]\n- a\n\n${rest}`, 1],
  ])('%s is told apart, annotated in its line, also with CRLF and CR', async (reason, text, line) => {
    for (const variant of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r')]) {
      const { code, outputs, result, stdout } = await check(workspace(variant).path);
      expect(code).toBe(1);
      expect(result).toMatchObject({ outcome: 'fail', reason, details: { line } });
      expect(stdout).toContain(`::error file=CHANGELOG.md,line=${line}::`);
      expect(outputs).not.toHaveProperty('notes');
    }
  });

  it('prints the block to paste in log and summary', async () => {
    const { stdout, summary, result } = await check(workspace(rest).path);
    expect(result.details.fix.block).toMatch(/^## \[1\.4\.0\] - \d{4}-\d\d-\d\d\n\n### Added\n\n- …/);
    expect(summary).toContain(result.details.fix.block.trim());
    expect(stdout).toContain('## [1.4.0] - ');
  });

  it('keeps commands in a changelog from the runner', async () => {
    const hostile = '::error::pwned\n\n- ##[add-mask]e\n- `$(id)` ${{ github.token }}\n\nghadelimiter_x\nnotes<<EOF\nEOF';
    const { code, outputs, stdout } = await check(workspace(`## [1.4.0] - 2026-02-01\n\n${hostile}\n\n${rest}`).path);
    expect(code).toBe(0);
    expect(outputs.notes).toBe(hostile);
    expect(Object.keys(outputs).sort()).toEqual(['date', 'line', 'notes', 'notes-file', 'outcome', 'reason', 'result', 'yanked']);
    expect(stdout).not.toMatch(/^::error|##\[/m);
  });

  it('tells a missing, unreadable, binary and huge file apart', async () => {
    expect(await check(workspace(rest, 'HISTORY.md').path)).toMatchObject({
      code: 1,
      result: { reason: 'FILE_MISSING', next: [expect.stringContaining('HISTORY.md')] },
    });
    expect(await check(workspace().path, { file: '.' })).toMatchObject({ code: 1, result: { reason: 'FILE_UNREADABLE' } });
    expect(await check(workspace(Buffer.from('\uFEFF## 1.4.0', 'utf16le')).path)).toMatchObject({
      code: 1,
      result: { reason: 'NOT_TEXT' },
    });
    expect(await check(workspace('a'.repeat(2_000_001)).path)).toMatchObject({ code: 1, result: { reason: 'TOO_LARGE' } });
  });

  it('answers wrong inputs with the input at fault', async () => {
    expect(await check(workspace(good).path, { version: 'v1.4' })).toMatchObject({
      code: 2,
      result: { reason: 'USAGE', summary: expect.stringContaining('character 5') },
    });
    expect(await check(workspace(good).path, { 'notes-file': 'no/such/dir.md' })).toMatchObject({
      code: 2,
      result: { reason: 'USAGE', summary: expect.stringContaining('notes-file') },
    });
  });
});
