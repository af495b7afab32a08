import {
  type Core,
  compareVersions,
  formatCore,
  formatVersion,
  isPrerelease,
  prerelease,
  sameCore,
  stable,
  stages,
  type Version,
} from './version.js';

/**
 * How a version follows its predecessor. `prerelease`: same numbers, later stage or stage number; `release`: the prerelease becomes
 * final; otherwise the number that was raised, whether or not the new version is a prerelease.
 */
export type Bump = 'first' | 'major' | 'minor' | 'patch' | 'prerelease' | 'release';

export type SuccessionReason =
  | 'ALREADY_RELEASED'
  | 'SAME_PRECEDENCE'
  | 'NOT_GREATER'
  | 'STAGE_WENT_BACK'
  | 'SKIPPED_NUMBER'
  | 'LOWER_PART_NOT_RESET';

export type Succession = { legal: true; bump: Bump } | { legal: false; bump: Bump | null; reason: SuccessionReason; message: string };

const levels = ['major', 'minor', 'patch'] as const;
type Level = (typeof levels)[number];

/** May `version` come after `previous`, which is the last one of its line? Pure rule; see docs/versions.md. */
export function judgeSuccession(version: Version, previous: Version): Succession {
  const order = compareVersions(version, previous);
  if (order === 0) return judgeEqual(version, previous);
  if (order < 0) return judgeLower(version, previous);
  return sameCore(version, previous) ? judgeStage(version, previous) : judgeCore(version, previous);
}

function judgeEqual(version: Version, previous: Version): Succession {
  if (version.build === previous.build) {
    return { legal: false, bump: null, reason: 'ALREADY_RELEASED', message: `${formatVersion(version)} is released already` };
  }
  const message = `${formatVersion(version)} and ${formatVersion(previous)} differ only in the build: neither is newer than the other`;
  return { legal: false, bump: null, reason: 'SAME_PRECEDENCE', message };
}

function judgeLower(version: Version, previous: Version): Succession {
  const [asked, last] = [formatVersion(version), formatVersion(previous)];
  if (sameCore(version, previous) && version.stage !== null && previous.stage !== null && version.stage !== previous.stage) {
    return {
      legal: false,
      bump: null,
      reason: 'STAGE_WENT_BACK',
      message: `${asked} goes back from ${previous.stage} to ${version.stage} (last: ${last})`,
    };
  }
  return { legal: false, bump: null, reason: 'NOT_GREATER', message: `${asked} is lower than ${last}` };
}

function judgeStage(version: Version, previous: Version): Succession {
  if (!isPrerelease(version)) return { legal: true, bump: 'release' };
  const from = version.stage === previous.stage ? (previous.stageNumber as number) : 0;
  return judgeStageNumber(version, from, 'prerelease');
}

/** Stage numbers go up by one; a new stage starts at 1 (or at 0, as other tools count). */
function judgeStageNumber(version: Version, from: number, bump: Bump): Succession {
  if (version.stageNumber === null || version.stageNumber <= from + 1) return { legal: true, bump };
  const message = `${formatVersion(version)} skips ${version.stage}.${from + 1}`;
  return { legal: false, bump, reason: 'SKIPPED_NUMBER', message };
}

function judgeCore(version: Version, previous: Version): Succession {
  const level = levels.find((name) => version[name] !== previous[name]) as Level;
  const expected = raise(previous, level);
  if (version[level] !== expected[level]) {
    const message = `${formatVersion(version)} skips ${formatCore(expected)} (last: ${formatVersion(previous)})`;
    return { legal: false, bump: level, reason: 'SKIPPED_NUMBER', message };
  }
  const notReset = levels.slice(levels.indexOf(level) + 1).filter((lower) => version[lower] !== 0);
  if (notReset.length > 0) {
    const message = `${level} was raised, so ${notReset.join(' and ')} must be 0: ${formatCore(expected)}, not ${formatCore(version)}`;
    return { legal: false, bump: level, reason: 'LOWER_PART_NOT_RESET', message };
  }
  if (skipsUnreleased(version, previous, level)) {
    const message = `${formatVersion(version)} skips ${formatCore(previous)}, which exists only as ${formatVersion(previous)}`;
    return { legal: false, bump: level, reason: 'SKIPPED_NUMBER', message };
  }
  return judgeStageNumber(version, 0, level);
}

/**
 * After 1.4.0-rc.1 a final 1.5.0 would leave a hole at 1.4.0; 2.0.0 leaves none, since both follow the same 1.3.x. Prereleases of the
 * next minor or major may begin while this one is still on its way; of the next patch not, there is nothing to patch yet.
 */
function skipsUnreleased(version: Version, previous: Version, level: Level): boolean {
  if (!isPrerelease(previous) || levels.indexOf(level) < levels.indexOf(levelOf(previous))) return false;
  return !isPrerelease(version) || level === 'patch';
}

/** The number that was raised to come to these numbers. */
function levelOf(core: Core): Level {
  if (core.patch > 0) return 'patch';
  return core.minor > 0 ? 'minor' : 'major';
}

function raise(core: Core, level: Level): Core {
  if (level === 'major') return { major: core.major + 1, minor: 0, patch: 0 };
  if (level === 'minor') return { major: core.major, minor: core.minor + 1, patch: 0 };
  return { major: core.major, minor: core.minor, patch: core.patch + 1 };
}

/** Every version that may come next, the nearest kind first; new stages begin at 1. Without a previous version: the usual beginnings. */
export function nextLegal(previous: Version | undefined): Version[] {
  if (previous === undefined) return beginnings([stable({ major: 0, minor: 1, patch: 0 }), stable({ major: 1, minor: 0, patch: 0 })]);
  const raised = beginnings([...levels].reverse().map((level) => stable(raise(previous, level))));
  return [...laterStages(previous), ...raised].filter((candidate) => judgeSuccession(candidate, previous).legal);
}

/** The final versions, then their prereleases. */
function beginnings(finals: Version[]): Version[] {
  return [...finals, ...finals.flatMap((core) => stages.map((stage) => prerelease(core, stage, 1)))];
}

function laterStages(previous: Version): Version[] {
  if (previous.stage === null || previous.stageNumber === null) return [];
  const later = stages.slice(stages.indexOf(previous.stage) + 1);
  return [
    prerelease(previous, previous.stage, previous.stageNumber + 1),
    ...later.map((stage) => prerelease(previous, stage, 1)),
    stable(previous),
  ];
}
