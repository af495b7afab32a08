import { writeFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Action, type Context, defineContract, OperationError, type Result, runMain, runPost, UsageError } from '../src/index.js';
import { MemoryHost, parseHeredocs, runnerFiles } from './memory-host.js';

const contract = defineContract({
  name: 'canary-analyze',
  family: 'cluster',
  description: 'Judges.',
  inputs: {
    service: { kind: 'string', required: true, description: 'Service.', example: 'shop' },
    weight: { kind: 'integer', min: 1, max: 99, description: 'Percent.', example: '10' },
    token: { kind: 'string', secret: true, description: 'Token.', example: 'x' },
  },
  outputs: { verdict: { description: 'Verdict.' }, rates: { description: 'Rates.' }, unset: { description: 'Never given.' } },
  reasons: { HEALTHY: 'Good.', ERROR_RATE_WORSE: 'Bad.', LOW_TRAFFIC: 'Too few.' },
  permissions: [],
  post: true,
});
type Analyze = Action<typeof contract>;

const files = runnerFiles();
let commands = '';

beforeEach(() => {
  for (const file of Object.values(files.env)) writeFileSync(file, '');
  commands = '';
  // Runner commands are written by @actions/core, which knows process.stdout only.
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    commands += String(text);
    return true;
  });
});
afterAll(() => files.remove());

function runnerHost(env: Record<string, string> = {}) {
  return new MemoryHost({
    GITHUB_ACTIONS: 'true',
    GITHUB_SERVER_URL: 'https://ghe.example',
    GITHUB_REPOSITORY: 'octo/shop',
    GITHUB_RUN_ID: '42',
    GITHUB_RUN_ATTEMPT: '2',
    GITHUB_JOB: 'canary',
    INPUT_SERVICE: 'shop',
    ...files.env,
    ...env,
  });
}

async function run(main: Analyze['main'], host = runnerHost()) {
  await runMain({ contract, main }, host);
  const outputs = parseHeredocs(files.read('GITHUB_OUTPUT'));
  return { host, outputs, result: JSON.parse(outputs.result ?? 'null') as Result, summary: files.read('GITHUB_STEP_SUMMARY') };
}

