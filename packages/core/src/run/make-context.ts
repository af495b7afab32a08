import type { Context } from '../context.js';
import type { RunLog } from '../runner/log.js';
import type { Host } from './host.js';

/** The context of a handler. `state` is where values for `post` are kept: the runner's files, or the memory of a shell command. */
export function makeContext(host: Host, log: RunLog, signal: AbortSignal, state: Context['state']): Context {
  return {
    log,
    clock: host.clock,
    signal,
    env: host.env,
    cwd: host.cwd,
    runUrl: runUrl(host.env),
    holder: holder(host),
    state,
    mask: (value) => log.mask(value),
    progress: (text) => log.progress(text),
  };
}

function runUrl(env: Host['env']): string | undefined {
  const { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
  if (!repository || !run) return undefined;
  const attempt = env.GITHUB_RUN_ATTEMPT ? `/attempts/${env.GITHUB_RUN_ATTEMPT}` : '';
  return `${server}/${repository}/actions/runs/${run}${attempt}`;
}

function holder({ env, identity }: Host): string {
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: attempt = '1', GITHUB_JOB: job = 'job' } = env;
  return repository && run ? [repository, run, attempt, job].join('/') : identity;
}
