/**
 * The runner reads every line of a step's log for commands (actions/runner, src/Runner.Common/ActionCommand.cs): `::name::` at the start of
 * a line, after any Unicode white space, and `##[name]` anywhere in a line. Text from outside must not reach it in these forms.
 *
 * The break is a visible backslash: the runner compares with the rules of a culture, which look through zero-width characters.
 */

/** Everything that some reader takes for the end of a line. */
const lineBreak = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;
/** White space and what is ignored in comparisons, then the start of a `::name::` command. */
const commandStart = /^([\s\p{Z}\p{C}\p{DI}]*):(?=[\p{C}\p{DI}]*:)/u;
/** `##[`, also with ignored characters in between. */
const oldCommand = /#([\p{C}\p{DI}]*)#([\p{C}\p{DI}]*)\[/gu;
/** Control characters but the tab (terminal escapes among them), and those that reorder or hide what is shown. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unseen = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/** `text` as lines for the log, none of which the runner can take for a command. */
export function safeLines(text: string): string[] {
  return text.split(lineBreak).map(safeLine);
}

/** `text` as one line for the log: line breaks are shown as `\n`. */
export function safeText(text: string): string {
  return safeLine(text.split(lineBreak).join('\\n'));
}

/**
 * JSON on one line that no reader takes for a command or for two lines. It stays the same JSON: only characters inside its strings are
 * written as escapes.
 */
export function safeJson(value: unknown): string {
  return safeJsonText(JSON.stringify(value));
}

/** As safeJson, for JSON that is text already. */
export function safeJsonText(json: string): string {
  return json
    .replace(oldCommand, (match) => match.replace(/#/g, '\\u0023'))
    .replace(/[\u007f-\u009f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function safeLine(line: string): string {
  return line.replace(commandStart, '$1\\:').replace(oldCommand, '#$1#$2\\[').replace(unseen, showCode);
}

function showCode(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
