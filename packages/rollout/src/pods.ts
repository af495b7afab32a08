import { CANARY, isReady, type KubeClient, type KubeObject, podProblems, resources, TRACK_LABEL } from '@slipway/cluster';
import type { RolloutTarget } from './target.js';

/** A pod of the service, as far as judging and watching it goes. */
export interface ServicePod {
  name: string;
  track: 'stable' | 'canary';
  ready: boolean;
  /** When it became ready, milliseconds since the epoch. */
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
export async function listPods(client: KubeClient, { namespace }: RolloutTarget, stable: KubeObject): Promise<ServicePod[]> {
  const wanted: Record<string, string> = stable.spec?.selector?.matchLabels ?? {};
  const labelSelector = Object.entries(wanted)
    .filter(([key]) => key !== TRACK_LABEL)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const pods = await client.list(resources.pods, namespace, { labelSelector });
  return pods.filter(isCurrent).flatMap((pod) => {
    const track = trackOf(pod, wanted);
    return track ? [servicePod(pod, track)] : [];
  });
}

/** A pod that is on its way out, or has ended, is nobody's. */
function isCurrent(pod: KubeObject): boolean {
  return !pod.metadata.deletionTimestamp && !['Succeeded', 'Failed'].includes(pod.status?.phase ?? '');
}

function trackOf(pod: KubeObject, stable: Record<string, string>): ServicePod['track'] | undefined {
  const labels = pod.metadata.labels ?? {};
  if (labels[TRACK_LABEL] === CANARY) return 'canary';
  return Object.entries(stable).every(([key, value]) => labels[key] === value) ? 'stable' : undefined;
}

function servicePod(object: KubeObject, track: ServicePod['track']): ServicePod {
  const statuses: { restartCount?: number }[] = object.status?.containerStatuses ?? [];
  const conditions: { type: string; status: string; lastTransitionTime?: string }[] = object.status?.conditions ?? [];
  const readyAt = Date.parse(conditions.find(({ type, status }) => type === 'Ready' && status === 'True')?.lastTransitionTime ?? '');
  const problem = podProblems(object).find(({ fatal }) => fatal === 'now');
  return {
    name: object.metadata.name,
    track,
    ready: isReady(object),
    ...(Number.isNaN(readyAt) ? {} : { readyAt }),
    restarts: statuses.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    fatal: problem ? `${problem.reason}${problem.message ? `: ${problem.message}` : ''}` : null,
    object,
  };
}
