import { readLease, readWorkload, resources, routingWords, type Split } from '@slipway/cluster';
import { mdTable, mdText, OperationError } from '@slipway/core';
import { readSplitIfAny } from './abort-unrecorded.js';
import type { RolloutDeps } from './deps.js';
import { engineKindOf, readEngineStatus } from './engines/index.js';
import { recordName, rolloutStore } from './rollout-record.js';
import { isActive, type RolloutState } from './state.js';
import { type RolloutTarget, routingOf } from './target.js';
import { nameOf, type Verdict } from './verdicts.js';
import { routerOf } from './world.js';

export interface Status {
  verdict: Verdict;
  state: RolloutState | undefined;
  /** What a person who watches is told, a fact a line. */
  lines: string[];
  /** Markdown: the same, and the rollout's history. */
  report: string;
}

/** Without a weight: it cannot be read, or there is none. */
type SplitSeen = Pick<Split, 'words'> & Partial<Pick<Split, 'weight'>>;

/** Where the rollout of a target stands. Reads only, and takes no lease. Reason of errors: WORKLOAD_NOT_FOUND. */
export async function readStatus(deps: RolloutDeps): Promise<Status> {
  if (engineKindOf(deps.target)) return readEngineStatus(deps);
  const { target, context } = deps;
  const client = deps.client.withSignal(context.signal);
  const state = (await rolloutStore(client, target.namespace, target.workload).read())?.value;
  const lease = await readLease(client, target.namespace, recordName(target.workload));
  const split = isActive(state) ? await readSplit(deps, state) : undefined;
  const stray = state ? undefined : await readStray(deps);
  if (stray) return { verdict: stray, state, lines: [stray.summary], report: '' };
  // Throws when there is no such Deployment: a mistyped name must not look like a service at rest.
  if (!state) await readWorkload(client, target.namespace, target.workload, target.container);
  return {
    verdict: { outcome: 'pass', reason: 'STATUS', summary: summaryOf(state, split, target) },
    state: state && split?.weight !== undefined ? { ...state, split: { weight: split.weight, words: split.words } } : state,
    ...(state ? described(state, lease?.holder ?? null, split, await podsOf(deps, state)) : { lines: [], report: '' }),
  };
}

/** Ready and all pods of each track. */
async function podsOf({ client, context }: RolloutDeps, { target, kind }: RolloutState): Promise<string> {
  const read = async (name: string) => {
    const deployment = await client.withSignal(context.signal).find(resources.deployments, target.namespace, name);
    return deployment ? `${deployment.status?.readyReplicas ?? 0} of ${deployment.spec?.replicas ?? 1} ready` : 'none';
  };
  if (kind === 'rolling') return read(target.workload);
  const [stable, canary] = await Promise.all([read(target.workload), read(target.canary)]);
  return `stable ${stable}, canary ${canary}`;
}

async function readSplit({ client, context }: RolloutDeps, state: RolloutState): Promise<SplitSeen> {
  if (state.kind === 'rolling') return { words: 'none: a rolling release' };
  const { clock, signal } = context;
  try {
    return await routerOf(client, state.target, { clock, signal, replicas: state.replicas, state }).read();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { words: `cannot be read: ${error.message}` };
  }
}

/** A canary with users although nothing is on record: somebody deleted the state. */
async function readStray({ client, target, context: { clock, signal } }: RolloutDeps): Promise<Verdict | undefined> {
  const split = await readSplitIfAny(routerOf(client.withSignal(signal), target, { clock, signal, replicas: 1, state: undefined }));
  if (!split || split.weight === 0) return undefined;
  return {
    outcome: 'pass',
    reason: 'STATUS',
    summary: `No rollout is on record, but users meet a canary: ${split.words}.`,
    next: ['Run `abort`: it sends all users to stable and removes the canary.'],
  };
}

function summaryOf(
  state: RolloutState | undefined,
  split: Pick<Split, 'words'> | undefined,
  { namespace, workload }: RolloutTarget,
): string {
  if (!state) return `There never was a rollout of Deployment ${namespace}/${workload}.`;
  if (!isActive(state))
    return `The last rollout of Deployment ${namespace}/${workload}, to ${nameOf(state)}, is ${state.phase} since ${state.finishedAt}${state.ended ? `: ${state.ended.summary}` : '.'}`;
  const since = state.stepStartedAt ? ` since ${state.stepStartedAt}` : '';
  return `${nameOf(state)} is ${state.phase}, step ${state.step + 1} of ${state.target.steps.length}${since}: ${split?.words ?? ''}.`;
}

type Fact = [name: string, fact: string];

function factsOf(state: RolloutState, holder: string | null, split: Pick<Split, 'words'> | undefined, pods: string): Fact[] {
  const steps = state.target.steps.map((step, index) => `${routingWords(routingOf(step))}${index === state.step ? ' (now)' : ''}`);
  return [
    ['Rollout', state.id],
    ['Image', `${state.image.from} → ${state.image.to}`],
    ['Phase', state.paused ? `${state.phase}, paused by ${state.paused.by}: ${state.paused.why}` : state.phase],
    ['Steps', steps.join(' → ') || 'none: a rolling update'],
    ['Split', [split?.words ?? `${state.weight} %`, state.split?.measured].filter(Boolean).join('; ')],
    ['Pods', pods],
    ['Under way', state.intent ? `${state.intent.change} since ${state.intent.at}` : 'nothing'],
    ['Judge', state.evidence?.judgement?.explanation ?? 'nothing seen yet'],
    ['Lease', holder ?? 'free'],
    ['Run', state.runUrl ?? 'none'],
  ];
}

function described(
  state: RolloutState,
  holder: string | null,
  split: Pick<Split, 'words'> | undefined,
  pods: string,
): Pick<Status, 'lines' | 'report'> {
  const facts = factsOf(state, holder, split, pods);
  const rows = facts.map(([name, fact]) => [name, mdText(fact)]);
  const log = state.log.slice(-10).map(({ at, what }) => [mdText(at), mdText(what)]);
  const report = [mdTable(['', ''], rows), log.length > 0 ? mdTable(['When', 'What'], log) : ''].filter(Boolean).join('\n\n');
  return { lines: facts.map(([name, fact]) => `${name}: ${fact}`), report };
}
