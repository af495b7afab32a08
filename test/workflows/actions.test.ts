import { describe, expect, it } from '@jest/globals';
import { runScratch, workflow } from './run-scratch.js';

/** A JavaScript action that tells what it was given, keeps a state and cleans up. */
const teller = {
  'actions/tell/action.yml': `
name: tell
description: Tells
inputs:
  who: { description: who, required: true }
  greeting: { description: greeting, default: "hello \${{ github.actor }}" }
  nothing: { description: no default }
outputs:
  said: { description: what was said }
runs: { using: node24, main: main.mjs, post: post.mjs }
`,
  'actions/tell/main.mjs': `
import { appendFileSync } from 'node:fs';
const { INPUT_WHO: who, INPUT_GREETING: greeting, INPUT_NOTHING: nothing, GITHUB_OUTPUT: output, GITHUB_STATE: state } = process.env;
appendFileSync(output, \`said=\${greeting} \${who}\\n\`);
appendFileSync(state, \`who=\${who}\\n\`);
console.log(\`main \${who} nothing=\${JSON.stringify(nothing)} node=\${process.versions.node.split('.')[0]}\`);
if (who === 'bad') process.exit(1);
`,
  'actions/tell/post.mjs': `console.log('post ' + process.env.STATE_who + ' for ' + process.env.INPUT_WHO);`,
};

describe('uses', () => {
  it('runs main and, in reverse order, post of JavaScript actions; also after a failure, but not of a skipped step', async () => {
    const run = await runScratch({
      ...teller,
      ...workflow(`
a:
  runs-on: ubuntu-latest
  steps:
    - { uses: $/actions/tell, id: one, with: { who: one } }
    - { uses: $/actions/tell, if: false, with: { who: skipped } }
    - { run: 'echo "\${{ steps.one.outputs.said }}"' }
    - { uses: $/actions/tell, with: { who: bad, greeting: bye } }
    - { run: echo not reached }
`),
    });
    expect(run.conclusion).toBe('failure');
    expect(run.lines).toEqual([
      'main one nothing="" node=24',
      'hello octocat one',
      'main bad nothing="" node=24',
      'post bad for bad',
      'post one for one',
    ]);
  });

  it('finds ./ only after a checkout', async () => {
    const steps = (checkout: string) => ({
      ...teller,
      ...workflow(`a:\n  runs-on: ubuntu-latest\n  steps:\n${checkout}    - { uses: ./actions/tell, with: { who: me } }\n`),
    });
    const without = await runScratch(steps(''));
    expect(without.errors).toEqual(['there is no action.yml in acme/shop/actions/tell']);
    const after = await runScratch(steps('    - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8\n'));
    expect(after.conclusion).toBe('success');
  });

  it('runs composite actions with inputs, outputs and a path of their own', async () => {
    const run = await runScratch({
      ...teller,
      'actions/both/action.yml': `
name: both
description: Both
inputs: { name: { description: name, default: nobody } }
outputs: { all: { description: all, value: "\${{ steps.say.outputs.all }}" } }
runs:
  using: composite
  steps:
    - { uses: $/actions/tell, with: { who: "inner \${{ inputs.name }}" } }
    - { id: say, shell: bash, run: 'echo "all=$(ls "$GITHUB_ACTION_PATH")" >> "$GITHUB_OUTPUT"' }
    - { shell: bash, if: "inputs.name == 'fail'", run: exit 1 }
    - { shell: bash, if: failure(), run: echo inner failure }
`,
      ...workflow(`
a:
  runs-on: ubuntu-latest
  steps:
    - { uses: $/actions/both, id: both, with: { name: ann } }
    - { run: 'echo "\${{ steps.both.outputs.all }} \${{ steps.say.outputs.all }}"' }
    - { uses: $/actions/both, with: { name: fail } }
    - { if: failure(), run: echo outer failure }
`),
    });
    expect(run.conclusion).toBe('failure');
    expect(run.lines).toEqual([
      'main inner ann nothing="" node=24',
      'action.yml ',
      'main inner fail nothing="" node=24',
      'inner failure',
      'outer failure',
      'post inner fail for inner fail',
      'post inner ann for inner ann',
    ]);
  });

  it('fails on an action that nobody plays', async () => {
    const run = await runScratch(workflow('a:\n  runs-on: ubuntu-latest\n  steps:\n    - uses: someone/unknown@v1'));
    expect(run.conclusion).toBe('failure');
    expect(run.errors.join()).toMatch(/someone\/unknown@v1 is an action that this executor does not know/);
  });

  it('warns of an input that the action does not have', async () => {
    const run = await runScratch({
      ...teller,
      ...workflow('a:\n  runs-on: ubuntu-latest\n  steps:\n    - { uses: $/actions/tell, with: { who: a, whom: b } }'),
    });
    const warnings = run.events.flatMap((event) => (event.type === 'annotation' && event.level === 'warning' ? [event.message] : []));
    expect(warnings.join()).toMatch(/Unexpected input\(s\) 'whom'/);
  });
});

