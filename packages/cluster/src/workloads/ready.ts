import { type Clock, OperationError } from '@slipway/core';
import { schedulingWatch } from '../capacity/unschedulable.js';
import type { KubeClient, KubeObject } from '../kube.js';
import { QUOTA_ADVICE, tellsOfQuota } from '../quota-words.js';
import { resources } from '../resources.js';
import { currentReplicaSet, readPods, readReplicaSets, revisionOf } from './children.js';
import { type DeploymentNews, deploymentNews } from './deployment-news.js';
import { diagnose, diagnosisLines } from './diagnose.js';
import { type PodProblem, podProblems } from './pod-reasons.js';
import { type Progress, progressOf, stuckOf } from './progress.js';
import { describe } from './workload.js';

export interface ReadyOptions {
  /** `metadata.generation` that our change led to; what is ready must be at least as new. */
  generation: number;
  timeoutMs: number;
  clock: Clock;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** The image that must be the one serving; when somebody sets another meanwhile the wait ends with WORKLOAD_CHANGED. */
  expect?: { container: string; image: string };
}

export interface Ready {
  deployment: KubeObject;
  /** The deployment controller's revision that serves. */
  revision: string;
  replicas: number;
}

/** First pause between two looks, its growth, and the longest: a 30 s wait is 11 looks. Milliseconds. */
const FIRST_PAUSE = 1_000;
const PAUSE_GROWTH = 1.25;
const LONGEST_PAUSE = 4_000;

/**
 * Waits until the revision that we made is the one serving, all of it, with no older pods left; or says why it will not be.
 *
 * Ends at once when waiting cannot help. Reasons: IMAGE_PULL_FAILED, CRASH_LOOP, CONTAINER_CONFIG_ERROR, INVALID_IMAGE_NAME,
 * UNSCHEDULABLE, QUOTA_EXCEEDED, PODS_NOT_CREATED (admission), PROGRESS_DEADLINE_EXCEEDED, READY_TIMEOUT, WORKLOAD_CHANGED, WORKLOAD_NOT_FOUND.
 * The error's `details.diagnosis` and `next` have pod reasons, events and last log lines.
 */
export async function waitReady(client: KubeClient, namespace: string, name: string, options: ReadyOptions): Promise<Ready> {
  const first = await readDeployment(client, namespace, name);
  const isReady = (deployment: KubeObject) => progressOf(deployment, options.generation).ready;
  const news = deploymentNews(client, first, isReady, options);
  try {
    return await lookUntilReady(client, first, news, options);
  } finally {
    news.close();
  }
}

/** Looks at what the watch tells as soon as it tells of readiness, and by a timetable: pods are looked at, and the Deployment read where there is no news. */
async function lookUntilReady(client: KubeClient, first: KubeObject, news: DeploymentNews, options: ReadyOptions): Promise<Ready> {
  const { clock, signal, generation } = options;
  const deadline = clock.now() + options.timeoutMs;
  const pods = podWatch(client, clock);
  let pause = FIRST_PAUSE;
  let deployment = first;
  for (let count = 0; ; count++) {
    const ready = look(deployment, options);
    if (ready) return ready;
    await refuseStuck(client, deployment, generation, count);
    if (count % 2 === 1) await pods.refuseFatal(deployment);
    if (clock.now() + pause > deadline) throw await timeout(client, deployment, progressOf(deployment, generation), options.timeoutMs);
    await sleepUntil(news.arrived, pause, clock, signal);
    deployment = news.newest() ?? (await readDeployment(client, first.metadata.namespace ?? '', first.metadata.name));
    pause = Math.min(pause * PAUSE_GROWTH, LONGEST_PAUSE);
  }
}

/** Tells the progress; undefined: not ready yet. */
function look(deployment: KubeObject, options: ReadyOptions): Ready | undefined {
  refuseChanged(deployment, options);
  const progress = progressOf(deployment, options.generation);
  options.onProgress?.(progress);
  return progress.ready ? { deployment, revision: String(revisionOf(deployment)), replicas: progress.desired } : undefined;
}

/** Sleeps for `ms` at most; rejects when `signal` aborts. */
async function sleepUntil(arrived: AbortSignal, ms: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  try {
    await clock.sleep(ms, signal ? AbortSignal.any([signal, arrived]) : arrived);
  } catch (error) {
    if (signal?.aborted || !arrived.aborted) throw error;
  }
}

async function readDeployment(client: KubeClient, namespace: string, name: string): Promise<KubeObject> {
  const deployment = await client.find(resources.deployments, namespace, name);
  if (deployment) return deployment;
  throw new OperationError(`Deployment ${namespace}/${name} was deleted by somebody else while it was getting ready.`, {
    reason: 'WORKLOAD_NOT_FOUND',
    next: ['Find out who deleted it, then run this again.'],
  });
}

