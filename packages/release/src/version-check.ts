import type { OperationError, Outcome } from '@slipway/core';
import { printable } from './characters.js';
import type { GitTag, RepositoryTags } from './git-tags.js';
import { choosePrevious, highest } from './release-line.js';
import { compareVersions, dockerTag, formatVersion, isPrerelease, type Version } from './version.js';
import { type GrammarProblem, type GrammarReason, parseVersion } from './version-grammar.js';
import { suggestVersion } from './version-repair.js';
import { type Bump, judgeSuccession, nextLegal, type SuccessionReason } from './version-succession.js';

export type VersionReason =
  | 'LEGAL'
  | 'FIRST_RELEASE'
  | GrammarReason
  | SuccessionReason
  | 'BUILD_NOT_THIS_COMMIT'
  | 'NOT_A_REPOSITORY'
  | 'GIT_FAILED'
  | 'SHALLOW_CLONE'
  | 'NO_TAG_WITH_PREFIX';

/** What the version is compared with: one version, nothing (a first release), or the tags of the repository, if they could be read. */
export type Baseline =
  | { from: 'given'; version: Version }
  | { from: 'none' }
  | { from: 'tags'; repository: RepositoryTags }
  | { from: 'unreadable'; error: OperationError };

export interface VersionQuestion {
  /** As the user wrote it, with or without the tag prefix. */
  text: string;
  /** An empty string: tags are bare versions. */
  tagPrefix: string;
  baseline: Baseline;
}

export interface VersionVerdict {
  outcome: Outcome;
  reason: VersionReason;
  /** One sentence a person can act on. */
  summary: string;
  next: string[];
  details: VersionDetails;
}

/** Facts about the version; those that could not be found out are null. */
export interface VersionDetails extends Record<string, unknown> {
  /** As given, on one line and with everything invisible shown. */
  input: string;
  version: string | null;
  major: number | null;
  minor: number | null;
  patch: number | null;
  stage: string | null;
  stageNumber: number | null;
  build: string | null;
  prerelease: boolean | null;
  tag: string | null;
  dockerTag: string | null;
  previous: string | null;
  bump: Bump | null;
  /** Versions that may follow `previous`, nearest first. */
  nextLegal: string[];
  /** Where the grammar was left; null when the version is well formed. */
  problem: GrammarProblem | null;
  didYouMean: string | null;
}

/** May this version be released now? Pure: every rule of docs/versions.md, in the order in which they are written there. */
export function checkVersion(question: VersionQuestion): VersionVerdict {
  const parsed = parseVersion(question.text, question);
  if (!parsed.ok) return malformed(question, parsed.problem);
  const { version } = parsed;
  const { baseline } = question;
  if (baseline.from === 'none') return first(question, version);
  if (baseline.from === 'given') return succeed(question, version, baseline.version);
  if (baseline.from === 'unreadable') return unreadable(question, version, baseline.error);
  return checkAgainstTags(question, version, baseline.repository);
}

/** The tags that are versions, by the grammar with the prefix. */
export function releasedVersions(tags: readonly GitTag[], tagPrefix: string): { version: Version; tag: GitTag }[] {
  return tags.flatMap((tag) => {
    const parsed = parseVersion(tag.name, { tagPrefix, prefixRequired: true });
    return parsed.ok ? [{ version: parsed.version, tag }] : [];
  });
}

function checkAgainstTags(question: VersionQuestion, version: Version, repository: RepositoryTags): VersionVerdict {
  const released = releasedVersions(repository.tags, question.tagPrefix);
  const own = released.find((other) => formatVersion(other.version) === formatVersion(version))?.tag;
  const others = released.filter(({ tag }) => tag !== own).map((other) => other.version);
  const commit = own?.commit ?? repository.head;
  const previous = choosePrevious(version, others);
  if (own && repository.head !== null && own.commit !== repository.head) {
    const message = `the tag ${own.name} exists and points to ${short(own.commit)}, not to ${short(repository.head)}, which is checked out`;
    return refuse(question, version, highest(others.concat(version)), { reason: 'ALREADY_RELEASED', message });
  }
  if (version.build !== null && commit !== null && !commit.startsWith(version.build)) {
    const message = `the build ${version.build} is not the commit ${short(commit)} that is released`;
    return refuse(question, version, previous, { reason: 'BUILD_NOT_THIS_COMMIT', message });
  }
  const twin = others.find((other) => compareVersions(other, version) === 0);
  if (twin) return succeed(question, version, twin);
  return previous ? succeed(question, version, previous) : firstByTags(question, version, repository);
}

function unreadable(question: VersionQuestion, version: Version, error: OperationError): VersionVerdict {
  const details = { ...describe(question, version, { unknown: true }), ...error.details };
  return { outcome: 'error', reason: error.reason as VersionReason, summary: error.message, next: [...error.next], details };
}

function firstByTags(question: VersionQuestion, version: Version, repository: RepositoryTags): VersionVerdict {
  if (repository.shallow) {
    return {
      outcome: 'error',
      reason: 'SHALLOW_CLONE',
      summary: `${formatVersion(version)} cannot be compared: the clone is shallow and holds no earlier version tag.`,
      next: [
        'Set `fetch-depth: 0` (or `fetch-tags: true`) in the actions/checkout step.',
        'Or give the input `previous`: a version, or `none` for a first release.',
      ],
      details: describe(question, version, { unknown: true }),
    };
  }
  const otherPrefix = question.tagPrefix === '' ? 'v' : '';
  const misnamed = releasedVersions(repository.tags, otherPrefix).filter(({ tag }) => !tag.name.startsWith(question.tagPrefix || '\0'));
  if (misnamed.length > 0 && ['', 'v'].includes(question.tagPrefix)) return noTagWithPrefix(question, version, misnamed, otherPrefix);
  return first(question, version);
}

