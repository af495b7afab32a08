import { type EngineView, engineWords, readLease } from '@slipway/cluster';
import { mdTable, mdText } from '@slipway/core';
import type { RolloutDeps } from '../deps.js';
import { recordName, rolloutStore } from '../rollout-record.js';
import { isActive, type RolloutState } from '../state.js';
import type { Status } from '../status.js';
import { nameOf } from '../verdicts.js';
import { engineFor, engineKindOf } from './engine-target.js';

/** Where the rollout of a driven target stands, by the record and by its controller. Reads only, and takes no lease. */
export async function readEngineStatus(deps: RolloutDeps): Promise<Status> {
  const { target, context } = deps;
  const client = deps.client.withSignal(context.signal);
  const kind = engineKindOf(target);
  if (!kind) throw new Error(`${target.workload} is driven by no engine`);
  const view = await engineFor(client, target, kind).check();
  const state = (await rolloutStore(client, target.namespace, target.workload).read())?.value;
  const lease = await readLease(client, target.namespace, recordName(target.workload));
  const facts = factsOf(state, view, lease?.holder ?? null);
  const log = (state?.log ?? []).slice(-10).map(({ at, what }) => [mdText(at), mdText(what)]);
  return {
    verdict: { outcome: 'pass', reason: 'STATUS', summary: summaryOf(state, view) },
    state: isActive(state) ? { ...state, weight: view.weight } : state,
    lines: facts.map(([name, fact]) => `${name}: ${fact}`),
    report: [
      mdTable(
        ['', ''],
        facts.map(([name, fact]) => [name, mdText(fact)]),
      ),
      log.length > 0 ? mdTable(['When', 'What'], log) : '',
    ]
      .filter(Boolean)
      .join('\n\n'),
  };
}

function summaryOf(state: RolloutState | undefined, view: EngineView): string {
  const words = `${engineWords(view)}${view.held === null ? '' : `, held: ${view.held}`}.`;
  if (!state) return `There never was a rollout by Slipway. ${words}`;
  if (isActive(state)) return `${nameOf(state)} is ${state.phase}. ${words}`;
  return `The last rollout, to ${nameOf(state)}, is ${state.phase} since ${state.finishedAt}${state.ended ? `: ${state.ended.summary}` : '.'} ${words}`;
}

function factsOf(state: RolloutState | undefined, view: EngineView, holder: string | null): [string, string][] {
  const steps = view.steps.map(({ weight }, index) => `${weight} %${index === view.step ? ' (now)' : ''}`);
  const checks = view.checks.map(({ name, phase, message }) => `${name} ${phase}${message ? ` (${message})` : ''}`);
  return [
    ['Rollout', state?.id ?? 'none on record'],
    ['Controller', `${view.engine}: ${engineWords(view)}`],
    ['Serves', view.image.stable ?? 'nothing yet'],
    ['Asked for', view.image.desired],
    ['Phase', state?.phase ?? 'none'],
    ['Steps', steps.join(' → ') || 'none'],
    ['Held', view.held ?? 'no'],
    ['Its analyses', checks.join('; ') || 'none'],
    ['Judge', state?.evidence?.judgement?.explanation ?? 'nothing seen yet'],
    ['Lease', holder ?? 'free'],
    ['Run', state?.runUrl ?? 'none'],
  ];
}
