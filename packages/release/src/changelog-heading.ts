/** What the text of a heading says, when it is the heading of a release. */
export interface ReleaseHeading {
  kind: 'release';
  /** As written, without tag prefix. */
  version: string;
  /** The first ISO 8601 day in the heading, valid or not. */
  date: string | null;
  /** What stands there in place of a day, as `TBD` or `22/11/2026`; null when there is nothing like it. */
  otherDate: string | null;
  yanked: boolean;
}

export type RecognizedHeading = ReleaseHeading | { kind: 'unreleased' };

/** Nobody reads a heading longer than this; the rest is not looked at. */
const readable = 400;
const isoDay = /\b\d{4}-\d{2}-\d{2}(?!\d)/;
const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*';
const writtenDay = new RegExp(
  `\\b${month}\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4}\\b|\\b\\d{1,2}(?:st|nd|rd|th)?\\.? ${month}\\.?,? \\d{4}\\b`,
  'i',
);
const numericDay = /\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b/;
const placeholder =
  /\b(?:unreleased|not (?:yet )?released|tb[da]|upcoming|pending|yyyy-mm-dd|x{2,4}-x{2}-x{2}|\?{2,4}-\?{2}-\?{2})(?=\W|$)/i;

/**
 * Reads the text of a heading, without its `#` marks. Accepted, and meaning the same: `[1.4.0] - 2026-11-22`, `1.4.0 (2026-11-22)`,
 * `v1.4.0`, `[1.4.0](https://…) (2026-11-22)`, `1.4.0 / 2026-11-22`, `Version 1.4.0`, `2026-11-22, Version 1.4.0`. The version needs at
 * least two numbers and stands at the start. `1.4.0 migration notes` is no release: only a date, a mark such as `-` or `(`, or nothing may follow.
 */
export function recognizeHeading(text: string, tagPrefix = ''): RecognizedHeading | undefined {
  if (!/\d\\?\.\d|unreleased/i.test(text.slice(0, readable))) return undefined;
  const plain = withoutDecoration(text.slice(0, readable));
  if (/^\[?unreleased\]?(?![\w-])/i.test(plain)) return { kind: 'unreleased' };
  const leading = /^(\d{4}-\d{2}-\d{2})[\s,:/-]+/.exec(plain);
  const read = readVersion(plain.slice(leading?.[0].length ?? 0), tagPrefix);
  if (read === undefined) return undefined;
  const { version, tail, named } = read;
  const isoDate = leading?.[1] ?? isoDay.exec(tail)?.[0] ?? null;
  const otherDate = isoDate === null ? findOtherDate(tail) : null;
  if (named && isoDate === null && otherDate === null) return undefined;
  if (!mayFollow(tail) && isoDate === null && otherDate === null) return undefined;
  return { kind: 'release', version, date: isoDate, otherDate, yanked: /\byanked\b/i.test(tail) };
}

/** Whether the heading's date is a placeholder or in figures that can be read in two ways, so that it says no day. */
export function isUnusableDate(otherDate: string): boolean {
  return !writtenDay.test(otherDate);
}

function withoutDecoration(text: string): string {
  return text
    .trim()
    .replace(/^(?:<a\b[^<>]*>(?:<\/a>)?\s*)+/i, '')
    .replace(/^[*_`~]+/, '')
    .replace(/\\([.\-+[\]()_*])/g, '$1');
}

interface ReadVersion {
  version: string;
  /** What follows the version. */
  tail: string;
  /** Words stand in front, as in `Rails 7.0.4`: a release only when a date follows. */
  named: boolean;
}

function readVersion(text: string, tagPrefix: string): ReadVersion | undefined {
  const label = /^(?:version|release)[ \t:]+/i.exec(text)?.[0] ?? '';
  const read = readBare(text.slice(label.length), tagPrefix);
  if (read !== undefined) return { ...read, named: false };
  const name = /^(?:[A-Za-z][\w.-]{0,40} ){1,3}(?=\[?v?\d)/.exec(text)?.[0] ?? '';
  const afterName = name === '' ? undefined : readBare(text.slice(name.length), tagPrefix);
  return afterName && { ...afterName, named: true };
}

function readBare(text: string, tagPrefix: string): Omit<ReadVersion, 'named'> | undefined {
  const bracket = text.startsWith('[');
  const unprefixed = withoutPrefix(bracket ? text.slice(1).trimStart() : text, tagPrefix);
  const version = versionAt(unprefixed);
  if (version === undefined) return undefined;
  const after = unprefixed.slice(version.length);
  if (!bracket) return { version, tail: after.replace(/^[*_`~]+/, '') };
  const close = after.indexOf(']');
  if (close < 0 || after[close + 1] === ':' || !mayFollow(after.slice(0, close))) return undefined;
  const link = /^(?:\([^()\s]*(?: [^()]*)?\)|\[[^[\]]*\])/;
  return {
    version,
    tail: after
      .slice(close + 1)
      .replace(link, '')
      .replace(/^[*_`~]+/, ''),
  };
}

function withoutPrefix(text: string, tagPrefix: string): string {
  if (tagPrefix !== '' && text.startsWith(tagPrefix)) return text.slice(tagPrefix.length);
  return text.replace(/^[vV](?=\d)/, '');
}

/** The longest version at the start: SemVer, and what other ecosystems write, as `1.2`, `7.0.0.rc1` or `2.0b3`. */
function versionAt(text: string): string | undefined {
  const numbers = /^\d{1,16}(?:\.\d{1,16}){1,3}/.exec(text)?.[0];
  if (numbers === undefined) return undefined;
  const rest = text.slice(numbers.length);
  const suffix =
    /^\.?(?:rc|alpha|beta|pre|dev|post|a|b|c)\.?\d+(?![\w.])/i.exec(rest)?.[0] ??
    /^-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*/.exec(rest)?.[0] ??
    '';
  const build = /^\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*/.exec(rest.slice(suffix.length))?.[0] ?? '';
  const end = rest.slice(suffix.length + build.length);
  if (/^(?:\.?\w|\.\*)/.test(end)) return undefined;
  return numbers + suffix + build;
}

/** Nothing, a mark that sets off what follows, or words that speak of the release itself. */
function mayFollow(tail: string): boolean {
  return /^[\s#*_`~]*(?:$|[-–—/([:,|"'.~=<&]|(?:un)?released?\b|yanked\b)/i.test(tail);
}

function findOtherDate(tail: string): string | null {
  return (writtenDay.exec(tail) ?? placeholder.exec(tail) ?? numericDay.exec(tail))?.[0] ?? null;
}
