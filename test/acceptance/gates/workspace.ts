import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for one test, as actions/checkout would leave it. */
export class Workspace {
  readonly path = mkdtempSync(join(tmpdir(), 'slipway-gate-'));

  write(name: string, text: string | Uint8Array): this {
    writeFileSync(join(this.path, name), text);
    return this;
  }

  /** A git repository with one commit per tag, the last one checked out. */
  tagged(...tags: string[]): this {
    this.git('init', '-q');
    for (const tag of tags) {
      this.git('commit', '-q', '--allow-empty', '-m', tag);
      this.git('tag', tag);
    }
    return this;
  }

  commit(): this {
    this.git('commit', '-q', '--allow-empty', '-m', 'work');
    return this;
  }

  git(...args: string[]): string {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main', '-c', 'tag.gpgsign=false'];
    return execFileSync('git', [...identity, ...args], { cwd: this.path, encoding: 'utf8' }).trim();
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