function noTagWithPrefix(question: VersionQuestion, version: Version, misnamed: { tag: GitTag }[], otherPrefix: string): VersionVerdict {
  const wanted = question.tagPrefix === '' ? 'is a bare version' : `begins with "${question.tagPrefix}"`;
  const example = misnamed[misnamed.length - 1]?.tag.name;
  return {
    outcome: 'error',
    reason: 'NO_TAG_WITH_PREFIX',
    summary: `No version tag ${wanted}, but ${misnamed.length} would be versions with another prefix (${example}): which of them counts?`,
    next: [
      `Set the input \`tag-prefix\` to \`${otherPrefix || 'none'}\`.`,
      'Or give the input `previous`: a version, or `none` for a first release.',
    ],
    details: describe(question, version, { unknown: true }),
  };
}

function first(question: VersionQuestion, version: Version): VersionVerdict {
  const summary = `${formatVersion(version)} is the first release: there is no earlier version to compare it with.`;
  return { outcome: 'pass', reason: 'FIRST_RELEASE', summary, next: [], details: describe(question, version, { bump: 'first' }) };
}

function succeed(question: VersionQuestion, version: Version, previous: Version): VersionVerdict {
  const succession = judgeSuccession(version, previous);
  if (!succession.legal) return refuse(question, version, previous, succession);
  const kind = describeBump(version, succession.bump);
  const summary = `${formatVersion(version)} is legal: ${kind} after ${formatVersion(previous)}.`;
  return { outcome: 'pass', reason: 'LEGAL', summary, next: [], details: describe(question, version, { previous, bump: succession.bump }) };
}

function describeBump(version: Version, bump: Bump): string {
  if (bump === 'prerelease') return 'the next prerelease';
  if (bump === 'release') return 'the final release';
  return isPrerelease(version) ? `a prerelease of the next ${bump} release` : `a ${bump} release`;
}

interface Refusal {
  reason: VersionReason;
  message: string;
  bump?: Bump | null;
}

function refuse(question: VersionQuestion, version: Version, previous: Version | undefined, refusal: Refusal): VersionVerdict {
  const next = legalNext(question.tagPrefix, previous);
  return {
    outcome: 'fail',
    reason: refusal.reason,
    summary: sentence(refusal.message),
    next: [next],
    details: describe(question, version, { previous, bump: refusal.bump ?? null }),
  };
}

function malformed(question: VersionQuestion, problem: GrammarProblem): VersionVerdict {
  const didYouMean = suggestVersion(question.text, question.tagPrefix) ?? null;
  const previous = lastKnown(question);
  const unknown = previous === undefined && !isFirst(question);
  const legal = unknown ? tagsNeeded : legalNext(question.tagPrefix, previous);
  const next = [...(didYouMean === null ? [] : [`Did you mean ${didYouMean}?`]), legal];
  return {
    outcome: 'fail',
    reason: problem.reason,
    summary: `"${printable(question.text)}" is not a version: at character ${problem.position} ${problem.message}; expected ${problem.expected}.`,
    next,
    details: { ...describe(question, undefined, { previous, unknown }), problem, didYouMean },
  };
}

/** The version that the next one would follow, as far as that can be said without knowing the next one. */
function lastKnown({ baseline, tagPrefix }: VersionQuestion): Version | undefined {
  if (baseline.from === 'given') return baseline.version;
  if (baseline.from !== 'tags') return undefined;
  return highest(releasedVersions(baseline.repository.tags, tagPrefix).map((released) => released.version));
}

const tagsNeeded = 'To be told what is legal next, fetch the tags (`fetch-depth: 0` in actions/checkout) or give the input `previous`.';

/** Whether it is known that nothing was released; tags that could not be read, or are cut off, do not say so. */
function isFirst({ baseline }: VersionQuestion): boolean {
  return baseline.from === 'none' || (baseline.from === 'tags' && !baseline.repository.shallow);
}

function legalNext(tagPrefix: string, previous: Version | undefined): string {
  const nearest = nextLegal(previous)
    .slice(0, 3)
    .map((version) => tagPrefix + formatVersion(version));
  return `Legal next${previous ? ` after ${formatVersion(previous)}` : ''}: ${nearest.join(', ')}.`;
}

function describe(
  question: VersionQuestion,
  version: Version | undefined,
  known: { previous?: Version | undefined; bump?: Bump | null; unknown?: boolean },
): VersionDetails {
  return {
    input: printable(question.text, 128),
    version: version ? formatVersion(version) : null,
    major: version?.major ?? null,
    minor: version?.minor ?? null,
    patch: version?.patch ?? null,
    stage: version?.stage ?? null,
    stageNumber: version?.stageNumber ?? null,
    build: version?.build ?? null,
    prerelease: version ? isPrerelease(version) : null,
    tag: version ? question.tagPrefix + formatVersion(version) : null,
    dockerTag: version ? dockerTag(version) : null,
    previous: known.previous ? formatVersion(known.previous) : null,
    bump: known.bump ?? null,
    nextLegal: known.unknown ? [] : nextLegal(known.previous).map(formatVersion),
    problem: null,
    didYouMean: null,
  };
}

const short = (commit: string): string => commit.slice(0, 7);
const sentence = (message: string): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
