import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ChangelogSource, maxChangelogBytes, readChangelogSource, type SourceReason } from './changelog-source.js';

export type ChangelogFileReason = SourceReason | 'FILE_MISSING' | 'FILE_UNREADABLE';

export type ChangelogFile =
  | { ok: true; source: ChangelogSource }
  | { ok: false; reason: ChangelogFileReason; line: number | null; message: string; next: string[]; cause?: unknown };

/**
 * Reads a changelog from disk. Never throws for what is wrong with the file: that is an answer too. `given` is the path as the user
 * wrote it: another file is suggested in the same way.
 */
export async function readChangelogFile(path: string, given = path): Promise<ChangelogFile> {
  try {
    const facts = await stat(path);
    // A pipe or device would be read for ever, a huge file not at all.
    if (!facts.isFile()) return unreadable(`${path} is not a file`);
    if (facts.size > maxChangelogBytes) return tooLarge(`${path} has ${facts.size} bytes, ${maxChangelogBytes} is the most`, null);
    const read = readChangelogSource(await readFile(path));
    if (read.ok) return read;
    return read.reason === 'TOO_LARGE'
      ? tooLarge(`${path}: ${read.message}`, read.line)
      : { ...read, message: `${path}: ${read.message}`, next: ['Save the file as UTF-8.'] };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return missing(path, given);
    return unreadable(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

async function missing(path: string, given: string): Promise<ChangelogFile> {
  const name = await similarFile(path);
  const similar = name === undefined ? undefined : join(dirname(given), name);
  const next =
    similar === undefined
      ? ['Check out the repository before this step, or set the input `file`.']
      : [`Set the input \`file\` to \`${similar}\`.`];
  return {
    ok: false,
    reason: 'FILE_MISSING',
    line: null,
    message: `There is no ${path}${similar === undefined ? '' : `, but a ${similar}`}`,
    next,
  };
}

/** The usual names of changelogs; file systems and people differ in upper and lower case. */
async function similarFile(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path)).catch(() => []);
  const wanted = basename(path).toLowerCase();
  return (
    names.find((name) => name.toLowerCase() === wanted) ??
    names.find((name) => /^(?:changelog|changes|history|news)\.(?:md|markdown)$/i.test(name))
  );
}

function tooLarge(message: string, line: number | null): ChangelogFile {
  return { ok: false, reason: 'TOO_LARGE', line, message, next: ['Move old releases to a file of their own.'] };
}

function unreadable(message: string, cause?: unknown): ChangelogFile {
  return {
    ok: false,
    reason: 'FILE_UNREADABLE',
    line: null,
    message,
    next: ['Set the input `file` to a file that the runner can read.'],
    cause,
  };
}
