import { CANARY, isReady, type KubeClient, type KubeObject, podProblems, resources, TRACK_LABEL } from '@slipway/cluster';
import type { RolloutTarget } from './target.js';

/** A pod of the service, as far as judging and watching it goes. */
export interface ServicePod {
  name: string;
  track: 'stable' | 'canary';
  ready: boolean;
  /** When its counters began at zero: the start of the released container, milliseconds since the epoch. */
  startedAt?: number;
  /** When it became ready last; a pod may lose and regain readiness without its counters starting anew. */
  readyAt?: number;
  /** Its containers' restarts so far. */
  restarts: number;
  /** Why it will not get ready: `CrashLoopBackOff: exit code 1`; null while nothing speaks against it. */
  fatal: string | null;
  object: KubeObject;
}

/**
 * The running pods of both tracks, with one request: the stable Deployment's selector without its `track` finds both, because the canary's pods
 * carry all of stable's labels.
 */
export async function listPods(client: KubeClient, { namespace, container }: RolloutTarget, stable: KubeObject): Promise<ServicePod[]> {
  const wanted: Record<string, string> = stable.spec?.selector?.matchLabels ?? {};
  const labelSelector = Object.entries(wanted)
    .filter(([key]) => key !== TRACK_LABEL)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const pods = await client.list(resources.pods, namespace, { labelSelector });
  return pods.filter(isCurrent).flatMap((pod) => {
    const track = trackOf(pod, wanted);
    return track ? [servicePod(pod, track, container)] : [];
  });
}

/** A pod that is on its way out, or has ended, is nobody's. */
export function isCurrent(pod: KubeObject): boolean {
  return !pod.metadata.deletionTimestamp && !['Succeeded', 'Failed'].includes(pod.status?.phase ?? '');
}

function trackOf(pod: KubeObject, stable: Record<string, string>): ServicePod['track'] | undefined {
  const labels = pod.metadata.labels ?? {};
  if (labels[TRACK_LABEL] === CANARY) return 'canary';
  return Object.entries(stable).every(([key, value]) => labels[key] === value) ? 'stable' : undefined;
}

/** A pod as judging and watching see it. Pure. */
export function servicePod(object: KubeObject, track: ServicePod['track'], container: string | undefined): ServicePod {
  const statuses: { restartCount?: number }[] = object.status?.containerStatuses ?? [];
  const conditions: { type: string; status: string; lastTransitionTime?: string }[] = object.status?.conditions ?? [];
  const readyAt = Date.parse(conditions.find(({ type, status }) => type === 'Ready' && status === 'True')?.lastTransitionTime ?? '');
  const startedAt = containerStart(object, container);
  const problem = podProblems(object).find(({ fatal }) => fatal === 'now');
  return {
    name: object.metadata.name,
    track,
    ready: isReady(object),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(Number.isNaN(readyAt) ? {} : { readyAt }),
    restarts: statuses.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    fatal: problem ? `${problem.reason}${problem.message ? `: ${problem.message}` : ''}` : null,
    object,
  };
}

/**
 * Start of the container that is released. With several and none named, the earliest: a restart is then seen as a counter that fell, and the
 * window dropped, while a restarted sidecar must not make the whole past look new.
 */
function containerStart(pod: KubeObject, container: string | undefined): number | undefined {
  const statuses: { name: string; state?: { running?: { startedAt?: string } } }[] = pod.status?.containerStatuses ?? [];
  const released = statuses.filter(({ name }) => name === container);
  const starts = (released.length > 0 ? released : statuses)
    .map(({ state }) => Date.parse(state?.running?.startedAt ?? ''))
    .filter((start) => !Number.isNaN(start));
  return starts.length > 0 ? Math.min(...starts) : undefined;
}
