import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type Action,
  type Context,
  type Ending,
  type Inputs,
  mdBlock,
  mdCode,
  mdTable,
  mdText,
  type Problem,
  UsageError,
} from '@slipway/core';
import {
  type ChangelogFile,
  type ChangelogVerdict,
  checkChangelog,
  formatVersion,
  parseChangelog,
  parseTagPrefix,
  parseVersion,
  printable,
  readChangelogFile,
  type Version,
} from '@slipway/release';
import { contract } from './contract.js';

type Contract = typeof contract;

export const action: Action<Contract> = { contract, main };

async function main(inputs: Inputs<Contract>, context: Context): Promise<Ending<Contract>> {
  const { version, tagPrefix } = readInputs(inputs);
  const read = await readChangelogFile(resolve(context.cwd, inputs.file), inputs.file);
  if (!read.ok) return unread(inputs.file, read);
  const changelog = parseChangelog(read.source, { tagPrefix });
  const verdict = checkChangelog({ changelog, version, tagPrefix, now: context.clock.now() });
  annotate(context, inputs.file, verdict);
  const notesFile = verdict.outcome === 'pass' ? await writeNotes(inputs, context, version, verdict.notes) : undefined;
  return conclude(inputs.file, version, verdict, notesFile);
}

function readInputs(inputs: Inputs<Contract>): { version: Version; tagPrefix: string } {
  const problems: Problem[] = [];
  const prefix = parseTagPrefix(inputs['tag-prefix']);
  if ('problem' in prefix) problems.push(prefix.problem);
  const tagPrefix = 'prefix' in prefix ? prefix.prefix : '';
  const parsed = parseVersion(inputs.version, { tagPrefix });
  if (!parsed.ok) {
    const { position, message, expected } = parsed.problem;
    problems.push({
      where: 'version',
      message: `"${printable(inputs.version)}" is not a version: at character ${position} ${message}`,
      allowed: `there ${expected}`,
      example: contract.inputs.version.example,
    });
  }
  if (!parsed.ok || problems.length > 0) throw new UsageError(problems);
  return { version: parsed.version, tagPrefix };
}

function unread(file: string, { reason, message, line, next }: ChangelogFile & { ok: false }): Ending<Contract> {
  return { outcome: 'fail', reason, summary: `${message}.`, next, details: { file, line } };
}

/** At the line itself, with the block to paste; other flaws of the file are warnings. */
function annotate({ log }: Context, file: string, { outcome, summary, line, fix, next, warnings }: ChangelogVerdict): void {
  const at = { file, ...(line === null ? {} : { line }) };
  if (outcome === 'fail') log.error([summary, ...next, ...(fix ? ['', fix.block] : [])].join('\n'), at);
  for (const warning of warnings.slice(0, shownWarnings)) log.warning(warning.message, { file, line: warning.line, title: warning.code });
}

/** A long changelog by other rules would drown the log. */
const shownWarnings = 5;

async function writeNotes(inputs: Inputs<Contract>, context: Context, version: Version, notes: string): Promise<string | undefined> {
  const temporary = context.env.RUNNER_TEMP;
  const given = inputs['notes-file'];
  if (given === undefined && !temporary) return undefined;
  const path = given === undefined ? join(temporary as string, `release-notes-${formatVersion(version)}.md`) : resolve(context.cwd, given);
  try {
    await writeFile(path, `${notes}\n`);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(
      [{ where: 'notes-file', message: `${path} cannot be written: ${message}`, allowed: 'a file in a directory that exists' }],
      { cause },
    );
  }
  return path;
}

function conclude(file: string, version: Version, verdict: ChangelogVerdict, notesFile: string | undefined): Ending<Contract> {
  const { outcome, reason, summary, next, release, fix, line, warnings } = verdict;
  const found = release ? { date: release.date, yanked: release.yanked, endLine: release.endLine } : {};
  return {
    outcome,
    reason,
    summary,
    next,
    details: {
      file,
      version: formatVersion(version),
      line,
      ...found,
      fix,
      warnings: warnings.slice(0, 100),
      warningCount: warnings.length,
    },
    outputs: {
      ...(release ? { date: release.date ?? '', line: release.line, yanked: release.yanked } : {}),
      ...(outcome === 'pass' ? { 'notes-file': notesFile ?? '', ...(fitsAnOutput(verdict.notes) ? { notes: verdict.notes } : {}) } : {}),
    },
    report: report(file, version, verdict),
  };
}

/** GitHub takes 1 MiB of outputs per job, and other steps need some of it. */
function fitsAnOutput(notes: string): boolean {
  return Buffer.byteLength(notes) <= 256 * 1024;
}

function report(file: string, version: Version, { release, line, fix, warnings, notes }: ChangelogVerdict): string {
  const place = line === null ? mdCode(file) : mdCode(`${file}:${line}`);
  const facts = [
    ['Version', mdCode(formatVersion(version))],
    ['Place', place],
    ['Date', mdText(release?.date ?? '')],
    ['Notes', notes === '' ? '' : lineCount(notes)],
    ['Warnings', warnings.length === 0 ? '' : String(warnings.length)],
  ].filter(([, value]) => value !== '');
  return [mdTable(['Fact', 'Value'], facts), ...(fix ? [mdBlock(fix.block, 'markdown')] : []), warningList(warnings)]
    .filter(Boolean)
    .join('\n\n');
}

function lineCount(text: string): string {
  const count = text.split('\n').length;
  return `${count} line${count === 1 ? '' : 's'}`;
}

function warningList(warnings: ChangelogVerdict['warnings']): string {
  const shown = warnings.slice(0, shownWarnings).map(({ code, line, message }) => `- Line ${line}: ${mdText(message)} (${mdCode(code)})`);
  const more = warnings.length - shown.length;
  return [...shown, ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n');
}
