import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  changelogSource,
  findProblems,
  listChangelog,
  maxChangelogBytes,
  notesOf,
  parseChangelog,
  readChangelogSource,
  sliceLines,
} from '../src/index.js';

const now = Date.parse('2026-11-22T12:00:00Z');
const parse = (text: string) => parseChangelog(changelogSource(text));
const versions = (text: string) => parse(text).releases.map(({ version, line, endLine }) => [version, line, endLine]);
const codes = (text: string) => findProblems(parse(text), now).map(({ code, line }) => [code, line]);

describe('structure', () => {
  const text = [
    '# Changelog',
    '',
    '## [Unreleased]',
    '',
    '- x',
    '',
    '## [1.1.0] - 2026-02-01',
    '',
    '### Added',
    '- a',
    '',
    '## [1.0.0] - 2026-01-01',
    '- b',
    '',
  ].join('\n');

  it('lists releases with their lines', () => {
    expect(versions(text)).toEqual([
      ['1.1.0', 7, 11],
      ['1.0.0', 12, 13],
    ]);
    expect(listChangelog(parse(text), now)).toEqual({
      releases: [
        { version: '1.1.0', date: '2026-02-01', yanked: false, line: 7, endLine: 11 },
        { version: '1.0.0', date: '2026-01-01', yanked: false, line: 12, endLine: 13 },
      ],
      unreleased: { line: 3, endLine: 6, empty: false },
      problems: [],
    });
  });

  it('reads other line ends and a byte order mark alike', () => {
    for (const end of ['\r\n', '\r']) expect(versions(text.replaceAll('\n', end))).toEqual(versions(text));
    expect(versions(`\uFEFF${text}`)).toEqual(versions(text));
    expect(versions('\uFEFF## 1.0.0\n- a')).toEqual([['1.0.0', 1, 2]]);
  });

  it('reads setext headings, closing marks, up to three spaces and tabs', () => {
    expect(versions('1.1.0 / 2026-01-01\n======\n\n* a\n\n1.0.0\n------\n\n* b\n')).toEqual([
      ['1.1.0', 1, 5],
      ['1.0.0', 6, 9],
    ]);
    expect(versions('## 1.1.0 ##\n\n   ## 1.0.0\n\n##\t0.9.0\n').map(([version]) => version)).toEqual(['1.1.0', '1.0.0', '0.9.0']);
  });

  it('takes sections of one rank deeper for patches, and ends at a higher heading', () => {
    expect(versions('# 1.1.0\n\n## Fixed\n- a\n\n## 1.0.1\n- b\n\n# 1.0.0\n- c\n\n# Older\n\n## 0.9.0\n- d\n')).toEqual([
      ['1.1.0', 1, 5],
      ['1.0.1', 6, 8],
      ['1.0.0', 9, 13],
      ['0.9.0', 14, 15],
    ]);
  });

  it.each([
    ['a backtick fence', '```\n## 9.9.9\n```\n'],
    ['a tilde fence', '~~~~ md\n```\n## 9.9.9\n```\n~~~~\n'],
    ['an indented block', 'Text\n\n    ## 9.9.9\n'],
    ['a comment', '<!--\n\n## 9.9.9\n\n-->\n'],
    ['details without a blank line', '<details>\n## 9.9.9\n</details>\n'],
    ['a quote', '> ## 9.9.9\n'],
    ['a list', '- a\n\n  ## 9.9.9\n'],
    ['a list in a list', '1. a\n   - b\n\n     ## 9.9.9\n'],
    ['a paragraph', '##9.9.9\n'],
    ['seven marks', '####### 9.9.9\n'],
    ['an escaped mark', '\\## 9.9.9\n'],
  ])('does not read a heading in %s', (_, hidden) => {
    expect(versions(`# Changelog\n\n${hidden}\n## 1.0.0\n- a\n`).map(([version]) => version)).toEqual(['1.0.0']);
  });

  it('knows what is folded into details', () => {
    const folded = parse('## 1.1.0\n- a\n\n<details>\n<summary>Older</summary>\n\n## 1.0.0\n- b\n\n</details>\n\n## 0.9.0\n- c\n');
    expect(folded.releases.map(({ version, foldedBy }) => [version, foldedBy])).toEqual([
      ['1.1.0', null],
      ['1.0.0', 4],
      ['0.9.0', null],
    ]);
  });

  it('cuts the file into slices that join to the file again', () => {
    const lines = fc.constantFrom(
      '## 1.0.0',
      '## [1.1.0] - 2026-01-01',
      '# Changelog',
      '## [Unreleased]',
      '- a',
      '',
      '```',
      '<!--',
      '-->',
      '1.2.0',
      '---',
      '[1.0.0]: http://x',
      '> q',
      '  ',
    );
    const endings = fc.constantFrom('\n', '\r\n', '\r');
    const file = fc
      .tuple(fc.boolean(), fc.array(fc.tuple(lines, endings), { maxLength: 40 }), fc.constantFrom('', '- last'))
      .map(([mark, parts, last]) => `${mark ? '\uFEFF' : ''}${parts.map(([line, end]) => line + end).join('')}${last}`);
    fc.assert(
      fc.property(file, (raw) => {
        const changelog = parse(raw);
        const sections = [...changelog.releases, ...(changelog.unreleased ? [changelog.unreleased] : [])].sort((a, b) => a.line - b.line);
        let joined = '';
        let line = 1;
        for (const section of sections) {
          expect(section.line).toBeGreaterThanOrEqual(line);
          joined += sliceLines(changelog.source, line, section.line - 1) + sliceLines(changelog.source, section.line, section.endLine);
          line = section.endLine + 1;
        }
        expect(joined + sliceLines(changelog.source, line, changelog.source.lines.length)).toBe(raw);
      }),
      { numRuns: 500 },
    );
  });
});

