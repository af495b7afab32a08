import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../node24.mjs';

/** Those of the files (path from the root → text) that are not on disk, or not so. */
export function staleFiles(files: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...files].filter(([path, text]) => current(path) !== text));
}

export function writeFiles(files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function current(path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
