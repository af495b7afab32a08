import { describe, expect, it } from '@jest/globals';
import { type Contract, defineContract } from '@slipway/core';
import { type CommandLine, runCommandLine } from '../src/command-line.js';

const contracts = [
  contract('canary-analyze', 'cluster', { aliases: ['analyze'] }),
  contract('canary-deploy', 'cluster', { positionals: ['command'], shortcuts: { status: ['status'] } }),
  contract('validate-version', 'gates', {}),
];

function contract(name: string, family: Contract['family'], cli: NonNullable<Contract['cli']>): Contract {
  return defineContract({ name, family, description: `Does ${name}.`, inputs: {}, outputs: {}, reasons: {}, permissions: [], cli });
}

/** Runs the line; says what was printed, which families were loaded and which command got which arguments. */
async function run(...argv: string[]) {
  const seen = { out: '', err: '', loaded: [] as string[], ran: [] as (readonly string[])[] };
  const options: CommandLine = {
    version: '1.2.3',
    out: (text) => {
      seen.out += text;
    },
    err: (text) => {
      seen.err += text;
    },
    contracts,
    load: async (family) => {
      seen.loaded.push(family);
      const never = () => Promise.reject(new Error('not by the command line'));
      return { main: never, post: never, cli: async (name, rest) => void seen.ran.push([name, ...rest]) };
    },
  };
  return { code: await runCommandLine(argv, options), ...seen };
}

describe('the command line', () => {
  it('loads only the family of the command and hands it the rest of the line', async () => {
    const { code, loaded, ran } = await run('canary-deploy', 'start', '--image', 'shop:v2');
    expect({ code, loaded, ran }).toEqual({
      code: undefined,
      loaded: ['cluster'],
      ran: [['canary-deploy', 'start', '--image', 'shop:v2']],
    });
  });

  it('knows aliases', async () => {
    expect((await run('analyze', '--replay', 'a.jsonl')).ran).toEqual([['canary-analyze', '--replay', 'a.jsonl']]);
  });

  it('knows shortcuts: a command with its first arguments', async () => {
    expect((await run('status', '--watch')).ran).toEqual([['canary-deploy', 'status', '--watch']]);
    expect((await run('statsu')).err).toContain('did you mean "status"?');
  });

  it.each([['--help'], ['-h'], ['help']])('lists every command with %s, loading nothing', async (flag) => {
    const { code, out, err, loaded } = await run(flag);
    expect({ code, err, loaded }).toEqual({ code: 0, err: '', loaded: [] });
    for (const { name, description } of contracts) expect(out).toMatch(new RegExp(`${name}.*${description}`));
    expect(out).toContain('Also: analyze.');
  });

  it('lists the commands on stderr and fails when none is given, so that an empty variable is not a success', async () => {
    const { code, out, err } = await run();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('canary-deploy [COMMAND]');
  });

  it('passes `help COMMAND` on to the command', async () => {
    expect((await run('help', 'validate-version')).ran).toEqual([['validate-version', '--help']]);
  });

  it('prints the version', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, out: '1.2.3\n' });
  });

  it('proposes the command that was probably meant', async () => {
    const { code, err, ran } = await run('canary-deply', 'start');
    expect({ code, ran }).toEqual({ code: 2, ran: [] });
    expect(err).toContain('there is no command "canary-deply"; did you mean "canary-deploy"?');
  });

  it('does not guess when nothing is near, and cannot be made to write control characters', async () => {
    const { err } = await run('\u001b[31mdrop\u0007');
    expect(err.split('\n')[0]).toBe('slipway: there is no command "\\u001b[31mdrop\\u0007"');
  });

  it('says where options belong', async () => {
    const { code, err, ran } = await run('--json', 'validate-version');
    expect({ code, ran }).toEqual({ code: 2, ran: [] });
    expect(err).toContain('"--json" stands before the command');
  });
});
