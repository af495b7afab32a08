import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import valid from 'semver/functions/valid.js';
import { formatVersion, parseVersion, suggestVersion } from '../src/index.js';
import { anyVersion } from './arbitraries.js';

const parse = (text: string, tagPrefix = 'v') => parseVersion(text, { tagPrefix });

describe('versions that are well formed', () => {
  it.each([
    ['v1.4.0', [1, 4, 0, null, null, null]],
    ['1.4.0', [1, 4, 0, null, null, null]],
    ['v0.0.0', [0, 0, 0, null, null, null]],
    ['v1.4.0-alpha.0', [1, 4, 0, 'alpha', 0, null]],
    ['v1.4.0-beta.12', [1, 4, 0, 'beta', 12, null]],
    ['v1.4.0-rc.1+3f2c1ab', [1, 4, 0, 'rc', 1, '3f2c1ab']],
    ['v1.4.0+0000', [1, 4, 0, null, null, '0000']],
    ['v9007199254740991.0.0', [9007199254740991, 0, 0, null, null, null]],
  ])('%s', (text, parts) => {
    const parsed = parse(text);
    const v = parsed.ok ? parsed.version : undefined;
    expect(v && [v.major, v.minor, v.patch, v.stage, v.stageNumber, v.build]).toEqual(parts);
    expect(parsed.ok && parsed.prefixed).toBe(text.startsWith('v'));
  });

  it('takes the prefix it is given, and only that one', () => {
    expect(parse('shop-v1.4.0', 'shop-v').ok).toBe(true);
    expect(parse('1.4.0', 'shop-v').ok).toBe(true);
    expect(parse('v1.4.0', 'shop-v')).toMatchObject({ ok: false, problem: { reason: 'ILLEGAL_CHARACTER', position: 1 } });
    expect(parse('v1.4.0', '')).toMatchObject({ ok: false, problem: { position: 1, expected: 'a digit' } });
    expect(parseVersion('1.4.0', { tagPrefix: 'v', prefixRequired: true }).ok).toBe(false);
  });
});

