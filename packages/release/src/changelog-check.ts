import type { Outcome } from '@slipway/core';
import type { Changelog, Release, Section } from './changelog.js';
import { utcDay } from './changelog-date.js';
import { findHiddenHeading, type HiddenHeading } from './changelog-hidden.js';
import { notesOf } from './changelog-notes.js';
import type { Flaw, HidingPlace, Range } from './changelog-outline.js';
import { type ChangelogProblem, findProblems, releaseProblems, withoutBuildMetadata } from './changelog-problems.js';
import { addEntries, type Fix, headingFor, insertSection, replaceHeading } from './changelog-template.js';
import { formatVersion, type Version } from './version.js';

export type ChangelogReason =
  | 'FOUND'
  | 'VERSION_MISSING'
  | 'IN_CODE'
  | 'IN_COMMENT'
  | 'IN_DETAILS'
  | 'IN_HTML'
  | 'IN_QUOTE'
  | 'IN_LIST'
  | 'NOT_A_HEADING'
  | 'UNCLOSED_FENCE'
  | 'UNCLOSED_HTML'
  | 'NESTED_TOO_DEEP'
  | 'DUPLICATE_VERSION'
  | 'VERSION_YANKED'
  | 'DATE_INVALID'
  | 'DATE_IN_FUTURE'
  | 'EMPTY_SECTION';

export interface ChangelogVerdict {
  outcome: Outcome;
  reason: ChangelogReason;
  /** One sentence, with the line it speaks of. */
  summary: string;
  next: string[];
  /** Where to annotate; null when there is no such line. */
  line: number | null;
  /** What to paste and where; null when nothing is wrong. */
  fix: Fix | null;
  /** The version's section, when there is exactly one. */
  release: Release | null;
  /** The section's text; empty unless the outcome is `pass`. */
  notes: string;
  /** Everything else wrong in the file, which does not stop this release. */
  warnings: ChangelogProblem[];
}

