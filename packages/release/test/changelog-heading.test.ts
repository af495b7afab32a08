import { describe, expect, it } from '@jest/globals';
import { parseTagPrefix, recognizeHeading } from '../src/index.js';

describe('headings of releases', () => {
  it.each([
    ['[1.4.0] - 2026-11-22', '1.4.0', '2026-11-22'],
    ['1.4.0 (2026-11-22)', '1.4.0', '2026-11-22'],
    ['v1.4.0', '1.4.0', null],
    ['[v1.4.0] – 2026-11-22', '1.4.0', '2026-11-22'],
    ['1.4.0 / 2026-11-22', '1.4.0', '2026-11-22'],
    ['v1.4.0 2026-11-22', '1.4.0', '2026-11-22'],
    ['[1.4.0](https://example.com/compare/v1.3.0...v1.4.0) (2026-11-22)', '1.4.0', '2026-11-22'],
    ['[1.4.0][] - 2026-11-22', '1.4.0', '2026-11-22'],
    ['[1.4.0-rc.1+3f2c1ab] - 2026-11-22', '1.4.0-rc.1+3f2c1ab', '2026-11-22'],
    ['Version 1.4.0', '1.4.0', null],
    ['Release v1.4.0', '1.4.0', null],
    ["2026-11-22, Version 1.4.0 'Name' (LTS), @someone", '1.4.0', '2026-11-22'],
    ['**1.4.0** - 2026-11-22', '1.4.0', '2026-11-22'],
    ['<a name="1.4.0"></a>1.4.0 (2026-11-22)', '1.4.0', '2026-11-22'],
    ['1.4.0 codename (2026-11-22)', '1.4.0', '2026-11-22'],
    ['Rails 7.0.4 (2026-09-09)', '7.0.4', '2026-09-09'],
    ['1\\.4\\.0', '1.4.0', null],
    ['[1.41.0/0.63.0] 2026-11-22', '1.41.0', '2026-11-22'],
    ['7.0.0.rc1', '7.0.0.rc1', null],
    ['1.4', '1.4', null],
    ['1.4.0:', '1.4.0', null],
    ['1.4.0 - 2026-13-45', '1.4.0', '2026-13-45'],
  ])('%s', (text, version, date) => {
    expect(recognizeHeading(text)).toMatchObject({ kind: 'release', version, date });
  });

  it.each([
    'Added',
    '1.4.0 migration notes',
    '2026',
    'Upgrading from 1.3.0',
    '[1.4.0]: https://example.com',
    '1.4.x',
    '1.4.0abc',
    'Top 10',
    '',
    '[1.4.0 - 2026-11-22',
  ])('not %j', (text) => {
    expect(recognizeHeading(text)).toBeUndefined();
  });

  it.each(['Unreleased', '[Unreleased]', 'UNRELEASED', '[Unreleased](https://example.com)', '[Unreleased] - soon'])(
    '%j is Unreleased',
    (text) => {
      expect(recognizeHeading(text)).toEqual({ kind: 'unreleased' });
    },
  );

  it('sees YANKED and what stands in place of a date', () => {
    expect(recognizeHeading('[1.4.0] - 2026-11-22 [YANKED]')).toMatchObject({ yanked: true, date: '2026-11-22' });
    expect(recognizeHeading('[1.4.0] - Unreleased')).toMatchObject({ date: null, otherDate: 'Unreleased' });
    expect(recognizeHeading('1.4.0 (22/11/2026)')).toMatchObject({ date: null, otherDate: '22/11/2026' });
    expect(recognizeHeading('1.4.0 (November 22, 2026)')).toMatchObject({ date: null, otherDate: 'November 22, 2026' });
  });

  it('takes the tag prefix', () => {
    expect(recognizeHeading('[shop-v1.4.0] - 2026-11-22', 'shop-v')).toMatchObject({ version: '1.4.0' });
    expect(recognizeHeading('[shop-v1.4.0] - 2026-11-22', 'v')).toBeUndefined();
  });

  it('reads a megabyte at once', () => {
    for (const piece of ['1.0.0-a', '1.', '[', 'a ', '<a ', '1.0.0/', '(', 'v1.0.0 ', '**', '\\', '1.0.0 jan ']) {
      const started = performance.now();
      recognizeHeading(piece.repeat(1_000_000 / piece.length));
      expect(performance.now() - started).toBeLessThan(100);
    }
  });
});

describe('parseTagPrefix', () => {
  it.each([
    ['v', 'v'],
    ['none', ''],
    ['', ''],
    ['shop-v', 'shop-v'],
    ['@scope/app@', '@scope/app@'],
  ])('%j → %j', (text, prefix) => {
    expect(parseTagPrefix(text)).toEqual({ prefix });
  });

  it.each(['v1', 'v.', 'a b', '$(id)', '-'.repeat(65), 'v\n'])('refuses %j', (text) => {
    expect(parseTagPrefix(text)).toMatchObject({ problem: { where: 'tag-prefix' } });
  });
});
