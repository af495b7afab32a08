import { compareVersions, isPrerelease, sameCore, type Version } from './version.js';

/**
 * The version that `version` has to follow, out of all that were released.
 *
 * It is looked for in the version's own line: 1.3.5 is compared within 1.3 (so a fix of 1.3 stays possible after 1.4.0), 1.5.0 within 1,
 * 2.0.0 with everything. A line without releases widens to the next one. Prereleases of other numbers count only for a prerelease, and
 * only when they are lower: 1.5.0-alpha.1 does not stand in the way of 1.4.1, nor 2.0.0-rc.1 of 1.5.0.
 */
export function choosePrevious(version: Version, released: readonly Version[]): Version | undefined {
  const relevant = released.filter((other) => counts(other, version));
  for (const inLine of lines(version)) {
    const line = relevant.filter((other) => inLine(other, version));
    if (line.length > 0) return highest(line);
  }
  return undefined;
}

/** The highest version; with equal precedence the first one given. */
export function highest(versions: readonly Version[]): Version | undefined {
  return versions.reduce<Version | undefined>(
    (best, version) => (best === undefined || compareVersions(version, best) > 0 ? version : best),
    undefined,
  );
}

function counts(other: Version, version: Version): boolean {
  if (!isPrerelease(other) || sameCore(other, version)) return true;
  return isPrerelease(version) && compareVersions(other, version) < 0;
}

type InLine = (other: Version, version: Version) => boolean;
const inMinor: InLine = (other, version) => other.major === version.major && other.minor === version.minor;
const inMajor: InLine = (other, version) => other.major === version.major;
const everything: InLine = () => true;

/** From the narrowest line that the version may belong to, outwards. */
function lines(version: Version): InLine[] {
  if (version.patch > 0) return [inMinor, inMajor, everything];
  return version.minor > 0 ? [inMajor, everything] : [everything];
}
