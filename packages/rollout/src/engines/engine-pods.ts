import { type EngineView, type KubeClient, type PodProblem, podProblems, resources } from '@slipway/cluster';
import { isCurrent, type ServicePod, servicePod } from '../pods.js';
import type { RolloutTarget } from '../target.js';

/** Which pods are stable's and which the canary's, as label selectors: what the controller itself tells them apart by. Pure. */
export function engineTracks({ tracks }: Pick<EngineView, 'tracks'>): EngineView['tracks'] {
  return tracks;
}

/** The running pods of both tracks of a service that a controller drives; the counterpart of listPods. */
export async function listEnginePods(
  client: KubeClient,
  { namespace, container }: Pick<RolloutTarget, 'namespace' | 'container'>,
  view: Pick<EngineView, 'tracks'>,
): Promise<ServicePod[]> {
  const { stable, canary } = engineTracks(view);
  const read = async (labelSelector: string, track: ServicePod['track']) => {
    const pods = await client.list(resources.pods, namespace, { labelSelector });
    return pods.filter(isCurrent).map((pod) => servicePod(pod, track, container));
  };
  const both = await Promise.all([read(stable, 'stable'), ...(canary === null ? [] : [read(canary, 'canary')])]);
  return both.flat();
}

/** Why the new version's pods will never get ready; undefined while nothing speaks against it. */
export async function hopelessPod(client: KubeClient, namespace: string, { tracks }: EngineView): Promise<PodProblem | undefined> {
  if (tracks.canary === null) return undefined;
  const pods = await client.list(resources.pods, namespace, { labelSelector: tracks.canary });
  return pods.flatMap(podProblems).find(({ fatal }) => fatal === 'now');
}
