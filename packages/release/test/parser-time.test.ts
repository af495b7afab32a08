import { describe, expect, it } from '@jest/globals';
import { changelogSource, checkChangelog, maxChangelogMarks, parseChangelog, readChangelogSource } from '../src/index.js';
import { versionOf } from './version-of.js';

const megabyte = 1_000_000;
const once = (piece: string) => piece.repeat(Math.floor(megabyte / piece.length));
/** As many lines as are let through, so that the parser is reached. */
const lines = (line: string, marks = 1) =>
  `${line}\n`.repeat(Math.min(Math.floor((maxChangelogMarks - 50) / marks), Math.floor(megabyte / (line.length + 1))));

const hostile: Readonly<Record<string, string>> = {
  'quotes in quotes': once('>'),
  'lists in lists': once('- '),
  'every list deeper': Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}- a`).join('\n'),
  'lists on each line': lines('- - - a', 8),
  'quotes and lists on each line': lines('- > - a', 8),
  brackets: once('['),
  'escaped brackets in the notes': `## 1.4.0\n\n${once('\\[')}`,
  'open labels': lines('[a', 2),
  'link definitions': lines('[a]: b', 2),
  'different link definitions': Array.from({ length: maxChangelogMarks / 2 - 1 }, (_, index) => `[k${index}]: http://x/${index}`).join(
    '\n',
  ),
  'open titles': lines('[a]: b "', 2),
  fences: lines('```'),
  'comment starts': once('<!-- '),
  'tags without end': once('<a b="'),
  'details in details': lines('<details>\n', 2),
  'closing marks': `# ${once(' #')}`,
  'one long heading': `# [${once('1.0.0/')}`,
  headings: lines('# a', 2),
  'release headings': lines('# 1.0.0', 2),
  'setext underlines': lines('a\n=', 2),
  'one paragraph': lines('a'.repeat(30)),
  'hidden headings': `\`\`\`\n${lines('# 1.3.0', 2)}`,
  'bold lines': lines('**1.3.0'),
  spaces: once(' '),
  'carriage returns': once('\r'),
  nulls: once('\0'),
};

const now = Date.parse('2026-11-22T12:00:00Z');

/** Milliseconds of processor time, so that other processes on the machine do not count. */
function timeOf(text: string): number {
  const bytes = Buffer.from(text);
  const started = process.cpuUsage();
  const read = readChangelogSource(bytes);
  if (read.ok) checkChangelog({ changelog: parseChangelog(read.source), version: versionOf('1.4.0'), tagPrefix: 'v', now });
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

/** Both budgets are for a machine with nothing else to do; one that runs other tests too takes up to three times as long. */
const busy = 3;

describe('time on a megabyte of hostile text', () => {
  it.each(Object.entries(hostile))('%s: 200 ms', (_, text) => {
    const times: number[] = [];
    while (times.length < 5 && Math.min(...times) >= 200) times.push(timeOf(text));
    expect(Math.min(...times)).toBeLessThan(200 * busy);
  });

  it('grows in step with the length', () => {
    const best = (text: string) => Math.min(...Array.from({ length: 3 }, () => timeOf(text)));
    for (const line of ['- a [b] `c`', '[k]: v', '# 1.0.0', '> x']) {
      const text = (count: number) => `${line}\n`.repeat(count);
      timeOf(text(8000));
      expect(best(text(8000))).toBeLessThan(8 * best(text(2000)) + 20);
    }
  });

  it('reads half a megabyte of real-looking changelog: 100 ms', () => {
    const release = (index: number) =>
      `## [1.${index}.0] - 2020-01-01\n\n### Added\n\n${`- A change in [a package](https://example.com/x) by @someone (#1)\n`.repeat(8)}\n`;
    const text = Array.from({ length: 830 }, (_, index) => release(830 - index)).join('');
    expect(text.length).toBeGreaterThan(450_000);
    expect(parseChangelog(changelogSource(text)).releases).toHaveLength(830);
    expect(Math.min(timeOf(text), timeOf(text), timeOf(text))).toBeLessThan(100 * busy);
  });
});