describe('runMain', () => {
  it('turns an ending into outputs, summary, log and exit code', async () => {
    const { host, outputs, result, summary } = await run(async ({ service, weight }, context) => {
      context.clock.sleep(5000);
      return {
        outcome: 'pass',
        reason: 'HEALTHY',
        summary: `${service} <b>is</b> fine`,
        next: ['promote it'],
        details: { weight },
        outputs: { verdict: 'pass', rates: { canary: 0.01 } },
        report: '| a |\n| --- |',
      };
    });
    expect(host.exitCode).toBe(0);
    expect(result).toEqual({
      schema: 1,
      action: 'canary-analyze',
      outcome: 'pass',
      reason: 'HEALTHY',
      summary: 'shop <b>is</b> fine',
      next: ['promote it'],
      details: {},
      startedAt: '2026-11-22T10:00:00.000Z',
      finishedAt: '2026-11-22T10:00:05.000Z',
    });
    expect(outputs).toMatchObject({ verdict: 'pass', rates: '{"canary":0.01}', outcome: 'pass', reason: 'HEALTHY' });
    expect(outputs).not.toHaveProperty('unset');
    expect(summary).toBe(
      '### ✅ canary-analyze: pass (HEALTHY)\n\nshop &lt;b&gt;is&lt;/b&gt; fine\n\n**Next**\n\n- promote it\n\n| a |\n| --- |\n\n',
    );
    expect(host.out).toBe('shop <b>is</b> fine [HEALTHY]\nNext: promote it\n');
    expect(commands).toBe('');
  });

  it.each([
    ['fail', 1, '::error title=canary-analyze::worse [ERROR_RATE_WORSE]\n'],
    ['hold', 3, '::warning title=canary-analyze::worse [ERROR_RATE_WORSE]\n'],
    ['skipped', 0, ''],
  ] as const)('%s ends with %d', async (outcome, code, issued) => {
    const { host } = await run(async () => ({ outcome, reason: 'ERROR_RATE_WORSE', summary: 'worse' }));
    expect(host.exitCode).toBe(code);
    expect(commands).toBe(issued);
  });

  it('reports every wrong input and does nothing', async () => {
    let called = false;
    const main: Analyze['main'] = async () => {
      called = true;
      return { outcome: 'pass', reason: 'HEALTHY', summary: '' };
    };
    const { host, result } = await run(main, runnerHost({ INPUT_SERVICE: '', INPUT_WEIGHT: '::error::x\n' }));
    expect(called).toBe(false);
    expect(host.exitCode).toBe(2);
    expect(result).toMatchObject({ outcome: 'error', reason: 'USAGE' });
    expect(result.details.problems).toHaveLength(2);
    expect(commands.trimEnd().split('\n')).toEqual([
      '::error::service: is required: Service. (example: shop)',
      '::error::weight: "::error::x" is not a whole number (allowed: a whole number from 1 to 99; example: 10)',
      '::error title=canary-analyze::2 problems, listed above; nothing was done [USAGE]',
    ]);
  });

  it('puts a problem of slipway.yml at its line', async () => {
    const problem = { where: 'services.shop', message: 'is wrong', file: '.github/slipway.yml', line: 4, column: 3 };
    const { result } = await run(() => Promise.reject(new UsageError([problem])));
    expect(commands).toBe('::error title=canary-analyze,file=.github/slipway.yml,line=4,col=3::services.shop: is wrong [USAGE]\n');
    expect(result.summary).toBe('.github/slipway.yml:4:3: services.shop: is wrong');
  });

  it('tells a refusal of the world as a failure, with its cause', async () => {
    const error = new OperationError('may not patch deployments', {
      reason: 'FORBIDDEN',
      next: ['grant it'],
      details: { status: 403 },
      cause: new Error('HTTP 403 ##[add-mask]e'),
    });
    const { host, result } = await run(() => Promise.reject(error));
    expect(host.exitCode).toBe(1);
    expect(result).toMatchObject({ outcome: 'fail', reason: 'FORBIDDEN', next: ['grant it'], details: { status: 403 } });
    expect(host.out).toBe('Caused by: HTTP 403 ##\\[add-mask]e\nNext: grant it\n');
  });

  it('tells a defect with stack and causes', async () => {
    const { host, result } = await run(() => Promise.reject(new TypeError('x is undefined', { cause: new Error('deeper') })));
    expect(host.exitCode).toBe(2);
    expect(result).toMatchObject({ outcome: 'error', reason: 'DEFECT', summary: 'Slipway failed: TypeError: x is undefined' });
    expect(host.out).toMatch(/TypeError: x is undefined\n\s+at .*run-action\.test\.ts/);
    expect(host.out).toMatch(/Caused by: Error: deeper\n\s+at /);
  });

  it('takes whatever is thrown', async () => {
    const { result } = await run(() => Promise.reject('a string'));
    expect(result).toMatchObject({ reason: 'DEFECT', summary: 'Slipway failed: a string' });
  });

  it('ends as cancelled when the handler gives up on the signal', async () => {
    const host = runnerHost();
    const { result } = await run(async (_, { signal }) => {
      host.signals.emit('SIGINT', 'SIGINT');
      throw new OperationError('gave up', { reason: 'UNAVAILABLE', cause: signal.reason });
    }, host);
    expect(host.exitCode).toBe(2);
    expect(result).toMatchObject({
      outcome: 'error',
      reason: 'CANCELLED',
      summary: 'The run was cancelled by SIGINT before it came to a decision.',
    });
    expect(host.signals.listenerCount('SIGINT')).toBe(0);
  });

  it('lets the handler finish after SIGINT and the SIGTERM that follows', async () => {
    const host = runnerHost();
    const { result } = await run(async (_, { signal }) => {
      host.signals.emit('SIGINT', 'SIGINT');
      host.signals.emit('SIGTERM', 'SIGTERM');
      expect(signal.aborted).toBe(true);
      expect(host.exitCode).toBeUndefined();
      return { outcome: 'fail', reason: 'ERROR_RATE_WORSE', summary: 'rolled back' };
    }, host);
    expect(result).toMatchObject({ outcome: 'fail', summary: 'rolled back' });
    expect(host.exitCode).toBe(1);
  });

  it('gives the handler its context', async () => {
    let seen: Context | undefined;
    await run(
      async (_, context) => {
        seen = context;
        context.state.set('id', 'r1');
        context.mask('hunter2');
        return { outcome: 'pass', reason: 'HEALTHY', summary: 'ok' };
      },
      runnerHost({ STATE_old: 'x', INPUT_TOKEN: 's3cret' }),
    );
    expect(seen?.runUrl).toBe('https://ghe.example/octo/shop/actions/runs/42/attempts/2');
    expect(seen?.holder).toBe('octo/shop/42/2/canary');
    expect(seen?.state.get('old')).toBe('x');
    expect(parseHeredocs(files.read('GITHUB_STATE'))).toEqual({ id: 'r1' });
    expect(commands).toBe('::add-mask::s3cret\n::add-mask::hunter2\n');
  });

  it('leaves the details out of a result that is too large for an output', async () => {
    const { result } = await run(async () => ({
      outcome: 'pass',
      reason: 'HEALTHY',
      summary: 'ok',
      details: { log: 'x'.repeat(300_000) },
    }));
    expect(result).toMatchObject({ summary: 'ok', details: { omitted: expect.any(String) } });
  });

  it('says so when outputs cannot be written, and keeps the exit code', async () => {
    const host = runnerHost({ GITHUB_OUTPUT: '/nonexistent/output' });
    await runMain({ contract, main: async () => ({ outcome: 'hold', reason: 'LOW_TRAFFIC', summary: 'wait' }) }, host);
    expect(host.exitCode).toBe(3);
    expect(commands).toMatch(/^::warning::The outputs could not be written: .*ENOENT/m);
  });

  it('is plain on stderr outside of the runner', async () => {
    const host = new MemoryHost({ INPUT_SERVICE: 'shop' });
    await runMain({ contract, main: async () => ({ outcome: 'fail', reason: 'ERROR_RATE_WORSE', summary: 'worse' }) }, host);
    expect(host.err).toBe('error: worse [ERROR_RATE_WORSE]\n');
    expect(host.out).toBe('');
  });
});

