import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gitEnvironment } from './executor/git-environment.js';
import type { Repository } from './executor/model.js';

/** A git repository of its own, for one test or one demo. */
export interface ScratchRepository extends Repository {
  sha: string;
  remove(): void;
  /** Writes files and commits them; returns the commit. */
  commit(files: Record<string, string>, message: string): string;
  tag(name: string): void;
}

/** Creates a repository with these files in its first commit on `main`. */
export function createScratchRepository(name: string, files: Record<string, string>): ScratchRepository {
  const directory = mkdtempSync(join(tmpdir(), 'scratch-'));
  const identity = [
    '-c',
    'user.name=Scratch',
    '-c',
    'user.email=scratch@example.com',
    '-c',
    'commit.gpgsign=false',
    '-c',
    'tag.gpgsign=false',
  ];
  const options = { encoding: 'utf8', stdio: 'pipe', env: gitEnvironment(directory) } as const;
  const git = (...args: string[]) => execFileSync('git', ['-C', directory, ...identity, ...args], options).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  const repository: ScratchRepository = {
    name,
    directory,
    sha: '',
    remove: () => rmSync(directory, { recursive: true, force: true }),
    commit(changed, message) {
      for (const [path, content] of Object.entries(changed)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), content);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', message);
      repository.sha = git('rev-parse', 'HEAD');
      return repository.sha;
    },
    tag: (tagName) => void git('tag', '--force', tagName),
  };
  repository.commit(files, 'First commit');
  return repository;
}