export interface ChangelogQuestion {
  changelog: Changelog;
  version: Version;
  tagPrefix: string;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Has the changelog a section for this version, that is displayed, dated and filled? Pure; every rule of docs/changelog.md. */
export function checkChangelog(question: ChangelogQuestion): ChangelogVerdict {
  const wanted = withoutBuildMetadata(formatVersion(question.version));
  const sections = question.changelog.releases.filter((release) => withoutBuildMetadata(release.version) === wanted);
  const displayed = sections.filter((release) => release.foldedBy === null);
  const [release, second] = displayed;
  if (release === undefined) return notDisplayed(question, wanted, sections[0]);
  if (second !== undefined) return duplicated(question, release, second);
  return checkSection(question, release);
}

function checkSection(question: ChangelogQuestion, release: Release): ChangelogVerdict {
  const { changelog, now } = question;
  const { version, line } = release;
  const flaw = changelog.outline.flaws.find((candidate) => candidate.line >= line && candidate.line <= release.endLine);
  if (flaw && flaw.endLine >= release.endLine) return flawed(question, flaw, `, in the section of ${version}`, release);
  if (release.yanked) {
    const summary = `${version} is marked as YANKED (line ${line}): a withdrawn version is not released.`;
    return verdict(question, 'VERSION_YANKED', {
      summary,
      line,
      release,
      next: ['Release the next version, or take the mark away if it is a mistake.'],
    });
  }
  const blocking = releaseProblems(release, now).find(isBlocking);
  if (blocking) {
    const fix = blocking.code === 'EMPTY_SECTION' ? addEntries(release) : replaceHeading(changelog, release, utcDay(now));
    return verdict(question, blocking.code, { summary: `Line ${line}: ${blocking.message}.`, line, release, fix });
  }
  const again = findHiddenHeading(changelog, withoutBuildMetadata(version), question.tagPrefix);
  if (again?.range.place === 'code' && isOnlyContent(changelog, release, again.range)) return onlyCode(question, release, again);
  const summary = `The changelog has a section for ${version} (lines ${line}–${release.endLine}).`;
  return { ...verdict(question, 'FOUND', { summary, line, release }), outcome: 'pass', notes: notesOf(changelog, release) };
}

/** Somebody put a heading above the code block in which the section was forgotten: displayed, it is still code. */
function onlyCode(question: ChangelogQuestion, release: Release, { line, range }: HiddenHeading): ChangelogVerdict {
  const summary = `The section of ${release.version} (line ${release.line}) is nothing but the code block that begins in line ${range.line}, with the heading once more in line ${line}.`;
  const next = [`Take the entries out of the code block: remove its fences (or indentation) and the heading in line ${line}.`];
  return verdict(question, 'IN_CODE', { summary, line, release, next });
}

/** Whether a section shows nothing but what is in `range`. */
function isOnlyContent({ outline }: Changelog, section: Section, range: Range): boolean {
  const shown = outline.content.filter(({ line }) => line > section.headingEndLine && line <= section.endLine);
  return shown.length > 0 && shown.every(({ line, endLine }) => line <= range.line && range.endLine <= endLine);
}

function isBlocking(
  problem: ChangelogProblem,
): problem is ChangelogProblem & { code: 'DATE_INVALID' | 'DATE_IN_FUTURE' | 'EMPTY_SECTION' } {
  return problem.code === 'DATE_INVALID' || problem.code === 'DATE_IN_FUTURE' || problem.code === 'EMPTY_SECTION';
}

function duplicated(question: ChangelogQuestion, first: Release, second: Release): ChangelogVerdict {
  const summary = `${first.version} has two sections, in lines ${first.line} and ${second.line}: which one is meant?`;
  return verdict(question, 'DUPLICATE_VERSION', {
    summary,
    line: second.line,
    next: [`Move the entries below line ${second.line} to the section in line ${first.line} and take the second heading away.`],
  });
}

function notDisplayed(question: ChangelogQuestion, wanted: string, folded: Release | undefined): ChangelogVerdict {
  const fix = insertSection(question.changelog, wanted, utcDay(question.now));
  if (folded) {
    const summary = `The heading of ${wanted} (line ${folded.line}) is folded away in the <details> of line ${folded.foldedBy}.`;
    return verdict(question, 'IN_DETAILS', { summary, line: folded.line, next: [`Move it out, above line ${folded.foldedBy}.`] });
  }
  const hidden = findHiddenHeading(question.changelog, wanted, question.tagPrefix);
  if (hidden) return hiddenBy(question, wanted, hidden, sectionBeside(question, wanted, hidden.range) ?? fix);
  const tooDeep = question.changelog.outline.flaws.find(({ code }) => code === 'NESTED_TOO_DEEP');
  if (tooDeep) return flawed(question, tooDeep, `; no section for ${wanted} was found above it`);
  return missing(question, wanted, fix);
}

/** Where `Unreleased` shows nothing but the place that hides the heading, a heading above that place would be one of nothing. */
function sectionBeside({ changelog, now }: ChangelogQuestion, wanted: string, range: Range): Fix | undefined {
  const { unreleased } = changelog;
  if (unreleased === null || !isOnlyContent(changelog, unreleased, range)) return undefined;
  return insertSection({ ...changelog, unreleased: { ...unreleased, empty: true } }, wanted, utcDay(now));
}

function missing(question: ChangelogQuestion, wanted: string, fix: Fix): ChangelogVerdict {
  const { releases, unreleased } = question.changelog;
  const newest = releases[0] ? `the newest is ${releases[0].version} (line ${releases[0].line})` : 'it has no release at all';
  const pending =
    unreleased && !unreleased.empty ? `; the entries under Unreleased (line ${unreleased.line}) are not in a release yet` : '';
  const summary = `The changelog has no section for ${wanted}: ${newest}${pending}.`;
  return verdict(question, 'VERSION_MISSING', { summary, line: fix.line, fix });
}

const hidingReasons: Readonly<Record<HidingPlace, ChangelogReason>> = {
  code: 'IN_CODE',
  comment: 'IN_COMMENT',
  details: 'IN_DETAILS',
  html: 'IN_HTML',
  quote: 'IN_QUOTE',
  list: 'IN_LIST',
  paragraph: 'NOT_A_HEADING',
};

const hidingWords: Readonly<Record<HidingPlace, string>> = {
  code: 'in a code block',
  comment: 'in an HTML comment',
  details: 'in a <details> element',
  html: 'in an HTML block',
  quote: 'in a block quote',
  list: 'in a list',
  paragraph: 'in a line of text: a Markdown heading is "#" to "######", then a space',
};

function hiddenBy(question: ChangelogQuestion, wanted: string, { line, range }: HiddenHeading, fix: Fix): ChangelogVerdict {
  const flaw = question.changelog.outline.flaws.find((candidate) => candidate.code === range.unclosed && candidate.line === range.line);
  if (flaw) return flawed(question, flaw, `, the heading of ${wanted} in line ${line} too`);
  const place = range.place === 'paragraph' || range.line === line ? '' : ` that begins in line ${range.line}`;
  const summary = `${wanted} is in line ${line}, but only ${hidingWords[range.place]}${place}, where it is no heading of a release.`;
  // A line that was meant as the heading becomes it; elsewhere (an example, a quote) it may stay and a section is added.
  const better =
    range.place === 'paragraph' ? { line, replaces: line, block: headingFor(question.changelog, wanted, utcDay(question.now)) } : fix;
  return verdict(question, hidingReasons[range.place], { summary, line, fix: better });
}

/** Something above or in the section makes the rest of the file unreadable, so nothing below can be trusted. */
function flawed(question: ChangelogQuestion, flaw: Flaw, where: string, release: Release | null = null): ChangelogVerdict {
  const summary = `Line ${flaw.line}: ${flaw.message}${where}.`;
  const next = [
    flaw.code === 'NESTED_TOO_DEEP' ? `Flatten the list or quote in line ${flaw.line}.` : `Close what line ${flaw.line} opens.`,
  ];
  return verdict(question, flaw.code, { summary, line: flaw.line, next, release, fix: closing(question, flaw) });
}

/** The end of the fence or comment goes before the first blank line, the likeliest place of what was forgotten. */
function closing({ changelog }: ChangelogQuestion, flaw: Flaw): Fix | null {
  if (flaw.code === 'NESTED_TOO_DEEP') return null;
  const opening = (changelog.source.lines[flaw.line - 1] ?? '').trim();
  const fence = /^(`{3,}|~{3,})/.exec(opening)?.[1];
  const block = fence ?? (opening.startsWith('<!--') ? '-->' : undefined);
  if (block === undefined) return null;
  const blank = changelog.source.lines.findIndex((text, index) => index >= flaw.line && text.trim() === '');
  return { line: (blank < 0 ? changelog.source.lines.length : blank) + 1, replaces: null, block };
}

type Found = Pick<ChangelogVerdict, 'summary' | 'line'> & Partial<Pick<ChangelogVerdict, 'next' | 'release' | 'fix'>>;

function verdict({ changelog, now }: ChangelogQuestion, reason: ChangelogReason, found: Found): ChangelogVerdict {
  const fix = found.fix ?? null;
  return {
    outcome: 'fail',
    reason,
    summary: found.summary,
    next: [...(found.next ?? []), ...(fix ? [instruction(fix)] : [])],
    line: found.line,
    fix,
    release: found.release ?? null,
    notes: '',
    warnings: findProblems(changelog, now).filter(({ code, line }) => code !== reason || line !== found.line),
  };
}

/** Where the block of a fix goes; the block itself is shown below it. */
function instruction({ line, replaces }: Fix): string {
  if (replaces === null) return `Insert the block below before line ${line}.`;
  return line === replaces ? `Replace line ${line} by the block below.` : `Replace lines ${line} to ${replaces} by the block below.`;
}
