import { describe, expect, it } from '@jest/globals';
import { changelogSource, checkChangelog, parseChangelog } from '../src/index.js';
import { versionOf } from './version-of.js';

const now = Date.parse('2026-11-22T12:00:00Z');
const rest = '## [1.3.0] - 2026-10-01\n\n- old\n';

function check(text: string, version = 'v1.4.0') {
  const changelog = parseChangelog(changelogSource(text), { tagPrefix: 'v' });
  return checkChangelog({ changelog, version: versionOf(version), tagPrefix: 'v', now });
}

describe('a section that is there', () => {
  it('gives its text', () => {
    const verdict = check(`# Changelog\n\n## [1.4.0] - 2026-11-22\n\n### Added\n\n- new\n\n${rest}`);
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'FOUND', line: 3, fix: null, notes: '### Added\n\n- new', warnings: [] });
    expect(verdict.release).toMatchObject({ date: '2026-11-22', yanked: false });
  });

  it('does not mind the build, and tells prereleases apart', () => {
    const text = `## [1.4.0-rc.1] - 2026-11-20\n\n- a\n\n${rest}`;
    expect(check(text, '1.4.0-rc.1+3f2c1ab').outcome).toBe('pass');
    expect(check(text, '1.4.0').reason).toBe('VERSION_MISSING');
    expect(check(text, '1.4.0-rc.2').reason).toBe('VERSION_MISSING');
  });

  it('passes with warnings for what does not concern it', () => {
    const verdict = check(`\uFEFF## 1.4.0\n\n- new\n\n## 1.3.0\n\n## 1.3.0\n- b\n\n\`\`\`\nopen\n`);
    expect(verdict.outcome).toBe('pass');
    expect(verdict.warnings.map(({ code }) => code)).toEqual([
      'BYTE_ORDER_MARK',
      'DATE_MISSING',
      'DATE_MISSING',
      'EMPTY_SECTION',
      'DUPLICATE_VERSION',
      'DATE_MISSING',
      'UNCLOSED_FENCE',
    ]);
  });
});

describe('each failure by itself', () => {
  it.each([
    ['nothing', rest, 'VERSION_MISSING', 1],
    ['in a code fence', `\`\`\`md\n## [1.4.0] - 2026-11-22\n\`\`\`\n\n${rest}`, 'IN_CODE', 2],
    ['in an indented block', `Like:\n\n    ## [1.4.0]\n\n${rest}`, 'IN_CODE', 3],
    ['in a comment', `<!--\n## [1.4.0] - 2026-11-22\n-->\n\n${rest}`, 'IN_COMMENT', 2],
    ['in a comment on one line', `<!-- ## [1.4.0] - 2026-11-22 -->\n\n${rest}`, 'IN_COMMENT', 1],
    ['in details', `<details>\n## [1.4.0] - 2026-11-22\n- a\n</details>\n\n${rest}`, 'IN_DETAILS', 2],
    ['in details after a blank line', `<details>\n\n## [1.4.0] - 2026-11-22\n- a\n\n</details>\n\n${rest}`, 'IN_DETAILS', 3],
    ['in details never closed', `<details>\n\n## [1.4.0] - 2026-11-22\n- a\n\n${rest}`, 'IN_DETAILS', 3],
    ['as HTML', `<h2>1.4.0</h2>\n\n${rest}`, 'IN_HTML', 1],
    ['in a quote', `> ## [1.4.0]\n> - a\n\n${rest}`, 'IN_QUOTE', 1],
    ['in a list', `- ## [1.4.0]\n\n${rest}`, 'IN_LIST', 1],
    ['without a space', `##[1.4.0] - 2026-11-22\n\n- a\n\n${rest}`, 'NOT_A_HEADING', 1],
    ['in bold', `**1.4.0** - 2026-11-22\n\n- a\n\n${rest}`, 'NOT_A_HEADING', 1],
    [
      'below an unclosed fence',
      `## [1.5.0] - 2026-11-22\n- a\n\n\`\`\`\ncode\n\n## [1.4.0] - 2026-11-22\n- b\n\n${rest}`,
      'UNCLOSED_FENCE',
      4,
    ],
    ['with an unclosed fence', `## [1.4.0] - 2026-11-22\n- a\n\n~~~sh\ncode\n\n${rest}`, 'UNCLOSED_FENCE', 4],
    ['below an unclosed comment', `<!-- draft\n\n## [1.4.0] - 2026-11-22\n- b\n\n${rest}`, 'UNCLOSED_HTML', 1],
    ['with an unclosed comment', `## [1.4.0] - 2026-11-22\n- a\n\n<!-- note\n\n${rest}`, 'UNCLOSED_HTML', 4],
    ['below too much nesting', `${'- '.repeat(40)}x\n\n## [1.4.0] - 2026-11-22\n- b\n`, 'NESTED_TOO_DEEP', 1],
    ['twice', `## [1.4.0] - 2026-11-22\n- a\n\n## 1.4.0 - 2026-11-22\n- b\n\n${rest}`, 'DUPLICATE_VERSION', 4],
    ['yanked', `## [1.4.0] - 2026-11-22 [YANKED]\n- a\n\n${rest}`, 'VERSION_YANKED', 1],
    ['with a day that is none', `## [1.4.0] - 2026-11-31\n- a\n\n${rest}`, 'DATE_INVALID', 1],
    ['not released yet', `## [1.4.0] - Unreleased\n- a\n\n${rest}`, 'DATE_INVALID', 1],
    ['in the future', `## [1.4.0] - 2027-01-01\n- a\n\n${rest}`, 'DATE_IN_FUTURE', 1],
    ['empty', `## [1.4.0] - 2026-11-22\n\n### Added\n\n${rest}`, 'EMPTY_SECTION', 1],
    ['empty file', '', 'VERSION_MISSING', 1],
  ])('%s', (_, text, reason, line) => {
    for (const variant of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r')]) {
      const verdict = check(variant);
      expect(verdict).toMatchObject({ outcome: 'fail', reason, line, notes: '' });
      expect(verdict.summary).toMatch(/\.$|\?$/);
      expect(verdict.next.length).toBeGreaterThan(0);
    }
  });

  it('is not set off by text that only mentions the version', () => {
    const text = `Since 1.4.0 is near:\n\n- 1.4.0 comes soon\n\n\`1.4.0\`\n\n> 1.4.0 is great\n\n${rest}`;
    expect(check(text).reason).toBe('VERSION_MISSING');
  });
});

