import type { KubeObject } from '../kube/object.js';
import { type Behaviour, behaviourOf } from './behaviour.js';
import { ContainerRun } from './container-run.js';

/** How a request fared at a pod's port. */
export type Reception = { run: ContainerRun; behaviour: Behaviour; uptime: number } | undefined;

/** Where a pod's containers stand; `until` (milliseconds since the epoch) is when the next step is due. */
export type Stage =
  | { name: 'creating'; until: number }
  | { name: 'pull-failed'; until: number; backingOff: boolean }
  | { name: 'running' }
  | { name: 'backing-off'; until: number; delay: number };

/** The node's side of one pod: which stage its containers are in, their present and previous run. */
export class PodProcess {
  stage: Stage;
  run: ContainerRun | undefined;
  previous: ContainerRun | undefined;
  restarts = 0;
  ready = false;
  /** `fail-after` has struck: it crash-loops from now on. */
  broken = false;
  lastExit: { startedAt: number; finishedAt: number } | undefined;
  /** When serving ends, once its deletion was noticed. */
  stopAt: number | undefined;
  nextProbeEvent = 0;
  private seen: { pod: KubeObject; behaviour: Behaviour } | undefined;

  constructor(
    public pod: KubeObject,
    readonly ip: string,
    private readonly place: number,
    startAt: number,
  ) {
    this.stage = { name: 'creating', until: startAt };
  }

  get behaviour(): Behaviour {
    if (this.seen?.pod !== this.pod) this.seen = { pod: this.pod, behaviour: behaviourOf(this.pod, this.place) };
    return this.seen.behaviour;
  }

  /** The run that answers on a port at this moment, or undefined when connections are refused. */
  receive(now: number): Reception {
    if (!this.run || this.stage.name !== 'running') return undefined;
    // A request that was due a little before the run began, and is sent late, meets it at its start.
    return { run: this.run, behaviour: this.behaviour, uptime: Math.max(0, now - this.run.startedAt) };
  }

  begin(now: number): ContainerRun {
    this.run = new ContainerRun(now);
    this.stage = { name: 'running' };
    const ports = portsOf(this.pod).join(' ');
    this.run.say(now, `INFO listening on ${this.ip}:[${ports}]`);
    return this.run;
  }

  /** The container's process is over. Requests that run may end until `drainUntil`. */
  exit(now: number, drainUntil: number): void {
    if (!this.run) return;
    this.run.ended = { at: now, drainUntil };
    this.lastExit = { startedAt: this.run.startedAt, finishedAt: now };
    this.previous = this.run;
    this.run = undefined;
    this.ready = false;
  }

  probe(kind: 'readiness' | 'liveness'): { initialDelaySeconds?: number } | undefined {
    return this.pod.spec.containers.map((container: Record<string, object>) => container[`${kind}Probe`]).find(Boolean);
  }
}

/** TCP ports that the pod serves: those declared, or 8080. */
export function portsOf(pod: KubeObject): number[] {
  const declared: { ports?: { containerPort: number; protocol?: string }[] }[] = pod.spec.containers;
  const ports = declared.flatMap((container) => container.ports ?? []).filter((port) => (port.protocol ?? 'TCP') === 'TCP');
  return ports.length > 0 ? [...new Set(ports.map((port) => port.containerPort))] : [8080];
}
