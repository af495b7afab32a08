import { describe, expect, it } from '@jest/globals';
import { defineContract, inputsFromEnvironment, inputVariable, parseInputs, secretValues, UsageError } from '../src/index.js';

const contract = defineContract({
  name: 'canary-deploy',
  family: 'cluster',
  description: 'Test.',
  inputs: {
    command: { kind: 'choice', values: ['start', 'step', 'promote'], required: true, description: 'What to do.', example: 'start' },
    version: { kind: 'string', description: 'Version.', example: 'v1.2.3' },
    'tag prefix': { kind: 'string', default: 'v', description: 'Prefix.', example: 'v' },
    weight: { kind: 'integer', min: 1, max: 99, description: 'Percent.', example: '10' },
    limit: { kind: 'percent', max: 0.5, description: 'Limit.', example: '1%' },
    wait: { kind: 'duration', default: '5m', min: 1000, description: 'Wait.', example: '90s' },
    dry: { kind: 'boolean', default: 'false', description: 'Dry run.', example: 'true' },
    replay: { kind: 'list', description: 'Files.', example: 'a.jsonl' },
    extra: { kind: 'json', description: 'More.', example: '{}' },
    token: { kind: 'integer', secret: true, description: 'Token.', example: '1' },
  },
  outputs: {},
  reasons: {},
  permissions: [],
});

function problemsOf(raw: Record<string, string>) {
  try {
    parseInputs(contract, { command: 'start', ...raw });
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseInputs', () => {
  it('parses every kind', () => {
    const raw = {
      command: ' start ',
      weight: '10',
      limit: '0.5%',
      wait: '1h30m',
      dry: 'TRUE',
      replay: 'a, b\nc\n',
      extra: '{"a":[1]}',
      token: '7',
    };
    expect(parseInputs(contract, raw)).toEqual({
      command: 'start',
      'tag prefix': 'v',
      version: undefined,
      weight: 10,
      limit: 0.005,
      wait: 5_400_000,
      dry: true,
      replay: ['a', 'b', 'c'],
      extra: { a: [1] },
      token: 7,
    });
  });

  it('takes empty and blank for not given', () => {
    expect(parseInputs(contract, { command: 'start', weight: '', wait: ' \n', version: '  ' })).toMatchObject({
      weight: undefined,
      wait: 300_000,
      version: undefined,
    });
  });

  it('keeps the white space of a string but for the line break of a block text', () => {
    expect(parseInputs(contract, { command: 'start', version: 'v1.2.3-rc.1 ' }).version).toBe('v1.2.3-rc.1 ');
    expect(parseInputs(contract, { command: 'start', version: 'v1.2.3\n' }).version).toBe('v1.2.3');
  });

  it('reports all problems at once, with value, what is allowed and an example', () => {
    expect(problemsOf({ command: 'sart', weight: '100', limit: '5', wait: '90', dry: 'yes', extra: '{' })).toEqual([
      { where: 'command', message: '"sart" is not known; did you mean "start"?', allowed: 'start, step, promote', example: 'start' },
      { where: 'weight', message: '100 is too large', allowed: 'a whole number from 1 to 99', example: '10' },
      {
        where: 'limit',
        message: '"5" is not a percentage',
        allowed: 'a percentage such as 0.5%, or a fraction below 1 such as 0.005, at most 50%',
        example: '1%',
      },
      {
        where: 'wait',
        message: '"90" is not a duration',
        allowed: 'a number with its unit: 500ms, 90s, 5m, 1h30m or 2d, at least 1s',
        example: '90s',
      },
      { where: 'dry', message: '"yes" is neither true nor false', allowed: 'true or false', example: 'true' },
      { where: 'extra', message: expect.stringMatching(/^"\{" is not JSON: /), allowed: 'JSON', example: '{}' },
    ]);
  });

  it('names a required input that is missing', () => {
    expect(problemsOf({ command: '' })).toEqual([
      { where: 'command', message: 'is required: What to do.', allowed: 'start, step, promote', example: 'start' },
    ]);
  });

  it.each(['1.5', '1e3', '0x10', 'NaN', '9007199254740993', '١'])('%j is no whole number', (weight) => {
    expect(problemsOf({ weight })).toHaveLength(1);
  });

  it('never shows a secret', () => {
    expect(JSON.stringify(problemsOf({ token: 'ghp_abcdef' }))).not.toContain('ghp_abcdef');
    expect(secretValues(contract, { token: 'ghp_abcdef', version: 'v1' })).toEqual(['ghp_abcdef']);
  });

  it('cuts a long value', () => {
    expect(problemsOf({ weight: 'x'.repeat(5000) })[0]?.message.length).toBeLessThan(120);
  });
});

describe('inputsFromEnvironment', () => {
  it('reads the variables as the runner names them', () => {
    expect(inputVariable('tag prefix')).toBe('INPUT_TAG_PREFIX');
    expect(inputVariable('on-cancel')).toBe('INPUT_ON-CANCEL');
    expect(inputsFromEnvironment(contract, { INPUT_TAG_PREFIX: 'r', INPUT_COMMAND: 'step', INPUT_OTHER: 'x' })).toMatchObject({
      'tag prefix': 'r',
      command: 'step',
    });
  });
});
