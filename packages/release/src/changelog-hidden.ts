import type { Changelog } from './changelog.js';
import { recognizeHeading } from './changelog-heading.js';
import type { HiddenRange } from './changelog-outline.js';
import { withoutBuildMetadata } from './changelog-problems.js';

/** A line that names the version like a heading would, in a place where it is none. */
export interface HiddenHeading {
  /** 1-based. */
  line: number;
  range: HiddenRange;
}

/** Looks for the version's heading where it does not count: in code, comments, HTML, quotes, lists, and lines that only look like one. */
export function findHiddenHeading(changelog: Changelog, version: string, tagPrefix: string): HiddenHeading | undefined {
  for (const range of changelog.outline.hidden) {
    for (let line = range.line; line <= range.endLine; line++) {
      const text = changelog.source.lines[line - 1] ?? '';
      const below = changelog.source.lines[line] ?? '';
      if (namesVersion(text, below, range, version, tagPrefix)) return { line, range };
    }
  }
  return undefined;
}

function namesVersion(text: string, below: string, range: HiddenRange, version: string, tagPrefix: string): boolean {
  const shown = text.slice(0, 400).replace(/^[\s>]*(?:[-+*]\s+|\d{1,9}[.)]\s+|<!--\s*)*/, '');
  const marks = /^#{1,}[ \t]*/.exec(shown)?.[0] ?? '';
  const underlined = /^[\s>]*(?:=+|-+)\s*$/.test(below.slice(0, 400));
  const emphasized = /^(?:\*\*|__)/.test(shown);
  // Text that merely mentions a version is no heading; one has to look like it.
  if (marks === '' && !underlined && !(range.place === 'paragraph' && emphasized) && !/<h[1-6]\b/i.test(shown)) return false;
  const recognized = recognizeHeading(shown.slice(marks.length).replace(/^<h[1-6][^<>]*>/i, ''), tagPrefix);
  return recognized?.kind === 'release' && withoutBuildMetadata(recognized.version) === version;
}
