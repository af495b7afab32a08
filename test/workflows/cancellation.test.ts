import { describe, expect, it } from '@jest/globals';
import { runScratch, workflow } from './run-scratch.js';

describe('time-outs and cancellation', () => {
  it('ends a step at timeout-minutes as a failure, a job as cancelled', async () => {
    const run = await runScratch(
      workflow(`
step:
  runs-on: ubuntu-latest
  steps:
    - run: exec sleep 20
      timeout-minutes: 0.01
    - if: failure()
      run: echo "step timed out"
job:
  runs-on: ubuntu-latest
  timeout-minutes: 0.01
  steps:
    - run: exec sleep 20
    - if: cancelled()
      run: echo "job timed out"
`),
    );
    expect(run.conclusionOf('step')).toBe('failure');
    expect(run.conclusionOf('job')).toBe('cancelled');
    expect(run.lines.sort()).toEqual(['job timed out', 'step timed out']);
  });

  it('sends SIGINT, then SIGTERM, then SIGKILL, and runs cancelled() and always() steps', async () => {
    const cancel = new AbortController();
    const stubborn = `trap 'echo got INT' INT; trap 'echo got TERM' TERM; echo ready; while true; do sleep 0.05; done`;
    const run = await runScratch(
      workflow(`
a:
  runs-on: ubuntu-latest
  steps:
    - run: ${JSON.stringify(stubborn)}
    - run: echo "success only"
    - if: cancelled()
      run: echo "cancelled ran"
    - if: failure()
      run: echo "failure ran"
    - if: always()
      run: echo "always ran"
b:
  needs: a
  if: always()
  runs-on: ubuntu-latest
  steps:
    - run: echo b ran
`),
      {
        signal: cancel.signal,
        grace: { interrupt: 300, terminate: 300 },
        onEvent: (event) => event.type === 'line' && event.text === 'ready' && cancel.abort('test'),
      },
    );
    expect(run.conclusionOf('a')).toBe('cancelled');
    expect(run.lines).toEqual(['ready', 'got INT', 'got TERM', 'cancelled ran', 'always ran', 'b ran']);
  });

  it('leaves a running step alone whose if is always()', async () => {
    const cancel = new AbortController();
    const run = await runScratch(
      workflow('a:\n  runs-on: ubuntu-latest\n  steps:\n    - if: always()\n      run: echo ready; sleep 0.3; echo finished'),
      { signal: cancel.signal, onEvent: (event) => event.type === 'line' && event.text === 'ready' && cancel.abort('test') },
    );
    expect(run.lines).toEqual(['ready', 'finished']);
  });
});
