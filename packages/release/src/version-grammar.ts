import { codePointOf, describeCharacter } from './characters.js';
import { type Stage, stages, type Version } from './version.js';

/** The longest version: as long as an OCI tag may be. */
export const maxVersionLength = 128;

export type GrammarReason =
  | 'EMPTY'
  | 'TOO_LONG'
  | 'ILLEGAL_CHARACTER'
  | 'MISSING_PART'
  | 'TOO_MANY_PARTS'
  | 'LEADING_ZERO'
  | 'NUMBER_TOO_LARGE'
  | 'UNKNOWN_STAGE'
  | 'STAGE_NUMBER_MISSING'
  | 'BAD_BUILD';

/** Where and why a text is not a version. */
export interface GrammarProblem {
  reason: GrammarReason;
  /** 1-based, in characters (code points); one past the end when something is missing there. */
  position: number;
  /** The character found there, as `U+0024`; null at the end of the text. */
  character: string | null;
  /** What is wrong, a sentence without its full stop. */
  message: string;
  /** What may stand at this position. */
  expected: string;
}

export type ParsedVersion = { ok: true; version: Version; prefixed: boolean } | { ok: false; problem: GrammarProblem };

export interface GrammarOptions {
  /** What tags have in front of the version. It may be left out of `text`, unless `prefixRequired`. */
  tagPrefix: string;
  prefixRequired?: boolean;
}

/**
 * Parses `[PREFIX]MAJOR.MINOR.PATCH[-alpha.N|-beta.N|-rc.N][+BUILD]` where BUILD is 4 to 40 lower-case hexadecimal digits (git
 * abbreviates a commit to no fewer than 4). Stricter than SemVer 2.0.0 in stage and build and equal to it in everything else.
 * One pass from left to right, so the time is linear in the length, which is limited too.
 */
export function parseVersion(text: string, options: GrammarOptions): ParsedVersion {
  try {
    return readVersion(new Cursor(text), options);
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, problem: error.problem };
    throw error;
  }
}

/** Ends the reading at the first character that cannot be part of a version; never leaves this file. */
class Mismatch extends Error {
  constructor(readonly problem: GrammarProblem) {
    super(problem.message);
  }
}

class Cursor {
  index = 0;
  constructor(readonly text: string) {}

  get atEnd(): boolean {
    return this.index >= this.text.length;
  }

  /** The whole character here (a surrogate pair is one), or an empty string at the end. */
  get character(): string {
    return this.atEnd ? '' : String.fromCodePoint(this.text.codePointAt(this.index) as number);
  }

  /** Takes the characters that `belongs` accepts; they are all ASCII. */
  takeWhile(belongs: (character: string) => boolean): string {
    const start = this.index;
    while (!this.atEnd && belongs(this.character)) this.index++;
    return this.text.slice(start, this.index);
  }

  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.index)) return false;
    this.index += expected.length;
    return true;
  }

  fail(reason: GrammarReason, message: string, expected: string, at = this.index): never {
    const character = at < this.text.length ? codePointOf(String.fromCodePoint(this.text.codePointAt(at) as number)) : null;
    throw new Mismatch({ reason, position: [...this.text.slice(0, at)].length + 1, character, message, expected });
  }

  illegal(expected: string): never {
    this.fail('ILLEGAL_CHARACTER', `${describeCharacter(this.character)} is not allowed here`, expected);
  }
}

function readVersion(cursor: Cursor, options: GrammarOptions): ParsedVersion {
  if (cursor.text === '') cursor.fail('EMPTY', 'the version is empty', 'a version such as 1.4.0');
  if (cursor.text.length > maxVersionLength) {
    const message = `the version is ${cursor.text.length} characters long, ${maxVersionLength} is the most`;
    cursor.fail('TOO_LONG', message, 'the end of the version', maxVersionLength);
  }
  const prefixed = readPrefix(cursor, options);
  const major = readNumber(cursor, 'major');
  readDot(cursor, 'minor');
  const minor = readNumber(cursor, 'minor');
  readDot(cursor, 'patch');
  const patch = readNumber(cursor, 'patch');
  const { stage, stageNumber } = readStage(cursor);
  const build = readBuild(cursor, stage);
  return { ok: true, prefixed, version: { major, minor, patch, stage, stageNumber, build } };
}

