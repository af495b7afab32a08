/** Names of characters that cannot be seen, or are easily taken for another one. */
const names: Readonly<Record<number, string>> = {
  0: 'null',
  9: 'tab',
  10: 'line feed',
  13: 'carriage return',
  32: 'space',
  160: 'no-break space',
  173: 'soft hyphen',
  8203: 'zero-width space',
  8204: 'zero-width non-joiner',
  8205: 'zero-width joiner',
  8206: 'left-to-right mark',
  8207: 'right-to-left mark',
  8210: 'figure dash',
  8211: 'en dash',
  8212: 'em dash',
  8232: 'line separator',
  8238: 'right-to-left override',
  8288: 'word joiner',
  8722: 'minus sign',
  12288: 'ideographic space',
  65279: 'byte order mark',
};

/** `U+200B`. */
export function codePointOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** How to name a character in a sentence: `"$"` when it is plain ASCII, else `U+FF11 "１"` or `U+200B (zero-width space)`. */
export function describeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code > 32 && code < 127) return `"${character}"`;
  const name = names[code];
  if (name !== undefined) return `${codePointOf(character)} (${name})`;
  return isVisible(character) ? `${codePointOf(character)} "${character}"` : codePointOf(character);
}

/** The text on one line with every character to be seen: what is not printable becomes `\u{…}`; cut after `limit` characters. */
export function printable(text: string, limit = 80): string {
  let shown = '';
  let count = 0;
  for (const character of text) {
    if (count++ === limit) return `${shown}…`;
    shown += isVisible(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  }
  return shown;
}

/** Letters, numbers, punctuation, symbols and the plain space; not marks, other spaces, controls, formats, unassigned. */
function isVisible(character: string): boolean {
  return character === ' ' || /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character);
}
