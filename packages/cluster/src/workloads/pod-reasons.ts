import type { KubeObject } from '../kube.js';

/** Why a pod is not ready, in the words of its status. */
export interface PodProblem {
  pod: string;
  container: string | null;
  /** The kubelet's or scheduler's reason: `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable` … */
  reason: string;
  message: string;
  /** `now`: waiting cannot help. `again`: seen once it may pass (a registry hiccup), seen again it will not. `never`: may well pass. */
  fatal: 'now' | 'again' | 'never';
  restarts: number;
}

/** Reasons of a waiting container (kubelet: pkg/kubelet/container/sync_result.go, pkg/kubelet/images/types.go). */
const FATAL: Record<string, PodProblem['fatal']> = {
  CrashLoopBackOff: 'now',
  CreateContainerConfigError: 'now',
  InvalidImageName: 'now',
  ErrImageNeverPull: 'now',
  ImagePullBackOff: 'again',
  ErrImagePull: 'again',
  RegistryUnavailable: 'again',
  ImageInspectError: 'again',
  CreateContainerError: 'again',
  RunContainerError: 'again',
};

interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: { waiting?: { reason?: string; message?: string }; terminated?: Terminated; running?: object };
  lastState?: { terminated?: Terminated };
}

interface Terminated {
  exitCode: number;
  reason?: string;
  message?: string;
}

/** What keeps a pod from being ready; empty when it is ready or simply starting. Pure. */
export function podProblems(pod: KubeObject): PodProblem[] {
  if (pod.metadata.deletionTimestamp || isReady(pod)) return [];
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const statuses: ContainerStatus[] = [...initContainerStatuses, ...containerStatuses];
  return [...scheduling(pod), ...statuses.flatMap((status) => containerProblem(pod, status))];
}

export function isReady(pod: KubeObject): boolean {
  const conditions: { type: string; status: string }[] = pod.status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function containerProblem(pod: KubeObject, status: ContainerStatus): PodProblem[] {
  const restarts = status.restartCount ?? 0;
  const base = { pod: pod.metadata.name, container: status.name, restarts };
  const waiting = status.state?.waiting;
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  const fatal = FATAL[waiting?.reason ?? ''];
  if (fatal) {
    const why = waiting?.reason === 'CrashLoopBackOff' && ended ? exitWords(ended) : (waiting?.message ?? '');
    return [{ ...base, reason: waiting?.reason ?? '', message: why, fatal: fatal === 'again' && restarts > 0 ? 'now' : fatal }];
  }
  // Between two crashes a container is seen running or terminated: the restarts tell.
  if (status.ready !== true && ended && ended.exitCode !== 0) {
    return [{ ...base, reason: ended.reason ?? 'Error', message: exitWords(ended), fatal: restarts >= 2 ? 'now' : 'never' }];
  }
  return [];
}

function scheduling(pod: KubeObject): PodProblem[] {
  const conditions: { type: string; status: string; reason?: string; message?: string }[] = pod.status?.conditions ?? [];
  return conditions
    .filter(({ type, status }) => type === 'PodScheduled' && status === 'False')
    .map(({ reason, message }) => ({
      pod: pod.metadata.name,
      container: null,
      reason: reason ?? 'Unschedulable',
      message: message ?? '',
      fatal: 'never' as const,
      restarts: 0,
    }));
}

function exitWords({ exitCode, reason, message }: Terminated): string {
  return `exit code ${exitCode}${reason && reason !== 'Error' ? ` (${reason})` : ''}${message ? `: ${message}` : ''}`;
}
