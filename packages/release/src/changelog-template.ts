import type { Changelog, Release } from './changelog.js';

/** What to put into the file, and where. */
export interface Fix {
  /** The line (1-based) before which `block` is inserted, or from which it takes the place of the lines up to `replaces`. */
  line: number;
  /** The last line that `block` takes the place of; null when it is inserted. */
  replaces: number | null;
  /** Markdown to paste. */
  block: string;
}

/** The heading of a release in the way of the file's newest release; Keep a Changelog's when there is none. */
export function headingFor(changelog: Changelog | undefined, version: string, day: string): string {
  const newest = changelog?.releases[0];
  const text = newest && changelog ? (changelog.source.lines[newest.line - 1] ?? '') : '[';
  const prefix = /^[\s#]*\[?v\d/.test(text) ? 'v' : '';
  const name = text.includes('[') || changelog?.releases.length === 0 ? `[${prefix}${version}]` : prefix + version;
  return `${'#'.repeat(Math.min(newest?.level ?? 2, 2))} ${name} - ${day}`;
}

/** A whole section, to be filled in. */
export function sectionBlock(heading: string): string {
  return `${heading}\n\n### Added\n\n- …`;
}

/** A new section where the newest release begins, or at the end. Entries under `Unreleased` become the section by a heading below its own. */
export function insertSection(changelog: Changelog, version: string, day: string): Fix {
  const heading = headingFor(changelog, version, day);
  const { unreleased, releases, source } = changelog;
  if (unreleased && !unreleased.empty) {
    const kept = source.lines.slice(unreleased.line - 1, unreleased.headingEndLine).join('\n');
    return { line: unreleased.line, replaces: unreleased.headingEndLine, block: `${kept}\n\n${heading}` };
  }
  const line = releases[0]?.line ?? (unreleased ? unreleased.endLine + 1 : source.lines.length + 1);
  return { line, replaces: null, block: `${sectionBlock(heading)}\n` };
}

/** The release's heading again, with a date. */
export function replaceHeading(changelog: Changelog, release: Release, day: string): Fix {
  return { line: release.line, replaces: release.headingEndLine, block: headingFor(changelog, release.version, day) };
}

/** Entries below a heading that is there. */
export function addEntries(release: Release): Fix {
  return { line: release.headingEndLine + 1, replaces: null, block: '\n### Added\n\n- …' };
}
