import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Says how the folder differs from the one that was just built: one line a file, none when they are the same. */
export function differences(actual: string, expected: string): string[] {
  const have = filesOf(actual);
  const want = filesOf(expected);
  return [...new Set([...have.keys(), ...want.keys()])].sort().flatMap((path) => {
    const [a, b] = [have.get(path), want.get(path)];
    if (!a) return [`${path} is missing`];
    if (!b) return [`${path} is not built any more`];
    if (!a.bytes.equals(b.bytes)) return [`${path} is not what its sources build (${a.bytes.length} bytes, built: ${b.bytes.length})`];
    return a.executable === b.executable ? [] : [`${path} is ${a.executable ? '' : 'not '}executable`];
  });
}

function filesOf(folder: string): Map<string, { bytes: Buffer; executable: boolean }> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), { bytes: readFileSync(path), executable: (statSync(path).mode & 0o100) !== 0 }];
    }),
  );
}
