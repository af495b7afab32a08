import { open, readdir } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { didYouMean } from '../did-you-mean.js';
import { type Problem, UsageError } from '../errors.js';

const maxBytes = 1024 * 1024;

/** Reads a text file of the repository as UTF-8, at most 1 MiB; a byte order mark is taken off. Throws UsageError naming what is wrong with it. */
export async function readConfigText(path: string, cwd: string): Promise<string> {
  const file = resolve(cwd, path);
  const refuse = (problem: Omit<Problem, 'where' | 'file'>, cause?: unknown): never => {
    throw new UsageError([{ where: '', file: path, ...problem }], { cause });
  };
  const bytes = await readBytes(file).catch(async (error: unknown) => refuse(await explain(error, file, path), error));
  if (typeof bytes === 'string') return refuse({ message: bytes, allowed: 'a YAML file of at most 1 MiB' });
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') return refuse({ message: 'is UTF-16', allowed: 'UTF-8', line: 1, column: 1 });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return refuse({ message: 'is not UTF-8', allowed: 'UTF-8', line: firstBadLine(bytes), column: 1 }, error);
  }
}

/** The bytes, or what is wrong with the file in words. */
async function readBytes(file: string): Promise<Buffer | string> {
  const handle = await open(file);
  try {
    const { size, isFile, isDirectory } = await stats(handle);
    if (isDirectory) return 'is a directory';
    if (!isFile) return 'is not a regular file';
    if (size > maxBytes) return `is too large: ${size} bytes`;
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

async function stats(handle: Awaited<ReturnType<typeof open>>) {
  const stat = await handle.stat();
  return { size: stat.size, isFile: stat.isFile(), isDirectory: stat.isDirectory() };
}

async function explain(error: unknown, file: string, path: string): Promise<Omit<Problem, 'where' | 'file'>> {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM') return { message: 'may not be read: permission denied' };
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return { message: `cannot be read: ${(error as Error).message}` };
  const neighbours = await readdir(dirname(file)).catch(() => []);
  const near = didYouMean(basename(file), neighbours);
  const hint =
    near === undefined
      ? '; is the repository checked out (actions/checkout)?'
      : `; did you mean ${relative('.', `${dirname(path)}/${near}`)}?`;
  return {
    message: `does not exist${hint}`,
    allowed: 'the path of slipway.yml from the root of the repository, in the input `config`',
  };
}

function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const part = bytes.subarray(start, end < 0 ? bytes.length : end);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(part);
    } catch {
      return line;
    }
    start = end < 0 ? bytes.length : end + 1;
  }
  return line;
}
