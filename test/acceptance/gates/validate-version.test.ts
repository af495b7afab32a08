import { afterEach, describe, expect, it } from '@jest/globals';
import { runAction } from '../run-action.js';
import { Workspace } from './workspace.js';

const workspaces: Workspace[] = [];
afterEach(() => {
  for (const workspace of workspaces.splice(0)) workspace.remove();
});

function workspace(): Workspace {
  const made = new Workspace();
  workspaces.push(made);
  return made;
}

const validate = (inputs: Record<string, string>, cwd?: string) =>
  runAction({ entry: 'validate-version', inputs, ...(cwd === undefined ? {} : { cwd }), env: { GIT_CONFIG_GLOBAL: '/dev/null' } });

/** A runner command, as the runner would find it: at the start of a line, or the old form anywhere. */
const commands = (log: string) => log.split(/[\n\r]/).filter((line) => /^\s*::\w/.test(line) || /##\[/.test(line));

describe('validate-version', () => {
  it('passes the tag that is pushed, and gives all outputs', async () => {
    const { path } = workspace().tagged('v1.3.9', 'v1.3.10', 'v1.4.0-rc.1');
    const { code, outputs, result, summary } = await validate({ version: 'v1.4.0-rc.1' }, path);
    expect(code).toBe(0);
    expect(outputs).toMatchObject({
      version: '1.4.0-rc.1',
      major: '1',
      minor: '4',
      patch: '0',
      stage: 'rc',
      'stage-number': '1',
      build: '',
      'is-prerelease': 'true',
      tag: 'v1.4.0-rc.1',
      bump: 'minor',
      previous: '1.3.10',
      'docker-tag': '1.4.0-rc.1',
      outcome: 'pass',
      reason: 'LEGAL',
    });
    expect(JSON.parse(outputs['next-legal'] as string).slice(0, 3)).toEqual(['1.3.11', '1.4.0', '2.0.0']);
    expect(result).toMatchObject({
      schema: 1,
      action: 'validate-version',
      details: { major: 1, minor: 4, patch: 0, stage: 'rc', stageNumber: 1, build: null },
    });
    expect(summary).toContain('1.3.10');
  });

  it('allows a fix of the old line', async () => {
    const { path } = workspace().tagged('v1.3.4', 'v1.4.0').commit();
    expect(await validate({ version: '1.3.5' }, path)).toMatchObject({ code: 0, outputs: { previous: '1.3.4', bump: 'patch' } });
  });

  it.each([
    ['v1.2', 'MISSING_PART', 5],
    ['v01.2.3', 'LEADING_ZERO', 2],
    ['1.2.3-rc', 'STAGE_NUMBER_MISSING', 9],
    ['v1.2.3-rc.1 ', 'ILLEGAL_CHARACTER', 12],
    ['v1.0.0$(id)', 'ILLEGAL_CHARACTER', 7],
    ['v1.0.0\n::error::pwned\n##[add-mask]e', 'ILLEGAL_CHARACTER', 7],
    ['v1.0.0\u3000::set-output name=x::y', 'ILLEGAL_CHARACTER', 7],
    ['9'.repeat(300), 'TOO_LONG', 129],
  ])('refuses %j: %s at character %d', async (version, reason, position) => {
    const { code, outputs, result, stdout, summary } = await validate({ version, previous: '1.3.0' });
    expect(code).toBe(1);
    expect(result).toMatchObject({ outcome: 'fail', reason, details: { problem: { position }, version: null } });
    expect(outputs).not.toHaveProperty('version');
    expect(result.next.join()).toContain('v1.3.1');
    expect(commands(stdout).filter((line) => !/^::error title=validate-version::/.test(line))).toEqual([]);
    expect(summary).toContain(reason.replaceAll('_', '\\_'));
  });

  it.each([
    ['1.3.0', '1.3.2', 'SKIPPED_NUMBER'],
    ['1.3.0', '1.4.1', 'LOWER_PART_NOT_RESET'],
    ['1.4.0-rc.2', '1.4.0-beta.3', 'STAGE_WENT_BACK'],
    ['1.4.0', '1.4.0+abc1234', 'SAME_PRECEDENCE'],
    ['1.4.0', '1.3.9', 'NOT_GREATER'],
    ['1.4.0', '1.4.0', 'ALREADY_RELEASED'],
  ])('after %s refuses %s: %s', async (previous, version, reason) => {
    const { code, result, outputs } = await validate({ version, previous });
    expect(code).toBe(1);
    expect(result.reason).toBe(reason);
    expect(outputs['next-legal']).toContain('"1.4');
  });

  it('never takes a shallow clone or a missing repository for a first release', async () => {
    const origin = workspace().tagged('v1.3.0').commit();
    const clone = workspace();
    clone.git('clone', '-q', '--depth=1', '--no-tags', `file://${origin.path}`, '.');
    expect(await validate({ version: 'v1.4.0' }, clone.path)).toMatchObject({ code: 2, result: { reason: 'SHALLOW_CLONE' } });
    expect(await validate({ version: 'v1.4.0' }, workspace().path)).toMatchObject({ code: 2, result: { reason: 'NOT_A_REPOSITORY' } });
    expect(await validate({ version: 'v1.4.0', previous: 'none' })).toMatchObject({ code: 0, result: { reason: 'FIRST_RELEASE' } });
  });

  it('reports wrong inputs together', async () => {
    const { code, result, stdout } = await validate({ version: '1.0.0', previous: '1.x', 'tag-prefix': 'v1' });
    expect(code).toBe(2);
    expect(result.reason).toBe('USAGE');
    expect(stdout).toContain('tag-prefix');
    expect(stdout).toContain('previous');
  });
});
