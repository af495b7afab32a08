import { parseVersion, type Version } from '../src/index.js';

/** A version that a test knows to be well formed. */
export function versionOf(text: string): Version {
  const parsed = parseVersion(text, { tagPrefix: 'v' });
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem.message}`);
  return parsed.version;
}
