import { describe, expect, it } from '@jest/globals';
import { parseArguments } from '../src/cli/arguments.js';
import { type Action, commandHelp, defineContract, OperationError, runCli, UsageError } from '../src/index.js';
import { MemoryHost } from './memory-host.js';

const contract = defineContract({
  name: 'canary-deploy',
  family: 'cluster',
  description: 'Moves traffic.',
  inputs: {
    command: { kind: 'choice', values: ['start', 'step', 'status'], required: true, description: 'What to do.', example: 'start' },
    image: { kind: 'string', description: 'Image.', example: 'shop:v2' },
    wait: { kind: 'boolean', default: 'true', description: 'Wait for it.', example: 'false' },
    replay: { kind: 'list', description: 'Files.', example: 'a.jsonl\nb.jsonl' },
  },
  outputs: {},
  reasons: { DONE: 'It is done.' },
  permissions: [],
  cli: { aliases: ['canary'], positionals: ['command', 'replay'] },
});

const echo: Action<typeof contract> = {
  contract,
  main: async (inputs) => ({
    outcome: 'pass',
    reason: 'DONE',
    summary: `did ${inputs.command}`,
    next: ['look'],
    details: { inputs },
    report: '| **n** |',
  }),
};

async function cli(argv: string[], action: Action<typeof contract> = echo) {
  const host = new MemoryHost();
  await runCli(action, argv, host);
  return host;
}

const raw = (...argv: string[]) => parseArguments(contract, argv).raw;

describe('parseArguments', () => {
  it.each([
    [['start'], { command: 'start' }],
    [['start', '--image', 'x'], { command: 'start', image: 'x' }],
    [['--image=x', 'start'], { command: 'start', image: 'x' }],
    [['--image=--x', 'start'], { command: 'start', image: '--x' }],
    [['--image='], { image: '' }],
    [['--wait'], { wait: 'true' }],
    [['--wait=false'], { wait: 'false' }],
    [['--no-wait'], { wait: 'false' }],
    [['--replay', 'a', '--replay', 'b'], { replay: 'a\nb' }],
    [['start', 'a', 'b'], { command: 'start', replay: 'a\nb' }],
    [['--', 'start'], { command: 'start' }],
  ])('%j', (argv, values) => {
    expect(raw(...argv)).toEqual(values);
  });

  it('names a word that begins with a dash once', () => {
    expect(() => raw('start', '-v1.4.0')).toThrow(/^-v1\.4\.0: is no option; a value that begins with "-" follows "--"$/);
    expect(raw('--', '-v1.4.0')).toEqual({ command: '-v1.4.0' });
  });

  it('reports all problems at once', () => {
    const parse = () => raw('start', '--imgae', '--image', '--wat', '--frobnicate', '--image=a', '--image=b');
    expect(parse).toThrow(UsageError);
    try {
      parse();
    } catch (error) {
      expect((error as UsageError).problems.map(({ where, message }) => `${where} ${message}`)).toEqual([
        '--imgae is not an option of canary-deploy; did you mean "--image"?',
        '--image needs a value; a value that begins with "-" is written --image=--wat',
        '--frobnicate is not an option of canary-deploy; slipway canary-deploy --help lists the options',
        '--image is given more than once',
      ]);
    }
  });
});