function refuseChanged(deployment: KubeObject, { expect }: ReadyOptions): void {
  if (!expect) return;
  const containers: { name: string; image: string }[] = deployment.spec?.template?.spec?.containers ?? [];
  const image = containers.find(({ name }) => name === expect.container)?.image;
  if (image === expect.image) return;
  const { namespace, name } = deployment.metadata;
  throw new OperationError(
    `${describe(deployment)} was given another image while this one was getting ready: ${image ?? 'none'} in place of ${expect.image}.`,
    {
      reason: 'WORKLOAD_CHANGED',
      next: [
        `Find out who writes to it (kubectl -n ${namespace} get deployment/${name} -o yaml --show-managed-fields), then run this again.`,
      ],
    },
  );
}

/** The controller retries a refused pod, and a quota may have been freed by then: what is still refused at the next look is an error. */
async function refuseStuck(client: KubeClient, deployment: KubeObject, generation: number, look: number): Promise<void> {
  const stuck = stuckOf(deployment, generation);
  if (!stuck || (stuck.reason === 'PODS_NOT_CREATED' && look === 0)) return;
  const reason = stuck.reason === 'PODS_NOT_CREATED' && tellsOfQuota(stuck.message) ? 'QUOTA_EXCEEDED' : stuck.reason;
  const what =
    stuck.reason === 'PODS_NOT_CREATED'
      ? 'cannot create its pods'
      : `made no progress for ${deployment.spec?.progressDeadlineSeconds ?? 600} s`;
  throw await failure(client, deployment, reason, `${describe(deployment)} ${what}: ${stuck.message}`);
}

/** Looks at the newest revision's pods; remembers what it saw, so that what may pass is fatal only when seen again. */
function podWatch(client: KubeClient, clock: Clock) {
  const scheduling = schedulingWatch(client, clock);
  const seen = new Set<string>();
  let replicaSet: KubeObject | undefined;
  return {
    async refuseFatal(deployment: KubeObject): Promise<void> {
      if (!replicaSet || revisionOf(replicaSet) !== revisionOf(deployment)) {
        replicaSet = currentReplicaSet(deployment, await readReplicaSets(client, deployment));
      }
      if (!replicaSet) return;
      const pods = await readPods(client, deployment, replicaSet);
      const problems = pods.flatMap(podProblems);
      const fatal = problems.find((problem) => problem.fatal === 'now' || (problem.fatal === 'again' && seen.has(keyOf(problem))));
      for (const problem of problems) seen.add(keyOf(problem));
      if (fatal)
        throw await failure(
          client,
          deployment,
          podFailureReason(fatal),
          `${describe(deployment)} will not get ready (${fatal.reason})`,
          pods,
        );
      const homeless = await scheduling.hopeless(deployment, pods);
      const words = homeless && `No node takes pod ${homeless.metadata.name} of ${describe(deployment)}`;
      if (words) throw await failure(client, deployment, 'UNSCHEDULABLE', words, pods);
    },
  };
}

/** By container, not by reason: ErrImagePull and ImagePullBackOff take turns. */
function keyOf({ pod, container }: PodProblem): string {
  return `${pod}/${container}`;
}

/** Reason code of what keeps a pod from getting ready. Pure. */
export function podFailureReason({ reason }: Pick<PodProblem, 'reason'>): string {
  if (reason === 'InvalidImageName') return 'INVALID_IMAGE_NAME';
  if (/Image|Registry/.test(reason)) return 'IMAGE_PULL_FAILED';
  return /CreateContainer|RunContainer/.test(reason) ? 'CONTAINER_CONFIG_ERROR' : 'CRASH_LOOP';
}

function timeout(client: KubeClient, deployment: KubeObject, progress: Progress, timeoutMs: number): Promise<OperationError> {
  const seconds = Math.round(timeoutMs / 1000);
  return failure(client, deployment, 'READY_TIMEOUT', `${describe(deployment)} was not ready after ${seconds} s: ${progress.words}`);
}

async function failure(
  client: KubeClient,
  deployment: KubeObject,
  reason: string,
  message: string,
  pods?: readonly KubeObject[],
): Promise<OperationError> {
  const diagnosis = await diagnose(client, deployment, pods);
  const { namespace, name } = deployment.metadata;
  return new OperationError([`${message}.`, ...diagnosisLines(diagnosis)].join('\n'), {
    reason,
    next: [ADVICE[reason] ?? `kubectl -n ${namespace} describe deployment/${name}`],
    details: { namespace, deployment: name, diagnosis },
  });
}

const ADVICE: Record<string, string> = {
  IMAGE_PULL_FAILED: 'Check that the image exists under this very name and that the cluster may pull it (imagePullSecrets).',
  INVALID_IMAGE_NAME: 'Correct the image reference.',
  CRASH_LOOP: 'The container starts and ends: the log lines above are its last words.',
  CONTAINER_CONFIG_ERROR: 'Create the ConfigMap, Secret or key that the pod refers to.',
  PODS_NOT_CREATED: 'Satisfy the admission policy that the message names.',
  QUOTA_EXCEEDED: QUOTA_ADVICE,
  UNSCHEDULABLE: 'Add nodes, or ask for less: requests, affinity, node selector, tolerations and volumes decide where a pod may run.',
  READY_TIMEOUT: 'Check the readiness probe and the resources asked for; raise `ready-timeout` if the start simply takes longer.',
};
