import { conditionOf } from '../controllers/pod-state.js';
import { type KubeObject, timestamp } from '../kube/object.js';
import type { PodProcess } from './pod-process.js';

/** A pod's status as its kubelet would report it. */
export function podStatus(process: PodProcess, now: number): object {
  const { pod, ip, ready, stage } = process;
  const hasStarted = stage.name === 'running' || stage.name === 'backing-off';
  const names = pod.spec.containers.map((container: { name: string }) => container.name).join(' ');
  const notReady = { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` };
  const conditions = [
    condition(pod, 'PodReadyToStartContainers', hasStarted, {}, now),
    condition(pod, 'Initialized', true, {}, now),
    condition(pod, 'Ready', ready, notReady, now),
    condition(pod, 'ContainersReady', ready, notReady, now),
    condition(pod, 'PodScheduled', true, {}, now),
  ];
  return {
    phase: hasStarted ? 'Running' : 'Pending',
    conditions,
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    ...(hasStarted ? { podIP: ip, podIPs: [{ ip }] } : {}),
    startTime: pod.status?.startTime ?? timestamp(now),
    containerStatuses: pod.spec.containers.map((container: { name: string; image: string }) => containerStatus(process, container)),
    qosClass: 'BestEffort',
  };
}

function condition(pod: KubeObject, type: string, holds: boolean, unless: { reason?: string; message?: string }, now: number): object {
  const status = holds ? 'True' : 'False';
  const old = conditionOf(pod, type);
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(now);
  return { type, status, lastProbeTime: null, lastTransitionTime, ...(holds ? {} : unless) };
}

function containerStatus(process: PodProcess, { name, image }: { name: string; image: string }): object {
  const { ready, restarts, lastExit, pod } = process;
  const containerID = `sandbox://${pod.metadata.uid}/${name}/${restarts}`;
  return {
    name,
    image,
    imageID: process.stage.name === 'running' || process.stage.name === 'backing-off' ? image : '',
    containerID,
    ready,
    started: process.stage.name === 'running',
    restartCount: restarts,
    state: containerState(process, name, image),
    lastState: restarts > 0 && lastExit ? { terminated: terminated(lastExit) } : {},
  };
}

function containerState({ stage, pod, run, lastExit }: PodProcess, name: string, image: string): object {
  switch (stage.name) {
    case 'creating':
      return { waiting: { reason: 'ContainerCreating' } };
    case 'pull-failed':
      return stage.backingOff
        ? { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } }
        : { waiting: { reason: 'ErrImagePull', message: pullError(image) } };
    case 'backing-off': {
      if (stage.delay === 0 && lastExit) return { terminated: terminated(lastExit) };
      const { name: podName, namespace, uid } = pod.metadata;
      const message = `back-off ${stage.delay / 1000}s restarting failed container=${name} pod=${podName}_${namespace}(${uid})`;
      return { waiting: { reason: 'CrashLoopBackOff', message } };
    }
    case 'running':
      return { running: { startedAt: timestamp(run?.startedAt ?? 0) } };
  }
}

function terminated({ startedAt, finishedAt }: { startedAt: number; finishedAt: number }): object {
  return { exitCode: 1, reason: 'Error', startedAt: timestamp(startedAt), finishedAt: timestamp(finishedAt) };
}

/** What containerd says of an image that is not in the registry. */
export function pullError(image: string): string {
  return `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
}
