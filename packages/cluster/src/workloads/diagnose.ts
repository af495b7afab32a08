import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { resources } from '../resources.js';
import { currentReplicaSet, readPods, readReplicaSets } from './children.js';
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

/** Pods whose events are asked for: those of one ReplicaSet mostly fail alike. */
const MAX_PODS = 3;

/**
 * Gathers reasons, events and log lines of the Deployment's newest pods; at most ten requests, each for few objects, however many others
 * there are in the namespace. What may not be read is said in `unread`;
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
  const events = await attempt('events', [], () => readEvents(client, deployment, pods, problems));
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

async function readEvents(
  client: KubeClient,
  deployment: KubeObject,
  pods: readonly KubeObject[],
  problems: readonly PodProblem[],
): Promise<string[]> {
  const { namespace = '' } = deployment.metadata;
  const concerned = await concernedObjects(client, deployment, pods, problems);
  const lists = concerned.map(({ kind, name }) =>
    client.list(resources.events, namespace, { fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}` }),
  );
  return (await Promise.all(lists))
    .flat()
    .filter(({ type }) => type !== 'Normal')
    .sort((a, b) => timeOf(a) - timeOf(b))
    .filter((event, index, all) => index === all.findLastIndex((later) => later.reason === event.reason && later.message === event.message))
    .slice(-MAX_EVENTS)
    .map(eventWords);
}

/** The Deployment, the ReplicaSet of its newest pods (or to be of them: it says why there are none), and the pods in trouble. */
async function concernedObjects(
  client: KubeClient,
  deployment: KubeObject,
  pods: readonly KubeObject[],
  problems: readonly PodProblem[],
): Promise<{ kind: string; name: string }[]> {
  const owners = pods.flatMap((pod) => (pod.metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'ReplicaSet'));
  const current = owners.length > 0 ? undefined : currentReplicaSet(deployment, await readReplicaSets(client, deployment));
  const replicaSets = current ? [current.metadata.name] : owners.map(({ name }) => name);
  const unready = pods.filter((pod) => !isReady(pod)).map((pod) => pod.metadata.name);
  const inTrouble = [...new Set([...problems.map(({ pod }) => pod), ...unready])].slice(0, MAX_PODS);
  return [
    { kind: 'Deployment', name: deployment.metadata.name },
    ...[...new Set(replicaSets)].map((name) => ({ kind: 'ReplicaSet', name })),
    ...inTrouble.map((name) => ({ kind: 'Pod', name })),
  ];
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
