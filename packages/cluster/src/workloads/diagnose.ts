import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';
import { readPods } from './children.js';
import { isReady, type PodProblem, podProblems } from './pod-reasons.js';

/** What is known of a Deployment whose new pods do not get ready. Plain JSON. */
export interface Diagnosis {
  problems: PodProblem[];
  /** Newest last, at most 8: `Warning Failed pod/shop-1: Error: ImagePullBackOff (x3)`. */
  events: string[];
  /** Last lines of the container in question, at most 20 lines and 4 KB. */
  logs: { pod: string; container: string; previous: boolean; lines: string[] } | null;
  /** What could not be read, e.g. for want of permission. */
  unread: string[];
}

const MAX_LINES = 20;
const MAX_BYTES = 4096;
const MAX_EVENTS = 8;

/**
 * Gathers reasons, events and log lines of the Deployment's newest pods; at most five requests. What may not be read is said in `unread`;
 * it never throws because of that.
 */
export async function diagnose(client: KubeClient, deployment: KubeObject, knownPods?: readonly KubeObject[]): Promise<Diagnosis> {
  const unread: string[] = [];
  const attempt = async <T>(what: string, otherwise: T, body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      unread.push(`${what}: ${error.message}`);
      return otherwise;
    }
  };
  const pods = knownPods ?? (await attempt('pods', [], () => readPods(client, deployment)));
  const problems = worstFirst(pods.flatMap(podProblems));
  const events = await attempt('events', [], () => readEvents(client, deployment, pods));
  const logs = await attempt('logs', null, () => readLogs(client, deployment, pods, problems[0]));
  return { problems, events, logs, unread };
}

/** A diagnosis in lines for people, most telling first; what several pods have in common is said once. Pure. */
export function diagnosisLines({ problems, events, logs, unread }: Diagnosis): string[] {
  return [
    ...groupProblems(problems).slice(0, 3),
    ...events.slice(-3).map((event) => `event: ${event}`),
    ...(logs ? [`last log lines of ${logs.pod}/${logs.container}${logs.previous ? ' (before it ended)' : ''}:`, ...logs.lines] : []),
    ...unread.map((what) => `could not read ${what}`),
  ];
}

function groupProblems(problems: readonly PodProblem[]): string[] {
  const alike = (a: PodProblem) => (b: PodProblem) => a.container === b.container && a.reason === b.reason && a.message === b.message;
  return problems
    .filter((problem, index) => index === problems.findIndex(alike(problem)))
    .map((problem) => {
      const others = problems.filter(alike(problem)).length - 1;
      return `${problemWords(problem)}${others === 0 ? '' : ` (and ${others} more pod${others === 1 ? '' : 's'})`}`;
    });
}

/** `pod shop-1, container web: ImagePullBackOff (Back-off pulling image …)`. */
function problemWords({ pod, container, reason, message, restarts }: PodProblem): string {
  const where = container === null ? `pod ${pod}` : `pod ${pod}, container ${container}`;
  return `${where}: ${reason}${message ? ` (${message})` : ''}${restarts > 0 ? `, restarted ${restarts}×` : ''}`;
}

function worstFirst(problems: PodProblem[]): PodProblem[] {
  const rank = { now: 0, again: 1, never: 2 };
  return problems.sort((a, b) => rank[a.fatal] - rank[b.fatal]);
}

async function readEvents(client: KubeClient, deployment: KubeObject, pods: readonly KubeObject[]): Promise<string[]> {
  const { namespace = '', name } = deployment.metadata;
  const ours = new Set([name, ...pods.map((pod) => pod.metadata.name)]);
  const replicaSets = new Set(pods.flatMap((pod) => (pod.metadata.ownerReferences ?? []).map((owner) => owner.name)));
  const events = await client.list(resources.events, namespace);
  const concerns = (kind: string, object: string) =>
    kind === 'ReplicaSet' ? replicaSets.has(object) || (replicaSets.size === 0 && object.startsWith(`${name}-`)) : ours.has(object);
  return events
    .filter(({ involvedObject = {} }) => concerns(involvedObject.kind ?? '', involvedObject.name ?? ''))
    .filter(({ type }) => type !== 'Normal')
    .sort((a, b) => timeOf(a) - timeOf(b))
    .filter((event, index, all) => index === all.findLastIndex((later) => later.reason === event.reason && later.message === event.message))
    .slice(-MAX_EVENTS)
    .map(eventWords);
}

function eventWords(event: KubeObject): string {
  const { type, reason, involvedObject = {}, message = '', count = event.series?.count ?? 1 } = event;
  return `${type} ${reason} ${String(involvedObject.kind).toLowerCase()}/${involvedObject.name}: ${message}${count > 1 ? ` (x${count})` : ''}`;
}

function timeOf(event: KubeObject): number {
  const at = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  return Date.parse(at ?? '') || 0;
}

/** Of the container with the worst problem, else of a pod that is not ready. A restarted container says more in its previous run. */
async function readLogs(
  client: KubeClient,
  deployment: KubeObject,
  pods: readonly KubeObject[],
  worst: PodProblem | undefined,
): Promise<Diagnosis['logs']> {
  const { namespace = '' } = deployment.metadata;
  const pod = worst?.pod ?? pods.find((each) => !isReady(each))?.metadata.name;
  const container = worst?.container ?? deployment.spec?.template?.spec?.containers?.[0]?.name;
  if (pod === undefined || container === undefined || neverStarted(worst)) return null;
  const runs = worst !== undefined && worst.restarts > 0 ? [true, false] : [false];
  for (const previous of runs) {
    const text = await client.logs(namespace, pod, { container, previous, tailLines: MAX_LINES });
    const lines = lastLines(text);
    if (lines.length > 0) return { pod, container, previous, lines };
  }
  return null;
}

/** A container whose image cannot be had has no log, and asking for it is an error. */
function neverStarted(worst: PodProblem | undefined): boolean {
  if (worst === undefined) return false;
  return worst.container === null || (worst.restarts === 0 && /Image|CreateContainer|Registry/.test(worst.reason));
}

function lastLines(text: string): string[] {
  const lines = text
    .slice(-MAX_BYTES)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.slice(-MAX_LINES);
}