describe('problems', () => {
  it.each([
    ['an unclosed fence', '## 1.1.0 - 2026-02-01\n- a\n\n```\ncode\n\n## 1.0.0 - 2026-01-01\n- b', [['UNCLOSED_FENCE', 4]]],
    ['a fence closed by another kind', '## 1.1.0 - 2026-02-01\n- a\n\n```\ncode\n~~~\n', [['UNCLOSED_FENCE', 4]]],
    ['a fence without an end of line', '## 1.1.0 - 2026-02-01\n- a\n\n```\ncode', [['UNCLOSED_FENCE', 4]]],
    ['a closed fence without an end of line', '## 1.1.0 - 2026-02-01\n- a\n\n```\ncode\n```', []],
    ['an empty fence', '## 1.1.0 - 2026-02-01\n- a\n\n```\n```', []],
    ['an unclosed comment', '## 1.1.0 - 2026-02-01\n- a\n\n<!-- x\n\n## 1.0.0\n- b', [['UNCLOSED_HTML', 4]]],
    ['an unclosed pre', '## 1.1.0 - 2026-02-01\n- a\n\n<pre>\n\n## 1.0.0\n- b', [['UNCLOSED_HTML', 4]]],
    ['a comment on one line', '## 1.1.0 - 2026-02-01\n- a\n\n<!-- x -->\n', []],
    ['a duplicate', '## 1.0.0 - 2026-01-01\n- a\n\n## v1.0.0 - 2026-01-01\n- b\n', [['DUPLICATE_VERSION', 4]]],
    ['an empty section', '## 1.1.0 - 2026-01-02\n\n### Added\n\n<!-- none -->\n\n## 1.0.0 - 2026-01-01\n- a\n', [['EMPTY_SECTION', 1]]],
    ['a section of links', '## 1.0.0 - 2026-01-01\n\n[1.0.0]: http://x\n', [['EMPTY_SECTION', 1]]],
    ['a day that is none', '## 1.0.0 - 2026-02-30\n- a\n', [['DATE_INVALID', 1]]],
    ['a placeholder', '## 1.0.0 - TBD\n- a\n', [['DATE_INVALID', 1]]],
    ['a written date', '## 1.0.0 (November 2, 2026)\n- a\n', []],
    ['the day after tomorrow', '## 1.0.0 - 2026-11-24\n- a\n', [['DATE_IN_FUTURE', 1]]],
    ['no date', '## 1.0.0\n- a\n', [['DATE_MISSING', 1]]],
    ['wrong order', '## 1.0.0 - 2026-01-01\n- a\n\n## 1.1.0 - 2026-02-01\n- b\n\n## 0.9.0 - 2025-01-01\n- c\n', [['OUT_OF_ORDER', 1]]],
    ['a later fix of an older line', '## 1.0.1 - 2026-03-01\n- a\n\n## 1.1.0 - 2026-02-01\n- b\n\n## 1.0.0 - 2025-01-01\n- c\n', []],
    ['rising order', '## 1.0.0 - 2026-01-01\n- a\n\n## 1.1.0 - 2026-02-01\n- b\n', []],
    ['a byte order mark', '\uFEFF## 1.0.0 - 2026-01-01\n- a\n', [['BYTE_ORDER_MARK', 1]]],
    ['CR alone', '## 1.0.0 - 2026-01-01\r- a\r', [['CR_LINE_ENDINGS', 1]]],
    ['CRLF', '## 1.0.0 - 2026-01-01\r\n- a\r\n', []],
    ['mixed line ends', '## 1.0.0 - 2026-01-01\r\n- a\n', [['MIXED_LINE_ENDINGS', 1]]],
    ['deep nesting', `## 1.1.0 - 2026-02-01\n${'- '.repeat(30)}a\n\n## 1.0.0 - 2026-01-01\n- b\n`, [['NESTED_TOO_DEEP', 2]]],
  ])('%s', (_, text, problems) => {
    expect([...new Map(codes(text as string).map((entry) => [String(entry), entry])).values()]).toEqual(problems);
  });

  it('takes a day that has begun somewhere', () => {
    const text = '## 1.0.0 - 2026-11-23\n- a\n';
    const at = (time: string) => findProblems(parse(text), Date.parse(time)).map(({ code }) => code);
    expect(at('2026-11-22T10:00:00Z')).toEqual([]);
    expect(at('2026-11-22T09:59:59Z')).toEqual(['DATE_IN_FUTURE']);
  });
});

