import { routingWords } from '@slipway/cluster';
import { formatDuration, mdTable, mdText } from '@slipway/core';
import type { RolloutState } from '../state.js';
import { accessWords } from './access.js';
import type { Check } from './check.js';
import type { Plan } from './plan.js';

/** The plan as Markdown, for the job summary and for a terminal. Pure. */
export function planReport({ steps, end, access, checks, rollback }: Plan, going: RolloutState | undefined): string {
  const rows = steps.map(({ step, routing, stable, canary, duration, changes, state }) => [
    `${step}${going ? ` (${state})` : ''}`,
    mdText(routingWords(routing)),
    `${stable} + ${canary}`,
    duration > 0 ? formatDuration(duration) : '',
    mdText(changes.join('; ')),
  ]);
  const last = [rows.length > 0 ? 'then' : '', 'everybody', '', '', mdText(end.join('; '))];
  return [
    mdTable(['Step', 'New version gets', 'Pods', 'Watched', 'What is done'], [...rows, last]),
    section('Looked at', checks),
    section('The way back, now', rollback),
    accessReport(access),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function section(title: string, checks: readonly Check[]): string {
  if (checks.length === 0) return '';
  return mdTable(
    [title, '', ''],
    checks.map(({ what, outcome, words, next }) => [mdText(what), outcome, mdText([words, ...next].join(' '))]),
  );
}

function accessReport(access: Plan['access']): string {
  const lacking = access.filter(({ allowed }) => allowed !== true);
  const head = `Permissions: ${access.length - lacking.length} of ${access.length} granted.`;
  const needed = mdText(`Needed: ${neededWords(access)}.`);
  if (lacking.length === 0) return `${head} ${needed}`;
  const rows = lacking.map((each) => [
    mdText(accessWords(each)),
    each.allowed === null ? 'not known' : each.without === undefined ? 'missing' : 'missing, optional',
    mdText(each.without ?? ''),
  ]);
  return `${head} ${needed}\n\n${mdTable(['Permission', '', 'Without it'], rows)}`;
}

/** `get, patch deployments.apps shop; …`: what is needed, the verbs of one object together. */
function neededWords(access: Plan['access']): string {
  const verbs = new Map<string, string[]>();
  for (const each of access) {
    const [verb = '', ...object] = accessWords(each).split(' ');
    const key = object.join(' ');
    verbs.set(key, [...(verbs.get(key) ?? []), verb]);
  }
  return [...verbs].map(([object, all]) => `${all.join(', ')} ${object}`).join('; ');
}
