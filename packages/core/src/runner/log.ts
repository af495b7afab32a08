import { issueCommand } from '@actions/core/lib/command.js';
import type { Location, Log } from '../context.js';
import { type AnnotationKind, AnnotationQuota } from './annotations.js';
import { safeLines, safeText } from './safe-text.js';

/** Where lines go. */
export interface LogTarget {
  /** True for a step of GitHub Actions: annotations and groups are runner commands. */
  runner: boolean;
  /** Shows `debug` lines outside of the runner, which decides that by itself. */
  verbose?: boolean;
  /** Writes one line; the line break is added by it. */
  line(text: string): void;
  /** Issues a runner command, escaping as @actions/core does; default: to stdout. */
  command?: (name: string, properties: Record<string, string | number>, message: string) => void;
  /** Rewrites the line in place; absent where that is impossible. */
  rewrite?: (text: string) => void;
}

/** The log of one run. */
export interface RunLog extends Log {
  progress(text: string): void;
  /** The annotation with the run's result: never dropped for those before it. */
  conclude(kind: AnnotationKind, text: string, at?: Location): void;
  mask(value: string): void;
  /** Ends a rewritten line, and tells which annotations are in the log only. */
  close(): void;
}

/** A log for the runner or a terminal. Whatever it is given cannot make the runner issue a command. */
export function createLog(target: LogTarget): RunLog {
  const command = target.command ?? issueCommand;
  const quota = new AnnotationQuota();
  let lastProgress: string | undefined;

  const print = (text: string) => {
    endProgress();
    for (const line of safeLines(text)) target.line(line);
  };
  const annotate = (kind: AnnotationKind, text: string, at: Location = {}, last = false) => {
    endProgress();
    if (!target.runner) return print(`${kind}: ${place(at)}${text}`);
    if (!quota.take(kind, { last })) return print(`${kind}: ${place(at)}${text}`);
    command(kind, properties(at), safeLines(text).join('\n'));
  };
  const endProgress = () => {
    if (lastProgress !== undefined && target.rewrite) target.line('');
    lastProgress = undefined;
  };

  return {
    debug(text) {
      if (target.runner) for (const line of safeLines(text)) command('debug', {}, line);
      else if (target.verbose) print(`debug: ${text}`);
    },
    info: print,
    notice: (text, at) => annotate('notice', text, at),
    warning: (text, at) => annotate('warning', text, at),
    error: (text, at) => annotate('error', text, at),
    conclude: (kind, text, at) => annotate(kind, text, at, true),
    async group(title, body) {
      endProgress();
      if (target.runner) command('group', {}, safeText(title));
      else print(title);
      try {
        return await body();
      } finally {
        endProgress();
        if (target.runner) command('endgroup', {}, '');
      }
    },
    progress(text) {
      const line = safeText(text);
      if (line === lastProgress) return;
      if (target.rewrite) target.rewrite(line);
      else target.line(line);
      lastProgress = line;
    },
    mask(value) {
      if (!target.runner) return;
      // The runner hides line by line: a value that spans lines is hidden one line at a time.
      for (const line of new Set([value, ...value.split(/\r\n|[\n\r]/)])) if (line.trim() !== '') command('add-mask', {}, line);
    },
    close() {
      endProgress();
      const refused = Object.entries(quota.refused()).map(([kind, count]) => `${count} × ${kind}`);
      if (refused.length > 0) print(`GitHub keeps ten annotations of a kind; in this log only: ${refused.join(', ')}.`);
    },
  };
}

function properties(at: Location): Record<string, string | number> {
  const given = { title: at.title && safeText(at.title), file: at.file && safeText(at.file), line: at.line, col: at.column };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string | number] => Boolean(entry[1])));
}

function place({ file, line, column }: Location): string {
  return file === undefined ? '' : `${[file, line, column].filter((part) => part !== undefined).join(':')}: `;
}
