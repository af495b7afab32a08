/** How untrusted text gets into Markdown, and how Markdown gets onto a terminal. */

/**
 * `text` as Markdown that shows exactly `text`, on one line: no link, no HTML, no heading, no table cell border. Safe in a paragraph, a list item
 * or a table cell. Every ASCII punctuation may be escaped by a backslash (CommonMark 0.31 §2.4); `@` and `://` are parted from what follows,
 * because mentions and bare links are found after Markdown.
 */
export function mdText(text: string): string {
  return oneLine(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_[\]|~$]/g, '\\$&')
    .replace(/^[-+#=]/, '\\$&')
    .replace(/^(\d{1,9})([.)])/, '$1\\$2')
    .replace(/@(?=\w)/g, '@<!-- -->')
    .replace(/\bwww\./gi, (start) => `${start.slice(0, -1)}\\.`)
    .replace(/:(?=\/\/)/g, '&#58;');
}

/** `text` as inline code, on one line; safe in a table cell too. */
export function mdCode(text: string): string {
  const line = oneLine(text);
  if (line === '') return '';
  // A backslash does not escape inside backticks, but in a table a bare `|` ends the cell even there: only HTML shows it in both places.
  if (line.includes('|')) return `<code>${line.replace(/[!-/:-@[-`{-~]/g, (char) => `&#${char.charCodeAt(0)};`)}</code>`;
  const longest = Math.max(0, ...Array.from(line.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = /^`|`$/.test(line) ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

/** A fenced code block that `text` cannot leave. */
export function mdBlock(text: string, language = ''): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\r\n?/g, '\n').replace(/\n+$/, '')}\n${fence}`;
}

/** A table; the cells are Markdown already (mdText, mdCode). */
export function mdTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Our own Markdown as text for a terminal: escapes, emphasis, tags and entities are taken away, tables, lists and fenced blocks stay. */
export function mdPlain(markdown: string): string {
  // What stands in a fence is to be copied as it is: a heading in it keeps its marks.
  return markdown
    .split(/^((`{3,})[^`\n]*\n[\s\S]*?\n\2[ \t]*)$/m)
    .map((part, index) => (index % 3 === 0 ? plainProse(part) : index % 3 === 1 ? part : ''))
    .join('');
}

function plainProse(markdown: string): string {
  return markdown
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<\/?(?:code|details|summary|b|br|p)>/g, '')
    .replace(/^#{1,6} /gm, '')
    .replace(/(?<!\\)\*\*/g, '')
    .replace(/(?<![\\`])(`+)(?!`) ?(.+?) ?(?<!`)\1(?!`)/g, '$2')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
