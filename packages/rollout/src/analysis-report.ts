import { formatPercent, mdTable, mdText } from '@slipway/core';
import { evidenceWords, mostEvidence } from './evidence-words.js';
import type { Evidence, WindowRow } from './state.js';

/** The evidence of an analysis as Markdown: what the judge says, its evidence against its limits, and the last windows. */
export function analysisReport(evidence: Evidence | null): string {
  if (!evidence) return '';
  return [judgementLines(evidence), windowTable(evidence.windows)].filter((part) => part !== '').join('\n\n');
}

function judgementLines({ judge, judgement }: Evidence): string {
  if (!judgement) return '';
  const rows = Object.entries(judgement.evidence).map(([metric, value]) => [mdText(metric), mdText(evidenceWords(value))]);
  const { judged, dropped } = judgement.windows;
  const head = `Judge \`${judge}\`, scope ${mdText(judgement.scope)}: ${mdText(judgement.explanation)}. Windows judged: ${judged}, incomplete: ${dropped}.`;
  return rows.length === 0 ? head : `${head}\n\n${mdTable(['Metric', 'Evidence for "worse"'], rows)}`;
}

function windowTable(windows: readonly WindowRow[]): string {
  if (windows.length === 0) return '';
  const rows = windows.map(({ t, weight, stable, canary, evidence }) => [
    `${Math.round(t)} s`,
    `${weight} %`,
    share(canary),
    share(stable),
    mdText(mostEvidence(evidence)),
  ]);
  return mdTable(['Window', 'Weight', 'Canary errors', 'Stable errors', 'Most evidence'], rows);
}

function share(counts: { n: number; e: number } | null): string {
  if (!counts) return 'no data';
  return counts.n === 0 ? '0 of 0' : `${counts.e} of ${counts.n} (${mdText(formatPercent(counts.e / counts.n))})`;
}
