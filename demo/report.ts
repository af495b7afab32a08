import { decisionsOf, largestWeight, type Recording } from './recording.js';
import type { Check, UserImpact } from './verify.js';
import { seconds } from './view/text.js';

export interface Outcome {
  recording: Recording;
  checks: Check[];
  impact: UserImpact;
}

export function isAsExpected({ checks }: Outcome): boolean {
  return checks.every(({ ok }) => ok);
}

/** The table at the end: what happened, failed requests of users, seconds of bad traffic. */
export function summaryTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => {
    const { recording, impact } = outcome;
    return [
      isAsExpected(outcome) ? '✓' : '✗',
      recording.scenario.name,
      whatHappened(outcome),
      `${impact.failed} of ${impact.requests}`,
      `${impact.badSeconds} s`,
      seconds(recording.endedAt - recording.startedAt),
    ];
  });
  return columns([['', 'scenario', 'what happened', 'failed requests', 'bad traffic', 'took'], ...rows]);
}

/** Every check that did not hold, and with `all` those that did. */
export function checkLines({ checks }: Outcome, all: boolean): string[] {
  return checks.filter(({ ok }) => all || !ok).map(({ ok, what, found }) => `  ${ok ? '✓' : '✗'} ${what} (${found})`);
}

function whatHappened({ recording, impact }: Outcome): string {
  const { tag, expected } = recording.scenario;
  const largest = largestWeight(recording);
  if (recording.conclusion === 'success') return `${tag} serves all users`;
  if (impact.backAfterCancel !== undefined) return `cancelled at ${largest} %, stable again after ${Math.round(impact.backAfterCancel)} ms`;
  if (expected.released) return `the run ended with ${recording.conclusion}`;
  const refusal = decisionsOf(recording.timeline).find(({ outcome }) => outcome !== 'pass' && outcome !== 'skipped');
  if (largest === 0) return `${tag} refused: ${refusal?.reason ?? `at ${expected.stopsAt}`}`;
  return `${tag} caught at ${largest} %, rolled back: ${refusal?.reason ?? 'unknown'}`;
}

function columns(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
