import type { ServerResponse } from 'node:http';
import { sendText } from '../server/loopback-server.js';
import { ApiError, badRequest } from './api-error.js';
import type { KubeObject } from './object.js';

export interface LogQuery {
  previous: boolean;
  /** Undefined: all lines. */
  tailLines: number | undefined;
}

/** What the API server asks of the node that runs a pod. */
export interface PodAccess {
  /** Log lines of a container's current or previous run; undefined when there was no such run. */
  logs(pod: KubeObject, query: LogQuery): string[] | undefined;
  /** GET on a port of the pod; undefined when nothing listens there. */
  get(pod: KubeObject, port: string, path: string): { code: number; body: string } | undefined;
}

/** GET …/pods/NAME/log. */
export function sendLogs(access: PodAccess, pod: KubeObject, query: URLSearchParams, response: ServerResponse): void {
  const { name } = pod.metadata;
  const container = chooseContainer(pod, query.get('container'));
  const tail = query.get('tailLines');
  if (tail !== null && !/^\d+$/.test(tail)) throw badRequest(`strconv.ParseInt: parsing "${tail}": invalid syntax`);
  const previous = query.get('previous') === 'true';
  const lines = access.logs(pod, { previous, tailLines: tail === null ? undefined : Number(tail) });
  if (!lines && previous) throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  if (!lines) throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waitingFor(pod, container)}`);
  sendText(response, 200, lines.map((line) => `${line}\n`).join(''));
}

function chooseContainer(pod: KubeObject, wanted: string | null): string {
  const names: string[] = pod.spec.containers.map((container: { name: string }) => container.name);
  if (wanted && !names.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
  if (!wanted && names.length > 1) {
    throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`);
  }
  return wanted || (names[0] as string);
}

function waitingFor(pod: KubeObject, container: string): string {
  const statuses: { name: string; state?: { waiting?: { reason?: string } } }[] = pod.status?.containerStatuses ?? [];
  const reason = statuses.find((status) => status.name === container)?.state?.waiting?.reason ?? 'ContainerCreating';
  if (reason === 'ErrImagePull') return "image can't be pulled";
  return reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason;
}

/** `name`, `name:port` or `scheme:name:port`, as the pod proxy reads the name in its URL. */
export function splitProxyName(id: string): { name: string; port: string } {
  const parts = id.split(':');
  if (parts.length === 3 && ['http', 'https', ''].includes(parts[0] ?? '')) return { name: parts[1] ?? '', port: parts[2] ?? '' };
  if (parts.length > 2) throw badRequest(`invalid pod request "${id}"`);
  return { name: parts[0] ?? '', port: parts[1] ?? '' };
}

/** GET …/pods/NAME:PORT/proxy/PATH. Port names are not looked up, as in the real proxy. */
export function proxyToPod(access: PodAccess, pod: KubeObject, port: string, path: string, response: ServerResponse): void {
  const ip: string = pod.status?.podIP ?? '';
  if (!ip) throw badRequest('address not allowed');
  const declared: { ports?: { containerPort: number }[] }[] = pod.spec.containers;
  const chosen = port || String(declared.flatMap((container) => container.ports ?? [])[0]?.containerPort ?? '80');
  const answer = access.get(pod, chosen, path);
  if (!answer) {
    const dial = /^\d+$/.test(chosen)
      ? `dial tcp ${ip}:${chosen}: connect: connection refused`
      : `dial tcp: lookup tcp/${chosen}: unknown port`;
    throw new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${dial}`);
  }
  sendText(response, answer.code, answer.body);
}