describe('notes', () => {
  const notes = (text: string, index = 0) => {
    const changelog = parse(text);
    return notesOf(changelog, changelog.releases[index] as (typeof changelog.releases)[0]);
  };

  it('are the text below the heading, with the links it uses', () => {
    const text =
      '## [1.1.0] - 2026-02-01\r\n\r\n- see [the docs][d], [#12] and [x](y)\r\n\r\n## [1.0.0]\r\n- b\r\n\r\n[1.1.0]: http://v\r\n[D]: http://docs\r\n  "T"\r\n[#12]: http://12\r\n[other]: http://o\r\n';
    expect(notes(text)).toBe('- see [the docs][d], [#12] and [x](y)\n\n[D]: http://docs\n  "T"\n[#12]: http://12');
    expect(notes(text, 1)).toBe('- b');
  });

  it('keep a link definition of their own, once, and code that looks like one', () => {
    expect(notes('## 1.0.0\n- [a]\n\n[a]: http://a\n')).toBe('- [a]\n\n[a]: http://a');
    expect(notes('## 1.0.0\n- [a]\n\n```\n[a]: http://a\n```\n')).toBe('- [a]\n\n```\n[a]: http://a\n```');
  });

  it('have the first definition of a label, and no escaped bracket', () => {
    expect(notes('## 1.0.0\n- [a] \\[b]\n\n## 0.9.0\n- c\n\n[a]: http://1\n[a]: http://2\n[b]: http://b\n')).toBe(
      '- [a] \\[b]\n\n[a]: http://1',
    );
  });

  it('are empty for an empty section', () => {
    expect(notes('## 1.1.0\n\n## 1.0.0\n- a\n')).toBe('');
    expect(notes('## 1.1.0')).toBe('');
  });

  it('leave the setext underline out', () => {
    expect(notes('1.1.0\n=====\n\n- a\n\n1.0.0\n=====\n')).toBe('- a');
  });
});

describe('readChangelogSource', () => {
  const read = (bytes: Uint8Array) => readChangelogSource(bytes);

  it('refuses what is not UTF-8 text, and says where', () => {
    expect(read(Buffer.from('# a\n## 1.0.0\n- \xe9\n', 'latin1'))).toMatchObject({ ok: false, reason: 'NOT_TEXT', line: 3 });
    expect(read(Buffer.from('\uFEFF## 1.0.0', 'utf16le'))).toMatchObject({
      ok: false,
      reason: 'NOT_TEXT',
      message: expect.stringContaining('UTF-16'),
    });
    expect(read(Buffer.from('# a\n\0'))).toMatchObject({ ok: false, reason: 'NOT_TEXT', line: 2 });
    expect(read(Buffer.from('# a \uFFFD'))).toMatchObject({ ok: true });
  });

  it('refuses what is too large', () => {
    expect(read(Buffer.alloc(maxChangelogBytes + 1, 'a'))).toMatchObject({ ok: false, reason: 'TOO_LARGE' });
    expect(read(Buffer.from('\n'.repeat(100_000)))).toMatchObject({ ok: false, reason: 'TOO_LARGE' });
    expect(read(Buffer.from('- '.repeat(100_000)))).toMatchObject({ ok: false, reason: 'TOO_LARGE' });
  });

  it('reads an empty file', () => {
    const empty = read(new Uint8Array());
    expect(empty.ok && parseChangelog(empty.source).releases).toEqual([]);
  });
});