function readPrefix(cursor: Cursor, { tagPrefix, prefixRequired }: GrammarOptions): boolean {
  if (tagPrefix !== '' && cursor.take(tagPrefix)) return true;
  const expected = tagPrefix === '' ? 'a digit' : `the tag prefix "${tagPrefix}"${prefixRequired ? '' : ' or a digit'}`;
  if (tagPrefix !== '' && prefixRequired) cursor.illegal(expected);
  if (!isDigit(cursor.character) && !'.-+'.includes(cursor.character)) cursor.illegal(expected);
  return false;
}

function readNumber(cursor: Cursor, part: string): number {
  const start = cursor.index;
  const digits = cursor.takeWhile(isDigit);
  if (digits === '') {
    if (cursor.atEnd || '.-+'.includes(cursor.character)) cursor.fail('MISSING_PART', `the ${part} number is missing`, 'a digit');
    cursor.illegal('a digit');
  }
  if (digits.length > 1 && digits.startsWith('0')) {
    cursor.fail('LEADING_ZERO', `the ${part} number ${digits} begins with 0`, `${Number(digits)}, without the zeros in front`, start);
  }
  if (!Number.isSafeInteger(Number(digits))) {
    cursor.fail('NUMBER_TOO_LARGE', `the ${part} number ${digits} is too large`, `a number up to ${Number.MAX_SAFE_INTEGER}`, start);
  }
  return Number(digits);
}

function readDot(cursor: Cursor, next: string): void {
  if (cursor.take('.')) return;
  if (cursor.atEnd || '-+'.includes(cursor.character)) {
    cursor.fail('MISSING_PART', `the ${next} number is missing`, `"." and the ${next} number`);
  }
  cursor.illegal('a digit or "."');
}

function readStage(cursor: Cursor): Pick<Version, 'stage' | 'stageNumber'> {
  if (cursor.atEnd || cursor.character === '+') return { stage: null, stageNumber: null };
  if (cursor.character === '.') cursor.fail('TOO_MANY_PARTS', 'a version has three numbers', '"-", "+" or the end');
  if (!cursor.take('-')) cursor.illegal('a digit, "-", "+" or the end');
  const start = cursor.index;
  const word = cursor.takeWhile(isLetter);
  const allowed = 'alpha, beta or rc';
  if (word === '' && !cursor.atEnd && !isDigit(cursor.character) && !'.-+'.includes(cursor.character)) cursor.illegal(allowed);
  if (!isStage(word)) cursor.fail('UNKNOWN_STAGE', word === '' ? 'the stage is missing' : `"${word}" is not a stage`, allowed, start);
  if (cursor.atEnd || cursor.character === '+' || isDigit(cursor.character)) {
    cursor.fail('STAGE_NUMBER_MISSING', `the number of the ${word} is missing`, `"." and a number, as in ${word}.1`);
  }
  if (!cursor.take('.')) cursor.illegal(`"." and a number, as in ${word}.1`);
  if (cursor.atEnd || '.-+'.includes(cursor.character)) {
    cursor.fail('STAGE_NUMBER_MISSING', `the number of the ${word} is missing`, 'a digit');
  }
  return { stage: word, stageNumber: readNumber(cursor, word) };
}

function readBuild(cursor: Cursor, stage: Stage | null): string | null {
  if (cursor.atEnd) return null;
  if (cursor.character === '.') cursor.fail('TOO_MANY_PARTS', `a stage has one number`, '"+" or the end');
  if (!cursor.take('+')) cursor.illegal(stage === null ? 'a digit, "-", "+" or the end' : 'a digit, "+" or the end');
  const start = cursor.index;
  const build = cursor.takeWhile((character) => /^[0-9a-f]$/.test(character));
  const allowed = 'a short commit hash: 4 to 40 of 0-9 and a-f';
  if (!cursor.atEnd) {
    if (!/^[0-9A-Za-z.+-]$/.test(cursor.character)) cursor.illegal(allowed);
    cursor.fail('BAD_BUILD', `${describeCharacter(cursor.character)} is not part of a commit hash`, allowed);
  }
  if (build.length < 4 || build.length > 40) {
    cursor.fail('BAD_BUILD', build === '' ? 'the build is missing' : `the build has ${build.length} characters`, allowed, start);
  }
  return build;
}

const isDigit = (character: string): boolean => character >= '0' && character <= '9' && character.length === 1;
const isLetter = (character: string): boolean => /^[A-Za-z]$/.test(character);
const isStage = (word: string): word is Stage => (stages as readonly string[]).includes(word);
