import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Contract, commonOutputs, commonReasons } from '@slipway/core';
import { parse } from 'yaml';
import { readContracts } from '../../scripts/contracts.js';
import { generatedFiles } from '../../scripts/docs/pages.js';
import { root } from '../../scripts/node24.mjs';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const folders = readdirSync(join(root, 'actions'), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));

let contracts: readonly Contract[];
beforeAll(async () => {
  contracts = await readContracts();
});
const contractOf = (name: string) => contracts.find((contract) => contract.name === name) as Contract;

describe('generated files', () => {
  it('are what the contracts say: `npm run docs` would change nothing', async () => {
    const stale = [...(await generatedFiles())].filter(([path, text]) => !existsSync(join(root, path)) || read(path) !== text);
    expect(stale.map(([path]) => path)).toEqual([]);
  });

  it('are there for every folder in actions/', () => {
    expect(contracts.map(({ name }) => name)).toEqual([...folders].sort());
  });
});

describe('names', () => {
  it('are unique, aliases included', () => {
    const names = contracts.flatMap(({ name, cli }) => [name, ...(cli?.aliases ?? [])]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('collide with no word of the command line and no folder of dist', () => {
    const taken = ['help', 'slipway', 'cli', 'gates', 'cluster'];
    expect(contracts.flatMap(({ name, cli }) => [name, ...(cli?.aliases ?? [])]).filter((name) => taken.includes(name))).toEqual([]);
  });
});

describe.each(folders)('%s', (name) => {
  it('has an introduction, written by hand', () => {
    expect(read(`actions/${name}/intro.md`).trim().length).toBeGreaterThan(200);
  });

  it('has a manifest with the inputs, defaults and outputs of its contract', () => {
    const { inputs, outputs, runs } = parse(read(`actions/${name}/action.yml`));
    const contract = contractOf(name);
    expect(Object.keys(inputs)).toEqual(Object.keys(contract.inputs));
    expect(Object.keys(outputs)).toEqual([...Object.keys(contract.outputs), ...Object.keys(commonOutputs)]);
    expect(runs.using).toBe('node24');
    expect(read(`actions/${name}/action.yml`)).not.toContain('${{');
    for (const [input, spec] of Object.entries(contract.inputs)) {
      expect({ input, ...inputs[input] }).toMatchObject({ input, required: spec.required ?? false });
      expect(inputs[input].default).toBe(spec.default);
    }
  });

  it('points to files that are in dist', () => {
    const { runs } = parse(read(`actions/${name}/action.yml`));
    expect(Object.hasOwn(runs, 'post')).toBe(contractOf(name).post === true);
    for (const file of [runs.main, runs.post].filter(Boolean)) expect(existsSync(join(root, 'actions', name, file))).toBe(true);
  });

  it('documents every input, output and reason in its README', () => {
    const readme = read(`actions/${name}/README.md`);
    const { inputs, outputs, reasons } = contractOf(name);
    for (const word of [inputs, outputs, reasons, commonOutputs, commonReasons].flatMap((part) => Object.keys(part))) {
      expect(readme).toContain(`\n| \`${word}\` |`);
    }
  });

  it('has no output named like a common one, and only outputs and reasons in the usual form', () => {
    const { inputs, outputs, reasons } = contractOf(name);
    expect(Object.keys(outputs).filter((output) => output in commonOutputs)).toEqual([]);
    for (const word of [...Object.keys(inputs), ...Object.keys(outputs)]) expect(word).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    for (const reason of Object.keys(reasons)) expect(reason).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
  });

  it('takes an input `command` by position, so that the root action and the shell agree', () => {
    const { inputs, cli } = contractOf(name);
    if ('command' in inputs) expect(cli?.positionals?.[0]).toBe('command');
    for (const positional of cli?.positionals ?? []) expect(Object.keys(inputs)).toContain(positional);
  });

  it('gives defaults and examples that it would accept itself', async () => {
    const { parseInputs } = await import('@slipway/core');
    const { inputs } = contractOf(name);
    const examples = Object.fromEntries(Object.entries(inputs).map(([input, spec]) => [input, spec.example]));
    expect(() => parseInputs(contractOf(name), examples)).not.toThrow();
    const defaults = Object.fromEntries(Object.entries(inputs).map(([input, spec]) => [input, spec.default ?? spec.example]));
    expect(() => parseInputs(contractOf(name), defaults)).not.toThrow();
  });
});

describe('the action at the root', () => {
  it('has every input and output of every command, and requires the command alone', () => {
    const { inputs, outputs } = parse(read('action.yml'));
    const all = contracts.flatMap((contract) => Object.keys(contract.inputs));
    expect(new Set(Object.keys(inputs))).toEqual(new Set(['command', ...all]));
    expect(new Set(Object.keys(outputs))).toEqual(
      new Set([...contracts.flatMap(({ outputs }) => Object.keys(outputs)), ...Object.keys(commonOutputs)]),
    );
    expect(Object.entries(inputs).flatMap(([name, spec]) => ((spec as { required: boolean }).required ? name : []))).toEqual(['command']);
  });

  it('points to files that are in dist, as the package does', () => {
    const { runs } = parse(read('action.yml'));
    const { bin } = JSON.parse(read('package.json'));
    for (const file of [runs.main, runs.post, bin.slipway].filter(Boolean)) expect(existsSync(join(root, file))).toBe(true);
  });
});