describe('versions that are not', () => {
  it.each([
    ['', 'EMPTY', 1, null],
    ['v1.2', 'MISSING_PART', 5, null],
    ['v1', 'MISSING_PART', 3, null],
    ['v', 'MISSING_PART', 2, null],
    ['v1.2-rc.1', 'MISSING_PART', 5, 'U+002D'],
    ['v1..2', 'MISSING_PART', 4, 'U+002E'],
    ['v01.2.3', 'LEADING_ZERO', 2, 'U+0030'],
    ['v1.2.03', 'LEADING_ZERO', 6, 'U+0030'],
    ['v1.2.3-rc.01', 'LEADING_ZERO', 11, 'U+0030'],
    ['1.2.3-rc', 'STAGE_NUMBER_MISSING', 9, null],
    ['1.2.3-rc.', 'STAGE_NUMBER_MISSING', 10, null],
    ['1.2.3-rc1', 'STAGE_NUMBER_MISSING', 9, 'U+0031'],
    ['1.2.3-', 'UNKNOWN_STAGE', 7, null],
    ['1.2.3-1', 'UNKNOWN_STAGE', 7, 'U+0031'],
    ['1.2.3-RC.1', 'UNKNOWN_STAGE', 7, 'U+0052'],
    ['1.2.3-preview.1', 'UNKNOWN_STAGE', 7, 'U+0070'],
    ['1.2.3.4', 'TOO_MANY_PARTS', 6, 'U+002E'],
    ['1.2.3-rc.1.2', 'TOO_MANY_PARTS', 11, 'U+002E'],
    ['v1.2.3-rc.1 ', 'ILLEGAL_CHARACTER', 12, 'U+0020'],
    ['v1.2.3\n', 'ILLEGAL_CHARACTER', 7, 'U+000A'],
    [' v1.2.3', 'ILLEGAL_CHARACTER', 1, 'U+0020'],
    ['v1.0.0$(id)', 'ILLEGAL_CHARACTER', 7, 'U+0024'],
    ['v1.\u200b2.3', 'ILLEGAL_CHARACTER', 4, 'U+200B'],
    ['v１.2.3', 'ILLEGAL_CHARACTER', 2, 'U+FF11'],
    ['v1.2.😀', 'ILLEGAL_CHARACTER', 6, 'U+1F600'],
    ['V1.2.3', 'ILLEGAL_CHARACTER', 1, 'U+0056'],
    ['refs/tags/v1.2.3', 'ILLEGAL_CHARACTER', 1, 'U+0072'],
    ['v1.2.3+', 'BAD_BUILD', 8, null],
    ['v1.2.3+abc', 'BAD_BUILD', 8, 'U+0061'],
    ['v1.2.3+xyz1', 'BAD_BUILD', 8, 'U+0078'],
    ['v1.2.3+ABCDEF1', 'BAD_BUILD', 8, 'U+0041'],
    ['v1.2.3+3f2c1ab.4', 'BAD_BUILD', 15, 'U+002E'],
    ['v1.2.3+3f2c1ab;', 'ILLEGAL_CHARACTER', 15, 'U+003B'],
    [`v1.2.3+${'a'.repeat(41)}`, 'BAD_BUILD', 8, 'U+0061'],
    ['v9007199254740992.0.0', 'NUMBER_TOO_LARGE', 2, 'U+0039'],
    ['1'.repeat(300), 'TOO_LONG', 129, 'U+0031'],
  ])('%j: %s at character %d', (text, reason, position, character) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ ok: false, problem: { reason, position, character } });
    expect(!parsed.ok && parsed.problem.message.length > 5 && parsed.problem.expected.length > 1).toBe(true);
  });

  it('names invisible and foreign characters', () => {
    const message = (text: string) => {
      const parsed = parse(text);
      return parsed.ok ? '' : parsed.problem.message;
    };
    expect(message('v1.2.3\u200b')).toContain('U+200B (zero-width space)');
    expect(message('v1.２.3')).toContain('U+FF12 "２"');
    expect(message('v1.2.3$')).toContain('"$"');
  });

  it('answers a megabyte at once', () => {
    for (const hostile of ['1', '0', '1.', '-', '1.2.3-rc.', '1.2.3+', '\u200b', 'v']) {
      const started = performance.now();
      expect(parse(hostile.repeat(Math.ceil(1_000_000 / hostile.length))).ok).toBe(false);
      expect(suggestVersion(hostile.repeat(1_000_000 / hostile.length), 'v')).toBeUndefined();
      expect(performance.now() - started).toBeLessThan(200);
    }
  });
});

describe('grammar, as properties', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(anyVersion, (version) => {
        const parsed = parse(`v${formatVersion(version)}`);
        expect(parsed).toEqual({ ok: true, prefixed: true, version });
      }),
    );
  });

  it('accepts only what SemVer accepts, and then reads the same', () => {
    const pieces = fc.constantFrom('0', '1', '10', '.', '-', '+', 'rc', 'alpha', 'beta', 'abcd', ' ', 'x', '01');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 20 }),
          fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
        ),
        (text) => {
          const parsed = parse(text, '');
          if (parsed.ok) expect(valid(text)).toBe(text.split('+')[0]);
          else expect(parsed.problem.position).toBeLessThanOrEqual([...text].length + 1);
        },
      ),
    );
  });
});

describe('suggestVersion', () => {
  it.each([
    ['v1.2', 'v1.2.0'],
    ['v01.2.3', 'v1.2.3'],
    ['1.2.3-rc', '1.2.3-rc.1'],
    ['1.2.3-RC2', '1.2.3-rc.2'],
    ['V1.2.3', 'v1.2.3'],
    ['v1.2.3-rc.1 ', 'v1.2.3-rc.1'],
    ['v１.2.3', 'v1.2.3'],
    ['v1.\u200b2.3', 'v1.2.3'],
    ['refs/tags/v1.2.3', 'v1.2.3'],
  ])('%j → %s', (text, suggestion) => {
    expect(suggestVersion(text, 'v')).toBe(suggestion);
  });

  it.each(['v1.0.0$(id)', 'latest', '', '1.2.3.4', '-', '1.2.3+zz'])('does not guess at %j', (text) => {
    expect(suggestVersion(text, 'v')).toBeUndefined();
  });
});
