import { decisionOf, type Entry } from '../recording.js';
import { evidenceText, fit, seconds, strongest, trackText } from './text.js';
import type { View } from './view.js';

/** Traffic is told this often while users meet a canary, milliseconds. */
const trafficEvery = 3_000;

/** How much of a failed step's output is shown. */
const linesOfFailure = 8;

/** One line for each thing that happens, for logs. */
export function plainView(out: { write(text: string): unknown }): View {
  let startedAt = 0;
  let toldAt = 0;
  let lastLines: string[] = [];
  const tell = (at: number, text: string) => out.write(`${seconds(at - startedAt).padStart(7)}  ${text}\n`);
  return {
    begin(title) {
      startedAt = Date.now();
      out.write(`\n== ${title}\n`);
    },
    entry(entry: Entry) {
      if (entry.type === 'traffic') {
        if (entry.canary === null || entry.weight === 0 || entry.at - toldAt < trafficEvery) return;
        toldAt = entry.at;
      }
      if (entry.type === 'step-start') lastLines = [];
      if (entry.type === 'line') lastLines = [...lastLines, entry.text].slice(-linesOfFailure);
      const text = lineOf(entry);
      if (text !== undefined) tell(entry.at, text);
      if (entry.type === 'step-end' && entry.outcome === 'failure') for (const line of lastLines) tell(entry.at, `    | ${fit(line, 200)}`);
    },
    end() {},
  };
}

function lineOf(entry: Entry): string | undefined {
  const decision = decisionOf(entry);
  if (decision) return `    ${decision.outcome} ${decision.reason}: ${fit(decision.summary, 160)}`;
  switch (entry.type) {
    case 'job-start':
      return entry.steps.length > 0 ? `job ${entry.name}${entry.environment ? ` (environment ${entry.environment})` : ''}` : undefined;
    case 'job-end':
      return entry.job.includes('/') ? `job ${entry.job.split(' / ').at(-1)}: ${entry.conclusion}` : undefined;
    case 'step-start':
      return `  ${entry.name}`;
    case 'step-end':
      return entry.outcome === 'failure' || entry.outcome === 'cancelled' ? `  ${entry.name}: ${entry.outcome}` : undefined;
    case 'annotation':
      return entry.level === 'debug' ? undefined : `    ${entry.level}: ${fit(entry.message, 200)}`;
    case 'weight':
      return `    users: ${100 - entry.weight} % stable, ${entry.weight} % canary`;
    case 'traffic':
      return entry.canary
        ? `    canary ${trackText(entry.canary)}${entry.stable ? `   stable ${trackText(entry.stable)}` : ''}`
        : undefined;
    case 'evidence': {
      const most = strongest(entry.evidence);
      return most && most.evidence > most.limit ? `    evidence: ${evidenceText(most)}` : undefined;
    }
    case 'cancel':
      return `!! ${entry.reason}: SIGINT`;
    default:
      return undefined;
  }
}
