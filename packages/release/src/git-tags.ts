import { getExecOutput } from '@actions/exec';
import { OperationError } from '@slipway/core';

/** What the repository around `cwd` says about its tags. */
export interface RepositoryTags {
  tags: GitTag[];
  /** The history was cut (`fetch-depth: 1`), so tags may be missing. */
  shallow: boolean;
  /** The commit checked out; null in a repository without commits. */
  head: string | null;
}

export interface GitTag {
  name: string;
  /** The commit it points to, also for an annotated tag. */
  commit: string;
}

export interface GitOptions {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads all tags of the repository with git. Their order means nothing: `git tag --sort` and `git describe` put v1.0.0-rc.10 above
 * v1.0.0, so versions are ordered by our own rules.
 * @throws OperationError NOT_A_REPOSITORY, GIT_FAILED (git is not installed, or refuses the directory)
 */
export async function readTags(options: GitOptions): Promise<RepositoryTags> {
  const shallow = (await git(['rev-parse', '--is-shallow-repository'], options)).trim() === 'true';
  const head = (await git(['rev-parse', '--quiet', '--verify', 'HEAD^{commit}'], options, [0, 1])).trim() || null;
  const format = '--format=%(refname:strip=2) %(objectname) %(*objectname)';
  const listing = await git(['for-each-ref', format, 'refs/tags'], options);
  return { tags: listing.split('\n').filter(Boolean).map(parseTag), shallow, head };
}

/** `name object [peeled object]`; a tag's name holds no spaces (git-check-ref-format). */
function parseTag(line: string): GitTag {
  const [name = '', object = '', peeled = ''] = line.split(' ');
  return { name, commit: peeled || object };
}

async function git(args: string[], { cwd, env }: GitOptions, accepted: readonly number[] = [0]): Promise<string> {
  const output = await getExecOutput('git', args, { cwd, env: plainEnvironment(env), silent: true, ignoreReturnCode: true }).catch(
    (cause: unknown) => {
      throw new OperationError(`git cannot be run: ${cause instanceof Error ? cause.message : String(cause)}`, {
        reason: 'GIT_FAILED',
        next: ['Install git on the runner, or give the previous version with the input `previous`.'],
        cause,
      });
    },
  );
  if (accepted.includes(output.exitCode)) return output.stdout;
  throw refused(args, output.stderr.trim(), cwd);
}

function refused(args: string[], stderr: string, cwd: string): OperationError {
  if (/not a git repository/i.test(stderr)) {
    return new OperationError(`${cwd} is not a git repository, so there are no tags to compare with.`, {
      reason: 'NOT_A_REPOSITORY',
      next: ['Run actions/checkout with `fetch-depth: 0` before this step, or give the input `previous` (`none` for a first release).'],
    });
  }
  const trust = /dubious ownership/i.test(stderr);
  return new OperationError(`git ${args[0]} failed: ${stderr.split('\n')[0] || 'no message'}`, {
    reason: 'GIT_FAILED',
    next: [trust ? `Run \`git config --global --add safe.directory "$GITHUB_WORKSPACE"\` before this step.` : 'Give the input `previous`.'],
    details: { stderr: stderr.slice(0, 2000) },
  });
}

/** Messages in English, so that they can be told apart. */
function plainEnvironment(env: GitOptions['env']): Record<string, string> {
  const set = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { ...Object.fromEntries(set), LC_ALL: 'C', LANGUAGE: 'C' };
}
