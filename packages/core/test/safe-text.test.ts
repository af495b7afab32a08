import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { safeJson, safeJsonText, safeLines, safeText } from '../src/runner/safe-text.js';

/**
 * What the runner takes for a command (ActionCommand.cs), at its most generous: white space of .NET is skipped, and characters that a culture's
 * comparison ignores are looked through.
 */
function isCommand(line: string): boolean {
  const visible = line.replace(/[\p{Cf}\p{Cc}\p{DI}]/gu, (char) => (/[\t-\r\u0085]/.test(char) ? char : ''));
  return /^[\s\u0085]*::/u.test(visible) || visible.includes('##[');
}

describe('safeLines', () => {
  const table: [name: string, given: string, lines: string[]][] = [
    ['plain text', 'hello', ['hello']],
    ['a command', '::error::x', ['\\::error::x']],
    ['a command after spaces', '  \t::error::x', ['  \t\\::error::x']],
    ['a command after an ideographic space', '\u3000::add-mask::e', ['\u3000\\::add-mask::e']],
    ['a command after NEL, which ends a line', 'a\u0085::x::', ['a', '\\::x::']],
    ['a command after U+2028 and U+2029', 'a\u2028::x::\u2029::y::', ['a', '\\::x::', '\\::y::']],
    ['a command after a bare CR', 'ok\r::stop-commands::t', ['ok', '\\::stop-commands::t']],
    ['CRLF as one break', 'a\r\nb', ['a', 'b']],
    ['vertical tab and form feed as breaks', 'a\v::x::\f::y::', ['a', '\\::x::', '\\::y::']],
    ['an old command at the start', '##[error]x', ['##\\[error]x']],
    ['an old command inside', 'fix ##[add-mask]e, ##[group]', ['fix ##\\[add-mask]e, ##\\[group]']],
    ['a word joiner inside an old command', '#\u2060#[error]', ['#\\u{2060}#\\[error]']],
    ['a zero-width space before a command', '\u200b::error::', ['\\u{200b}\\::error::']],
    ['a soft hyphen inside the colons', ':\u00ad:error::', ['\\:\\u{ad}:error::']],
    ['percent signs stay', '100%0A::x::', ['100%0A::x::']],
    ['colons inside a line stay', 'std::vector::x', ['std::vector::x']],
    ['terminal escapes are shown', '\u001b[2J\u0007', ['\\u{1b}[2J\\u{7}']],
    ['bidirectional overrides are shown', 'a\u202eb', ['a\\u{202e}b']],
    ['emoji stay', '👩‍💻 ✅', ['👩‍💻 ✅']],
  ];
  it.each(table)('%s', (_, given, lines) => {
    expect(safeLines(given)).toEqual(lines);
  });

  const hostile = fc.constantFrom(
    '::',
    ':',
    '#',
    '##[',
    '[',
    ']',
    'error',
    '\u3000',
    '\u0085',
    '\u2028',
    '\r',
    '\n',
    '\u200b',
    '\u200d',
    '\ufeff',
    '\u034f',
    '\ufe0f',
    ' ',
    '\u00a0',
    '%0A',
    'x',
  );
  it('never leaves a command, whatever is put together', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        for (const line of [...safeLines(text), safeText(text)]) {
          expect(isCommand(line)).toBe(false);
          expect(line).not.toMatch(/[\r\n\u0085\u2028\u2029]/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('safeText', () => {
  it('is one line', () => {
    expect(safeText('a\n::error::b')).toBe('a\\n::error::b');
  });
});

describe('safeJson', () => {
  it('stays the same JSON and holds no command', () => {
    const value = { '##[key]': 'x ##[add-mask]e', text: 'a\u2028b\n::error::c', list: ['#\u200d#['] };
    const json = safeJson(value);
    expect(JSON.parse(json)).toEqual(value);
    expect(isCommand(json)).toBe(false);
    expect(json.split(/[\n\r\u2028]/)).toHaveLength(1);
  });
  it('does the same to JSON that is text', () => {
    expect(safeJsonText('{"a":"##[error]"}')).toBe('{"a":"\\u0023\\u0023[error]"}');
  });
});