describe('runPost', () => {
  const main: Analyze['main'] = async () => ({ outcome: 'pass', reason: 'HEALTHY', summary: '' });

  it('never fails: what goes wrong is a warning', async () => {
    const host = runnerHost();
    const post = () => Promise.reject(new OperationError('no answer', { reason: 'API_UNAVAILABLE', next: ['run auto-rollback'] }));
    await runPost({ contract, main, post }, host);
    expect(host.exitCode).toBe(0);
    expect(commands).toBe('::warning title=canary-analyze (post)::no answer [API_UNAVAILABLE]%0Arun auto-rollback\n');
    expect(files.read('GITHUB_OUTPUT')).toBe('');
  });

  it('has the inputs and the state of main', async () => {
    const host = runnerHost({ STATE_id: 'r1', INPUT_WEIGHT: '10' });
    const post: Analyze['main'] = async ({ weight }, { state }) => ({
      outcome: 'pass',
      reason: 'HEALTHY',
      summary: `${state.get('id')} at ${weight}`,
    });
    await runPost({ contract, main, post }, host);
    expect(host.out).toBe('r1 at 10\n');
  });

  it('passes over wrong inputs and is nothing without a handler', async () => {
    const host = runnerHost({ INPUT_WEIGHT: 'x' });
    await runPost({ contract, main, post: main }, host);
    expect(host.exitCode).toBe(0);
    expect(commands).toMatch(/^::debug::/);
    const other = runnerHost();
    await runPost({ contract, main }, other);
    expect(other.exitCode).toBeUndefined();
  });
});
