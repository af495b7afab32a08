import { type RecognizedHeading, recognizeHeading } from './changelog-heading.js';
import { type Heading, type Outline, outlineOf, type Range } from './changelog-outline.js';
import type { ChangelogSource } from './changelog-source.js';

/** A section of the changelog: from its heading down to the line before the next one. Lines are 1-based, both included. */
export interface Section extends Range {
  /** The last line of the heading itself (a setext heading has two). */
  headingEndLine: number;
  level: number;
  /** Nothing but headings, comments and link definitions below the heading. */
  empty: boolean;
}

export interface Release extends Section {
  /** As in the heading, without tag prefix. */
  version: string;
  /** ISO 8601 day as written, perhaps not in the calendar; null when the heading has none. */
  date: string | null;
  otherDate: string | null;
  yanked: boolean;
  /** The line of the `<details>` in which the heading is folded away, if it is. */
  foldedBy: number | null;
}

export interface Changelog {
  source: ChangelogSource;
  outline: Outline;
  /** In the order of the file. */
  releases: Release[];
  unreleased: Section | null;
}

export interface ChangelogOptions {
  /** What headings may have in front of the version, besides `v`. */
  tagPrefix?: string;
}

/**
 * Reads a changelog by its CommonMark block structure, so that only what is displayed as a heading counts as one. A release is a heading
 * of any level that `recognizeHeading` reads; it lasts to the next release, to `Unreleased`, or to another heading of a higher rank.
 */
export function parseChangelog(source: ChangelogSource, { tagPrefix = '' }: ChangelogOptions = {}): Changelog {
  const outline = outlineOf(source);
  const marked = outline.headings.map((heading): MarkedHeading => ({ heading, recognized: recognizeHeading(heading.text, tagPrefix) }));
  const changelog: Changelog = { source, outline, releases: [], unreleased: null };
  const isContent = contentLookup(outline.content);
  for (const [index, { heading, recognized }] of marked.entries()) {
    if (recognized === undefined) continue;
    let end = index + 1;
    while (end < marked.length && !endsSection(marked[end] as MarkedHeading, heading)) end++;
    const endLine = (marked[end]?.heading.line ?? source.lines.length + 1) - 1;
    const section = sectionOf(heading, endLine, isContent);
    if (recognized.kind === 'release') changelog.releases.push(releaseOf(section, heading, recognized));
    else changelog.unreleased ??= section;
  }
  return changelog;
}

interface MarkedHeading {
  heading: Heading;
  recognized: RecognizedHeading | undefined;
}

function endsSection(next: MarkedHeading, current: Heading): boolean {
  return next.recognized !== undefined || next.heading.level < current.level;
}

type ContentLookup = (line: number, endLine: number) => boolean;

function sectionOf(heading: Heading, endLine: number, isContent: ContentLookup): Section {
  const { line, level } = heading;
  return { line, endLine, level, headingEndLine: heading.endLine, empty: !isContent(heading.endLine + 1, endLine) };
}

function releaseOf(section: Section, heading: Heading, recognized: RecognizedHeading & { kind: 'release' }): Release {
  const { version, date, otherDate, yanked } = recognized;
  return { version, date, otherDate, yanked, foldedBy: heading.foldedBy, ...section };
}

/** Whether any content starts in a range of lines; the content is in the order of the file. */
function contentLookup(content: readonly Range[]): ContentLookup {
  return (line, endLine) => {
    let low = 0;
    let high = content.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((content[middle] as Range).line < line) low = middle + 1;
      else high = middle;
    }
    return low < content.length && (content[low] as Range).line <= endLine;
  };
}