const called = (inputs: string) => ({
  '.github/workflows/called.yml': `
on:
  workflow_call:
    inputs:
      flag: { type: boolean }
      count: { type: number, default: 3 }
      word: { type: string, default: "\${{ github.ref_name }}" }
      must: { type: string, required: true }
    secrets:
      key: { required: true }
      other: { required: false }
    outputs:
      shown: { value: "\${{ jobs.inner.outputs.shown }}" }
jobs:
  inner:
    runs-on: ubuntu-latest
    outputs: { shown: "\${{ steps.s.outputs.shown }}" }
    steps:
      - id: s
        env: { KEY: "\${{ secrets.key }}", NOT: "\${{ secrets.TOP }}" }
        run: |
          echo "shown=\${{ inputs.flag == false }} \${{ inputs.count == 3 || inputs.count }} \${{ inputs.word }}" >> "$GITHUB_OUTPUT"
          echo "key length \${#KEY}, not given: \${NOT:-nothing}"
          [ "\${{ inputs.must }}" != fail ]
`,
  ...workflow(`
call:
  uses: ./.github/workflows/called.yml
  with: { ${inputs} }
  secrets: { key: "\${{ secrets.KEY }}" }
after:
  needs: call
  if: always()
  runs-on: ubuntu-latest
  steps:
    - run: echo "after \${{ needs.call.result }} \${{ needs.call.outputs.shown }}"
`),
});
const secrets = { KEY: 'abcdef', TOP: 'secret' };

describe('reusable workflows', () => {
  it('gives defaults of each type, hands over named secrets only and returns outputs', async () => {
    const run = await runScratch(called('must: x'), { secrets });
    expect(run.conclusion).toBe('success');
    expect(run.lines).toEqual(['key length 6, not given: nothing', 'after success true true main']);
  });

  it('runs an always() job after a failing call', async () => {
    const run = await runScratch(called('must: fail'), { secrets });
    expect(run.conclusionOf('call')).toBe('failure');
    expect(run.conclusionOf('call / inner')).toBe('failure');
    expect(run.lines.at(-1)).toBe('after failure true true main');
  });

  it.each([
    ['flag: "true", must: x', /input flag is 'true' \(string\), the called workflow wants a boolean/],
    ['count: many, must: x', /input count is 'many' \(string\), the called workflow wants a number/],
    ['flag: true', /input must is required/],
    ['must: x, mist: y', /invalid input mist/],
  ])('refuses with: { %s }', async (inputs, message) => {
    const run = await runScratch(called(inputs), { secrets });
    expect(run.conclusionOf('call')).toBe('failure');
    expect(run.errors.join()).toMatch(message);
  });

  it('refuses a call without a required secret', async () => {
    const run = await runScratch(called('must: x'), { secrets: {} });
    expect(run.errors.join()).toMatch(/secret key is required/);
  });
});
