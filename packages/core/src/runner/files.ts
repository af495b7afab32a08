import { appendFileSync, statSync } from 'node:fs';
import { EOL } from 'node:os';
import { prepareKeyValueMessage } from '@actions/core/lib/file-command.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** GitHub refuses a step's whole summary above this many bytes (actions/runner, FileCommandManager.cs). */
const summaryLimit = 1024 * 1024;
const longestFence = 64;
const trimNote = '\n\n*The rest was left out: GitHub takes at most 1 MiB of summary per step.*\n';

/** Sets outputs of the step. Each value stands between random delimiters, so no value can add another output. */
export function writeOutputs(env: Environment, values: Readonly<Record<string, string>>): void {
  append(env.GITHUB_OUTPUT, values);
}

/** Keeps a value for the `post` step. */
export function saveState(env: Environment, name: string, value: string): void {
  append(env.GITHUB_STATE, { [name]: value });
}

/** What `main` kept: the runner hands it over as `STATE_<name>`. */
export function savedState(env: Environment, name: string): string | undefined {
  return env[`STATE_${name}`];
}

/** Adds Markdown to the job summary, as much of it as GitHub takes. */
export function writeSummary(env: Environment, markdown: string): void {
  const file = env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  const taken = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  appendFileSync(file, trimToBytes(`${markdown}\n`, summaryLimit - taken - 1));
}

/** `text` cut at the end of a line so that it fits in `limit` bytes with a note that it was cut; empty when not even the note fits. */
export function trimToBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  const room = limit - Buffer.byteLength(trimNote) - longestFence;
  if (room < 0) return '';
  const end = bytes.lastIndexOf('\n', room - 1);
  const kept = end < 0 ? '' : bytes.subarray(0, end).toString();
  return `${kept}${closeFence(kept)}${trimNote}`;
}

/** A cut may leave a code block open, which would swallow the note. */
function closeFence(markdown: string): string {
  let open: string | undefined;
  for (const [, fence = ''] of markdown.matchAll(/^ {0,3}(`{3,}|~{3,})/gm)) {
    if (open === undefined) open = fence;
    else if (fence.startsWith(open)) open = undefined;
  }
  return open === undefined ? '' : `\n${open}`.slice(0, longestFence);
}

function append(file: string | undefined, values: Readonly<Record<string, string>>): void {
  if (!file) return;
  const text = Object.entries(values).map(([name, value]) => prepareKeyValueMessage(name, value) + EOL);
  if (text.length > 0) appendFileSync(file, text.join(''));
}