describe('runCli', () => {
  it('reports the misspelt option alone, not what was meant as its value', () => {
    expect(() => raw('start', '--imgae', 'x', '--json')).toThrow(/^--imgae: is not an option of canary-deploy; did you mean "--image"\?$/);
    expect(() => raw('start', '--imgae=x', 'a')).toThrow(/^--imgae: is not/);
  });

  it('names an input as it is given in a shell', async () => {
    const main = () => Promise.reject(new UsageError([{ where: 'image', message: 'is required', example: 'shop:v2' }]));
    const host = await cli(['start', '--json'], { contract, main });
    expect(host.err).toBe('error: --image: is required (example: shop:v2) [USAGE]\nNext: Correct --image, e.g. shop:v2\n');
    expect(JSON.parse(host.out).details.problems[0].where).toBe('--image');
    expect((await cli(['strat'])).err).toContain('error: command: "strat"');
  });

  it('says option where an action says input', async () => {
    const next = ['Set the input `image` or the input `else`.'];
    const main = async () => ({ outcome: 'fail' as const, reason: 'DONE' as const, summary: 'no', next });
    expect((await cli(['start'], { contract, main })).out).toContain('Set the option `--image` or the input `else`.');
  });

  it('tells what Node said of a file once', async () => {
    const refuse = (cause: Error) => () => Promise.reject(new UsageError([{ where: 'replay', message: 'cannot be read' }], { cause }));
    const node = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' });
    expect((await cli(['start'], { contract, main: refuse(node) })).err).not.toContain('Caused by');
    expect((await cli(['start'], { contract, main: refuse(new Error('deeper')) })).err).toContain('Caused by: deeper');
  });

  it('prints for people', async () => {
    const host = await cli(['start']);
    expect(host.out).toBe('canary-deploy: pass (DONE)\ndid start\n\nNext:\n  - look\n\n| n |\n');
    expect([host.exitCode, host.err]).toEqual([0, '']);
  });

  it('prints the result as one line of JSON', async () => {
    const host = await cli(['start', '--json', '--image', 'x\n::error::##[y]']);
    expect(host.out.trimEnd().split('\n')).toHaveLength(1);
    expect(host.out).not.toContain('##[');
    expect(JSON.parse(host.out)).toMatchObject({
      schema: 1,
      outcome: 'pass',
      details: { inputs: { command: 'start', image: 'x\n::error::##[y]', wait: true } },
    });
  });

  it("prints the command's own lines in place of the result", async () => {
    const main = async () => ({ outcome: 'pass' as const, reason: 'DONE' as const, summary: '', stdout: '{"a":"##[x]"}\n::error::b\n' });
    const host = await cli(['start', '--json'], { contract, main });
    expect(host.out).toBe('{"a":"\\u0023\\u0023[x]"}\n\\::error::b\n');
  });

  it('ends with 2 on wrong use, as JSON too', async () => {
    const host = await cli(['strat', '--json']);
    expect(host.exitCode).toBe(2);
    expect(JSON.parse(host.out)).toMatchObject({ outcome: 'error', reason: 'USAGE', action: 'canary-deploy' });
    expect(host.err).toContain('did you mean "start"?');
    const unknown = await cli(['start', '--imgae', '--frobnicate', '--json']);
    expect(JSON.parse(unknown.out).details.problems).toHaveLength(2);
    expect(unknown.exitCode).toBe(2);
  });

  it('ends with 1 when the world refuses', async () => {
    const main = () => Promise.reject(new OperationError('no ::x::\n::error::y', { reason: 'FORBIDDEN', next: ['grant'] }));
    const host = await cli(['start'], { contract, main });
    expect(host.exitCode).toBe(1);
    expect(host.err).toBe('error: no ::x::\n\\::error::y [FORBIDDEN]\nNext: grant\n');
    expect(host.out).toBe('');
  });

  it('runs post with a signal of its own after a cancellation', async () => {
    const host = new MemoryHost();
    const seen: string[] = [];
    await runCli(
      {
        contract,
        main: async (_, { signal, state }) => {
          state.set('id', 'r1');
          host.signals.emit('SIGINT', 'SIGINT');
          throw signal.reason;
        },
        post: async (_, { signal, state }) => {
          seen.push(`${state.get('id')} ${signal.aborted}`);
          return { outcome: 'pass', reason: 'DONE', summary: 'stable again' };
        },
      },
      ['start'],
      host,
    );
    expect(seen).toEqual(['r1 false']);
    expect(host.exitCode).toBe(2);
    expect(host.err).toContain('stable again');
  });

  it('ends at once on a second SIGINT', async () => {
    const host = new MemoryHost();
    const main = async () => {
      host.signals.emit('SIGINT', 'SIGINT');
      host.signals.emit('SIGINT', 'SIGINT');
      return { outcome: 'pass' as const, reason: 'DONE' as const, summary: '' };
    };
    await runCli({ contract, main }, ['start'], host);
    expect(host.exitCode).toBe(130);
  });

  it('prints help made from the contract', async () => {
    const host = await cli(['--help', '--nonsense']);
    expect(host.exitCode).toBe(0);
    expect(host.out).toBe(commandHelp(contract));
    expect(host.out).toContain('Usage: slipway canary-deploy COMMAND [REPLAY …] [OPTIONS]   (also: canary)');
    for (const text of ['--command start|step|status', '--[no-]wait', 'Default: true.', 'May be repeated.', 'DONE', 'USAGE'])
      expect(host.out).toContain(text);
    expect(Math.max(...host.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });
});
