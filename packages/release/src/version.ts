import compareSemver from 'semver/functions/compare.js';

/** Stages of a prerelease, in the order in which a release goes through them. */
export const stages = ['alpha', 'beta', 'rc'] as const;
export type Stage = (typeof stages)[number];

/** `MAJOR.MINOR.PATCH[-STAGE.N][+BUILD]`, taken apart. */
export interface Version {
  major: number;
  minor: number;
  patch: number;
  stage: Stage | null;
  stageNumber: number | null;
  /** Short hash of the commit it was built from. */
  build: string | null;
}

/** The three numbers alone. */
export type Core = Pick<Version, 'major' | 'minor' | 'patch'>;

export function formatVersion(version: Version): string {
  return withoutBuild(version) + (version.build === null ? '' : `+${version.build}`);
}

/** What decides precedence: SemVer 2.0.0 §10 ignores the build metadata. */
function withoutBuild(version: Version): string {
  return formatCore(version) + (version.stage === null ? '' : `-${version.stage}.${version.stageNumber}`);
}

export function formatCore({ major, minor, patch }: Core): string {
  return `${major}.${minor}.${patch}`;
}

export function isPrerelease(version: Version): boolean {
  return version.stage !== null;
}

/** SemVer 2.0.0 §11 precedence: negative when `a` comes before `b`, 0 when they differ at most in the build. */
export function compareVersions(a: Version, b: Version): number {
  return compareSemver(withoutBuild(a), withoutBuild(b));
}

export function sameCore(a: Core, b: Core): boolean {
  return a.major === b.major && a.minor === b.minor && a.patch === b.patch;
}

export function stable({ major, minor, patch }: Core): Version {
  return { major, minor, patch, stage: null, stageNumber: null, build: null };
}

export function prerelease({ major, minor, patch }: Core, stage: Stage, stageNumber: number): Version {
  return { major, minor, patch, stage, stageNumber, build: null };
}

/** `+` is not allowed in an OCI tag; `_` takes its place, as Helm does. */
export function dockerTag(version: Version): string {
  return formatVersion(version).replace('+', '_');
}
