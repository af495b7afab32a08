import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { mdBlock, mdCode, mdPlain, mdTable, mdText } from '../src/index.js';

const markdown = new MarkdownIt({ html: true, linkify: false });
const inline = (text: string) => markdown.render(text).replace(/<!-- -->/g, '');
const html = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
const words = (text: string) => text.split(/\s+/).filter(Boolean).join(' ');

const hostile = fc
  .array(
    fc.constantFrom(
      '`',
      '``',
      '*',
      '_',
      '[',
      ']',
      '(',
      ')',
      '<b>',
      '&amp;',
      '&',
      '|',
      '\\',
      '#',
      '-',
      '+',
      '1.',
      '1)',
      '>',
      '~~',
      '!',
      'x',
      ' ',
      '\n',
      '=',
      '@a',
      ':',
      '<!--',
      '$',
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

describe('mdText', () => {
  it('shows exactly the text, in a paragraph of its own', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = words(text);
        expect(inline(mdText(text))).toBe(shown === '' ? '' : `<p>${html(shown)}</p>\n`);
      }),
      { numRuns: 1000 },
    );
  });

  it('makes neither links nor mentions', () => {
    expect(mdText('see https://evil.example, www.evil.example or @team')).toBe(
      'see https&#58;//evil.example, www\\.evil.example or @<!-- -->team',
    );
  });
});

describe('mdCode', () => {
  it('shows exactly the text as code', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = words(text);
        expect(markdown.render(`a ${mdCode(text)} b`)).toBe(shown === '' ? '<p>a  b</p>\n' : `<p>a <code>${html(shown)}</code> b</p>\n`);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('mdTable', () => {
  it('keeps its columns whatever the cells hold', () => {
    const rendered = markdown.render(mdTable(['a', 'b'], [[mdText('x|y'), mdCode('p|q')]]));
    expect(rendered.match(/<td>.*?<\/td>/g)).toEqual(['<td>x|y</td>', '<td><code>p|q</code></td>']);
  });
});

describe('mdBlock', () => {
  it('cannot be left', () => {
    expect(markdown.render(mdBlock('a\n```\n# b\n', 'text'))).toBe('<pre><code class="language-text">a\n```\n# b\n</code></pre>\n');
  });
});

describe('mdPlain', () => {
  it('leaves what stands in a fence as it is', () => {
    const block = mdBlock('## [1.4.0] - 2026-11-22\n\n- **new** `x`');
    expect(mdPlain(`## Do\n\n${block}\n\n**then** this`)).toBe(`Do\n\n${block}\n\nthen this`);
  });

  it('takes the escapes of mdText and mdCode back', () => {
    for (const text of ['v1.2.3 <b>*x*</b> & | @a https://x', '1. [a](b) `c` ~~d~~ $e']) expect(mdPlain(mdText(text))).toBe(text);
    expect(mdPlain(`**Next** ${mdCode('a|b')} ${mdCode('x`y')}`)).toBe('Next a|b x`y');
  });
});
