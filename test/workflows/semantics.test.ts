import { describe, expect, it } from '@jest/globals';
import { runScratch, workflow } from './run-scratch.js';

const failing = 'runs-on: ubuntu-latest\n  steps:\n    - run: exit 3';
const echo = (text: string) => `runs-on: ubuntu-latest\n  steps:\n    - run: echo "${text}"`;

describe('needs and if of jobs', () => {
  it('skips what needs a failed job and runs always() and failure()', async () => {
    const run = await runScratch(
      workflow(`
first:
  ${failing}
plain:
  needs: first
  ${echo('plain ran')}
after-plain:
  needs: plain
  ${echo('after plain ran')}
always:
  needs: [first, plain]
  if: \${{ always() && needs.first.result == 'failure' && needs.plain.result == 'skipped' }}
  ${echo('always ran')}
on-failure:
  needs: after-plain
  if: failure()
  ${echo('ancestor failed')}
`),
    );
    expect(run.conclusion).toBe('failure');
    expect([...run.jobs].map(([job, { conclusion }]) => `${job}=${conclusion}`).sort()).toEqual([
      'after-plain=skipped',
      'always=success',
      'first=failure',
      'on-failure=success',
      'plain=skipped',
    ]);
    expect(run.lines.sort()).toEqual(['always ran', 'ancestor failed']);
    expect(run.errors).toEqual(['Process completed with exit code 3.']);
  });

  it('skips a plain job behind a skipped ancestor, although the job between ran', async () => {
    const run = await runScratch(
      workflow(`
skipped:
  if: false
  ${echo('no')}
between:
  needs: skipped
  if: always()
  ${echo('between')}
last:
  needs: between
  ${echo('last')}
`),
    );
    expect(run.conclusionOf('between')).toBe('success');
    expect(run.conclusionOf('last')).toBe('skipped');
  });

  it('reads conditions and scripts of several lines by their value, not by their source', async () => {
    const run = await runScratch(
      workflow(`
folded:
  if: >-
    \${{ github.ref_name == 'main'
    && github.actor == 'nobody' }}
  ${echo('folded ran')}
plain:
  if: github.ref_name == 'main' &&
    github.actor == 'nobody'
  ${echo('plain ran')}
literal:
  # As on GitHub: the line break behind the braces makes it a text that is not empty, so it is true.
  if: |
    \${{ github.actor == 'nobody' }}
  ${echo('literal ran')}
script:
  runs-on: ubuntu-latest
  steps:
    - run: |
        cat <<EOF
        for \${{ github.actor }}
          indented
        EOF
`),
    );
    expect(run.lines.sort()).toEqual(['  indented', 'for octocat', 'literal ran']);
  });

  it('refuses a cycle and an unknown key with the place in the file', async () => {
    await expect(runScratch(workflow(`a:\n  needs: b\n  ${echo('')}\nb:\n  needs: a\n  ${echo('')}`))).rejects.toThrow(/no dependencies/);
    await expect(runScratch(workflow(`a:\n  nedes: b\n  ${echo('')}`))).rejects.toThrow(
      /main\.yml \(Line: 6, Col: \d+\): Unexpected value 'nedes'/,
    );
  });
});