describe('the block to paste', () => {
  it('takes the place of a line that was meant as the heading', () => {
    expect(check('##[1.4.0]\n\n- a\n').fix).toEqual({ line: 1, replaces: 1, block: '## [1.4.0] - 2026-11-22' });
  });

  it('makes the check pass when it is pasted', () => {
    const texts = [
      rest,
      '',
      `# Changelog\n\n## [Unreleased]\n\n- pending\n\n${rest}`,
      `# Changelog\n\n## [Unreleased]\n\n${rest}`,
      `## [1.4.0] - 2026-11-31\n- a\n\n${rest}`,
      `1.4.0 / TBD\n=====\n\n- a\n\n${rest}`,
      `## [1.4.0] - 2026-11-22\n\n${rest}`,
      `##[1.4.0] - 2026-11-22\n\n- a\n\n${rest}`,
      `## [1.5.0] - 2026-11-22\n- a\n\n\`\`\`\ncode\n\n## [1.4.0] - 2026-11-22\n- b\n\n${rest}`,
      `## [1.4.0] - 2026-11-22\n- a\n\n<!-- note\n\n${rest}`,
    ];
    for (const text of texts) {
      const { fix } = check(text);
      const lines = text.split('\n');
      expect(fix).not.toBeNull();
      if (!fix) continue;
      lines.splice(fix.line - 1, fix.replaces === null ? 0 : fix.replaces - fix.line + 1, ...fix.block.split('\n'));
      expect([text, check(lines.join('\n')).reason]).toEqual([text, 'FOUND']);
    }
  });

  it.each([
    ['before the fence', `# Changelog\n\n## [Unreleased]\n\n\`\`\`md\n## [1.4.0] - 2026-11-22\n- a\n\`\`\`\n\n${rest}`, 10],
    ['without a release', '## [Unreleased]\n\n```\n## [1.4.0]\n- a\n```\n', 7],
  ])('adds a section of its own where Unreleased is only what hides it: %s', (_, text, line) => {
    const { reason, fix, next } = check(text);
    expect([reason, fix?.line, fix?.replaces, next]).toEqual(['IN_CODE', line, null, [`Insert the block below before line ${line}.`]]);
    const lines = text.split('\n');
    lines.splice(line - 1, 0, ...(fix?.block ?? '').split('\n'));
    expect(check(lines.join('\n'))).toMatchObject({ reason: 'FOUND', notes: '### Added\n\n- …' });
  });

  it('does not take a code block with the heading again for entries', () => {
    const fenced = '```md\n## [1.4.0] - 2026-11-22\n- a\n```\n';
    const verdict = check(`## [1.4.0] - 2026-11-22\n\n${fenced}\n${rest}`);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'IN_CODE', line: 4, notes: '' });
    expect(check(`## [1.4.0] - 2026-11-22\n\n- a, written as\n\n${fenced}\n${rest}`).outcome).toBe('pass');
    expect(check(`## [1.4.0] - 2026-11-22\n\n\`\`\`\nnpm i\n\`\`\`\n\n${rest}`).outcome).toBe('pass');
  });

  it('follows the habits of the file', () => {
    expect(check('## v1.3.0 - 2026-01-01\n- a\n').fix?.block).toContain('## v1.4.0 - 2026-11-22\n\n### Added');
    expect(check('# [1.3.0](http://x) (2026-01-01)\n- a\n').fix?.block).toContain('# [1.4.0] - 2026-11-22');
    expect(check('## [Unreleased]\n\n- a\n').fix).toEqual({ line: 1, replaces: 1, block: '## [Unreleased]\n\n## [1.4.0] - 2026-11-22' });
  });
});
