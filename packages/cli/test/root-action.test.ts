import { describe, expect, it } from '@jest/globals';
import { type Contract, defineContract } from '@slipway/core';
import type { Family } from '../src/family.js';
import { parseRequest, rootMain, rootPost } from '../src/root-action.js';

const text = { kind: 'string', description: 'A text.', example: 'x' } as const;
const contracts: Contract[] = [
  defineContract({
    name: 'canary-deploy',
    family: 'cluster',
    description: 'Deploys.',
    inputs: { command: { kind: 'choice', values: ['start', 'abort'], description: 'What.', example: 'start' }, image: text },
    outputs: {},
    reasons: {},
    permissions: [],
    post: true,
    cli: { positionals: ['command'] },
  }),
  defineContract({
    name: 'canary-analyze',
    family: 'cluster',
    description: 'Analyzes.',
    inputs: { replay: { kind: 'list', description: 'Files.', example: 'a.jsonl' } },
    outputs: {},
    reasons: {},
    permissions: [],
    cli: { aliases: ['analyze'], positionals: ['replay'] },
  }),
];

describe('the `command` input', () => {
  it('is a command and what it takes by position', () => {
    expect(parseRequest('  canary-deploy   start ', contracts)).toEqual({ command: contracts[0], values: { command: 'start' } });
    expect(parseRequest('canary-deploy', contracts)).toEqual({ command: contracts[0], values: {} });
  });

  it('gives a list by position all that follows', () => {
    expect(parseRequest('analyze a.jsonl b.jsonl', contracts)).toEqual({ command: contracts[1], values: { replay: 'a.jsonl\nb.jsonl' } });
  });

  it.each([
    ['canary-deploy start now', '"now" is too much', 'canary-deploy [COMMAND]'],
    ['canary-deplyo', '"canary-deplyo" is not a command; did you mean "canary-deploy"?', 'canary-deploy, canary-analyze, analyze'],
    ['$(id)', '"$(id)" is not a command', 'canary-deploy, canary-analyze, analyze'],
  ])('%s: %s', (given, problem, allowed) => {
    expect(parseRequest(given, contracts)).toEqual({ problem, allowed });
  });
});

describe('the action at the root', () => {
  /** Runs a part of the root action; says which family and action it reached, and the inputs that were then set. */
  async function reached(part: typeof rootMain, env: Record<string, string>) {
    const seen: string[] = [];
    const load = async (family: string): Promise<Family> => {
      const record = (what: string) => async (name: string) => void seen.push(`${family}: ${what} ${name}`);
      return { main: record('main'), post: record('post'), cli: record('cli') };
    };
    await part({ env, contracts, load });
    return { seen, env };
  }

  it('runs the command with its inputs', async () => {
    const { seen, env } = await reached(rootMain, { INPUT_COMMAND: 'canary-deploy start', INPUT_IMAGE: 'shop:v2' });
    expect(seen).toEqual(['cluster: main canary-deploy']);
    expect(env).toEqual({ INPUT_COMMAND: 'start', INPUT_IMAGE: 'shop:v2' });
  });

  it('leaves an input `command` of the command unset when nothing was given for it', async () => {
    expect((await reached(rootMain, { INPUT_COMMAND: 'canary-deploy' })).env).toEqual({});
  });

  it('runs the post part of a command that has one, and only then', async () => {
    expect((await reached(rootPost, { INPUT_COMMAND: 'canary-deploy start' })).seen).toEqual(['cluster: post canary-deploy']);
    expect((await reached(rootPost, { INPUT_COMMAND: 'canary-analyze a.jsonl' })).seen).toEqual([]);
    expect((await reached(rootPost, {})).seen).toEqual([]);
  });
});