describe('values', () => {
  it('carries outputs from step to job to job, and env through its levels', async () => {
    const run = await runScratch(
      workflow(
        `
make:
  runs-on: ubuntu-latest
  outputs:
    version: \${{ steps.say.outputs.version }}
    notes: \${{ steps.say.outputs.notes }}
  env: { LEVEL: job, JOB: "\${{ github.job }}-job" }
  steps:
    - id: say
      run: |
        echo "version=1.2.3" >> "$GITHUB_OUTPUT"
        { echo 'notes<<EOF'; echo 'line = 1'; echo 'line 2'; echo EOF; } >> "$GITHUB_OUTPUT"
        echo "WRITTEN=by a step" >> "$GITHUB_ENV"
        echo "LEVEL is $LEVEL"
      env: { LEVEL: step }
    - run: echo "$TOP $JOB $LEVEL $WRITTEN \${{ env.WRITTEN }}"
use:
  needs: make
  runs-on: ubuntu-latest
  steps:
    - run: printf '%s\\n' "$NOTES"; echo "v$VERSION"
      env: { NOTES: "\${{ needs.make.outputs.notes }}", VERSION: "\${{ needs.make.outputs.version }}" }
`,
        'env: { TOP: top, LEVEL: workflow }',
      ),
    );
    expect(run.conclusion).toBe('success');
    expect(run.lines).toEqual(['LEVEL is step', 'top make-job job by a step by a step', 'line = 1', 'line 2', 'v1.2.3']);
  });

  it('gives steps an environment built from nothing', async () => {
    process.env.SLIPWAY_TEST_LEAK = 'leaked';
    const run = await runScratch(
      workflow('a:\n  runs-on: ubuntu-latest\n  steps:\n    - run: echo "leak=$SLIPWAY_TEST_LEAK repo=$GITHUB_REPOSITORY ci=$CI"'),
    );
    delete process.env.SLIPWAY_TEST_LEAK;
    expect(run.lines).toEqual(['leak= repo=acme/shop ci=true']);
  });

  it('masks secrets in lines and drops job outputs that hold one', async () => {
    const run = await runScratch(
      workflow(`
a:
  runs-on: ubuntu-latest
  outputs: { image: "\${{ steps.x.outputs.image }}", digest: "\${{ steps.x.outputs.digest }}" }
  steps:
    - id: x
      run: |
        echo "token is $TOKEN"
        echo "::add-mask::added"
        echo "added later"
        echo "image=ghcr.io/$TOKEN/shop" >> "$GITHUB_OUTPUT"
        echo "digest=sha256:1" >> "$GITHUB_OUTPUT"
      env: { TOKEN: "\${{ secrets.TOKEN }}" }
`),
      { secrets: { TOKEN: 'hunter2' } },
    );
    expect(run.lines).toEqual(['token is ***', '*** later']);
    expect(run.jobs.get('a')?.outputs).toEqual({ digest: 'sha256:1' });
    expect(JSON.stringify(run.events)).not.toContain('hunter2');
  });

  it('stops at the first failing command, also in a pipe with shell: bash, and applies outputs of a failed step', async () => {
    const run = await runScratch(
      workflow(`
a:
  runs-on: ubuntu-latest
  defaults: { run: { shell: bash } }
  steps:
    - id: bad
      continue-on-error: true
      run: |
        echo "seen=yes" >> "$GITHUB_OUTPUT"
        false | cat
        echo not reached
    - run: echo "\${{ steps.bad.outcome }} \${{ steps.bad.conclusion }} \${{ steps.bad.outputs.seen }}"
`),
    );
    expect(run.conclusion).toBe('success');
    expect(run.lines).toEqual(['failure success yes']);
  });

  it('reports ::error:: and ::notice:: as annotations, and nothing after ::stop-commands::', async () => {
    const run = await runScratch(
      workflow(`
a:
  runs-on: ubuntu-latest
  steps:
    - run: |
        echo "::error file=CHANGELOG.md,line=7,title=Bad%2C very::first%0Asecond"
        echo "::stop-commands::pause"
        echo "::error::only text"
        echo "::pause::"
        echo "::notice::again"
`),
    );
    const annotations = run.events.flatMap((event) => (event.type === 'annotation' ? [event] : []));
    expect(annotations).toMatchObject([
      { level: 'error', message: 'first\nsecond', properties: { file: 'CHANGELOG.md', line: '7', title: 'Bad, very' } },
      { level: 'notice', message: 'again' },
    ]);
    expect(run.lines).toContain('::error::only text');
  });
});

describe('matrix', () => {
  it('runs all combinations with include and exclude', async () => {
    const run = await runScratch(
      workflow(`
a:
  runs-on: ubuntu-latest
  strategy:
    matrix:
      os: [linux, mac]
      node: [20, 24]
      exclude: [{ os: mac, node: 20 }]
      include: [{ os: linux, extra: yes-please }, { os: windows, node: 24 }]
  steps:
    - run: echo "\${{ matrix.os }} \${{ matrix.node }} \${{ matrix.extra }} \${{ strategy.job-total }}"
`),
    );
    expect(run.lines.sort()).toEqual(['linux 20 yes-please 4', 'linux 24 yes-please 4', 'mac 24  4', 'windows 24  4']);
  });

  it('cancels the other legs when one fails, unless fail-fast is off', async () => {
    const jobs = (failFast: boolean) => `
a:
  runs-on: ubuntu-latest
  strategy: { fail-fast: ${failFast}, max-parallel: 1, matrix: { leg: [1, 2, 3] } }
  steps:
    - run: test \${{ matrix.leg }} != 1
`;
    const fast = await runScratch(workflow(jobs(true)));
    expect([1, 2, 3].map((leg) => fast.conclusionOf(`a (${leg})`))).toEqual(['failure', 'cancelled', 'cancelled']);
    const slow = await runScratch(workflow(jobs(false)));
    expect([1, 2, 3].map((leg) => slow.conclusionOf(`a (${leg})`))).toEqual(['failure', 'success', 'success']);
    expect(slow.conclusion).toBe('failure');
  });
});
