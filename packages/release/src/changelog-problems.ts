import type { SemVer } from 'semver';
import compareSemver from 'semver/functions/compare.js';
import parseSemver from 'semver/functions/parse.js';
import type { Changelog, Release } from './changelog.js';
import { isCalendarDay, isInFuture } from './changelog-date.js';
import { isUnusableDate } from './changelog-heading.js';

/** What can be wrong with a changelog, whichever version is released. */
export const changelogProblemCodes = {
  UNCLOSED_FENCE: 'A code fence is never closed; everything below it is code.',
  UNCLOSED_HTML: 'An HTML comment or block is never closed; everything below it is hidden.',
  NESTED_TOO_DEEP: 'Lists or quotes are nested so deeply that what follows cannot be read.',
  DUPLICATE_VERSION: 'A version has two sections.',
  EMPTY_SECTION: 'A section has no entries.',
  DATE_INVALID: 'A date is not a day of the calendar, or a placeholder stands in its place.',
  DATE_IN_FUTURE: 'A date has not begun in any time zone.',
  DATE_MISSING: 'A heading has no date.',
  OUT_OF_ORDER: 'A section stands above one that is newer.',
  BYTE_ORDER_MARK: 'The file begins with a byte order mark, which hides a heading in line 1 from many tools.',
  CR_LINE_ENDINGS: 'Lines end with a bare carriage return, so git and many tools see a single line.',
  MIXED_LINE_ENDINGS: 'Lines end in different ways.',
} as const;

export type ChangelogProblemCode = keyof typeof changelogProblemCodes;

export interface ChangelogProblem {
  code: ChangelogProblemCode;
  /** 1-based. */
  line: number;
  message: string;
}

/** Everything wrong in the file, in the order of its lines. `now` (milliseconds since the epoch) tells which dates are in the future. */
export function findProblems(changelog: Changelog, now: number): ChangelogProblem[] {
  const problems = [
    ...textProblems(changelog),
    ...changelog.outline.flaws.map(({ code, line, message }) => ({ code, line, message })),
    ...duplicates(changelog),
    ...changelog.releases.flatMap((release) => releaseProblems(release, now)),
    ...disorder(changelog.releases),
  ];
  return problems.sort((a, b) => a.line - b.line);
}

/** What is wrong with one release's heading and section. */
export function releaseProblems(release: Release, now: number): ChangelogProblem[] {
  const { line, version } = release;
  const problems: ChangelogProblem[] = [];
  const date = dateProblem(release, now);
  if (date !== undefined) problems.push({ line, ...date });
  if (release.empty && !release.yanked) problems.push({ code: 'EMPTY_SECTION', line, message: `the section of ${version} has no entries` });
  return problems;
}

/** Sections of the same version; those folded into `<details>` are not compared with the others. */
function duplicates({ releases }: Changelog): ChangelogProblem[] {
  const seen = new Map<string, Release>();
  const problems: ChangelogProblem[] = [];
  for (const release of releases.filter(({ foldedBy }) => foldedBy === null)) {
    const key = withoutBuildMetadata(release.version);
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, release);
    else problems.push({ code: 'DUPLICATE_VERSION', line: release.line, message: `${key} has a section in line ${earlier.line} already` });
  }
  return problems;
}

/** Build metadata does not count: the commit's hash cannot be known when its changelog is written. */
export function withoutBuildMetadata(version: string): string {
  return version.split('+', 1)[0] as string;
}

function dateProblem({ version, date, otherDate }: Release, now: number): Omit<ChangelogProblem, 'line'> | undefined {
  if (date === null) {
    if (otherDate === null) return { code: 'DATE_MISSING', message: `the heading of ${version} has no date` };
    if (!isUnusableDate(otherDate)) return undefined;
    return { code: 'DATE_INVALID', message: `"${otherDate}" in the heading of ${version} is not a date of the form YYYY-MM-DD` };
  }
  if (!isCalendarDay(date)) return { code: 'DATE_INVALID', message: `${date} in the heading of ${version} is not a day of the calendar` };
  if (isInFuture(date, now)) return { code: 'DATE_IN_FUTURE', message: `${date} in the heading of ${version} is in the future` };
  return undefined;
}

/**
 * A section belongs above all older ones. A fix of an old line may stand above a higher version when its date is not the earlier one.
 * A file that is in rising order throughout is in order too.
 */
function disorder(releases: readonly Release[]): ChangelogProblem[] {
  const parsed = releases.map((release) => ({ ...release, semver: parseSemver(release.version) }));
  const pairs = parsed.slice(1).map((below, index) => ({ above: parsed[index] as Ordered, below }));
  const rising = pairs.filter(({ above, below }) => isHigher(below, above));
  if (rising.length === pairs.length) return [];
  return rising
    .filter(({ above, below }) => above.date === null || below.date === null || above.date < below.date)
    .map(({ above, below }) => {
      const message = `${above.version} stands above ${below.version} (line ${below.line}), which is newer`;
      return { code: 'OUT_OF_ORDER', line: above.line, message };
    });
}

/** Versions that are not SemVer have no order. */
type Ordered = Release & { semver: SemVer | null };

function isHigher(a: Ordered, b: Ordered): boolean {
  return a.semver !== null && b.semver !== null && compareSemver(a.semver, b.semver) > 0;
}

function textProblems({ source }: Changelog): ChangelogProblem[] {
  const problems: ChangelogProblem[] = [];
  if (source.byteOrderMark) problems.push({ code: 'BYTE_ORDER_MARK', line: 1, message: 'the file begins with a byte order mark (U+FEFF)' });
  if (source.lineEndings === 'cr') problems.push({ code: 'CR_LINE_ENDINGS', line: 1, message: 'lines end with a carriage return alone' });
  if (source.lineEndings === 'mixed') problems.push({ code: 'MIXED_LINE_ENDINGS', line: 1, message: 'lines end in different ways' });
  return problems;
}
