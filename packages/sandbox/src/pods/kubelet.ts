import type { EventRecorder } from '../controllers/events.js';
import { controllerOf, type KubeObject, sameJson } from '../kube/object.js';
import type { LogQuery, PodAccess } from '../kube/pod-access.js';
import type { Store } from '../kube/store.js';
import { annotationPrefix, parseSpan, passesReadiness } from './behaviour.js';
import { exposition } from './metrics.js';
import { PodProcess, portsOf } from './pod-process.js';
import { podStatus, pullError } from './pod-status.js';
import type { Scheduler } from './scheduler.js';

export interface KubeletOptions {
  /** From the pod's creation to its being Ready, milliseconds. */
  readyDelay: number;
  /** How long a deleted pod goes on serving, milliseconds. */
  stopDelay: number;
}

/** A process asked to end may still finish the requests that run. */
const drainTime = 2000;
/** Run time of a container that fails at its start. */
const crashTime = 40;
/** Cores that a pod without requests uses. */
const idleCpu = 0.001;

/** Plays every node: starts pods, reports their state, restarts what crashed, removes what is deleted. */
export class Kubelet implements PodAccess {
  private readonly processes = new Map<string, PodProcess>();
  private readonly places = new Map<string, Map<string, number>>();
  private readonly unsubscribe: () => void;
  private nextIp = 2;

  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    private readonly scheduler: Scheduler,
    private readonly options: KubeletOptions,
    private readonly now: () => number,
  ) {
    this.unsubscribe = store.onChange(({ kind, type, object }) => {
      if (kind.kind !== 'Pod') return;
      const process = this.processes.get(object.metadata.uid);
      if (process) process.pod = object;
      if (type === 'DELETED') this.forget(object);
    });
  }

  stop(): void {
    this.unsubscribe();
  }

  process(uid: string): PodProcess | undefined {
    return this.processes.get(uid);
  }

  all(): Iterable<PodProcess> {
    return this.processes.values();
  }

  /** Moves every pod on as far as the time allows. Called some 20 times a second. */
  tick(): void {
    const now = this.now();
    for (const pod of this.store.list('Pod')) {
      const process = this.processes.get(pod.metadata.uid) ?? this.admit(pod, now);
      if (process) this.step(process, now);
    }
  }

  /** Cores that a pod uses, as a metrics server would tell; undefined while it has none to tell of. */
  cpuUse(pod: KubeObject): number | undefined {
    const now = this.now();
    const reception = this.processes.get(pod.metadata.uid)?.receive(now);
    const rate = reception?.run.requestRate(now);
    return reception && rate !== undefined ? idleCpu + rate * reception.behaviour.cpuPerRequest : undefined;
  }

  logs(pod: KubeObject, { previous, tailLines }: LogQuery): string[] | undefined {
    const process = this.processes.get(pod.metadata.uid);
    const current = process?.run ?? (process?.stage.name === 'backing-off' ? process.previous : undefined);
    const run = previous ? (process && process.restarts > 0 ? process.previous : undefined) : current;
    if (!run) return undefined;
    const text = pod.metadata.annotations?.[`${annotationPrefix}logs`];
    const lines = text === undefined ? run.log : text.split('\n');
    return tailLines === undefined ? [...lines] : tailLines === 0 ? [] : lines.slice(-tailLines);
  }

  get(pod: KubeObject, port: string, path: string): { code: number; body: string } | undefined {
    const process = this.processes.get(pod.metadata.uid);
    const reception = process?.receive(this.now());
    if (!process || !reception || !portsOf(pod).map(String).includes(port)) return undefined;
    const { run, behaviour, uptime } = reception;
    const say = (ok: boolean) => ({ code: ok ? 200 : 503, body: ok ? 'ok\n' : 'not ok\n' });
    switch (path.split('?')[0]) {
      case '/metrics':
        return { code: 200, body: exposition(run) };
      case '/readyz':
        return say(passesReadiness(behaviour, uptime, true));
      case '/healthz':
        return say(behaviour.unhealthyAfter === 0 || uptime < behaviour.unhealthyAfter);
      default:
        return { code: 200, body: `${JSON.stringify({ pod: pod.metadata.name, path })}\n` };
    }
  }

  /** Begins a pod that has a node. One without is nobody's to stop: deleted, it is gone at once. */
  private admit(pod: KubeObject, now: number): PodProcess | undefined {
    if (!pod.spec.nodeName && pod.metadata.deletionTimestamp) {
      this.store.remove('Pod', pod);
      return undefined;
    }
    const bound = pod.spec.nodeName ? pod : this.scheduler.bind(pod, now);
    if (!bound) return undefined;
    const ip = `10.244.${(this.nextIp >> 8) & 255}.${this.nextIp & 255}`;
    this.nextIp += 1;
    const wait = parseSpan(pod.metadata.annotations?.[`${annotationPrefix}ready-after`]) ?? this.options.readyDelay;
    const process = new PodProcess(bound, ip, this.takePlace(pod), now + wait);
    this.processes.set(pod.metadata.uid, process);
    for (const { image } of pod.spec.containers) this.events.normal(pod, 'kubelet', 'Pulling', `Pulling image "${image}"`);
    this.report(process, now);
    return process;
  }

  private step(process: PodProcess, now: number): void {
    if (process.pod.metadata.deletionTimestamp) return this.terminate(process, now);
    switch (process.stage.name) {
      case 'creating':
        if (now >= process.stage.until) this.startOrFail(process, now);
        return;
      case 'pull-failed':
        if (now >= process.stage.until) this.failPull(process, now);
        return;
      case 'backing-off':
        if (now < process.stage.until) return;
        process.restarts += 1;
        return this.start(process, now);
      case 'running':
        return this.watch(process, now);
    }
  }

  private startOrFail(process: PodProcess, now: number): void {
    if (process.behaviour.mode === 'nopull') return this.failPull(process, now);
    for (const { image } of process.pod.spec.containers)
      this.events.normal(process.pod, 'kubelet', 'Pulled', `Successfully pulled image "${image}"`);
    this.start(process, now);
  }

  private failPull(process: PodProcess, now: number): void {
    const [{ image }] = process.pod.spec.containers;
    const first = process.stage.name === 'creating';
    if (first) this.events.warning(process.pod, 'kubelet', 'Failed', `Failed to pull image "${image}": ${pullError(image)}`);
    this.events.warning(process.pod, 'kubelet', 'Failed', first ? 'Error: ErrImagePull' : 'Error: ImagePullBackOff');
    if (!first) this.events.normal(process.pod, 'kubelet', 'BackOff', `Back-off pulling image "${image}"`);
    process.stage = { name: 'pull-failed', until: now + (first ? 200 : 5000), backingOff: !first };
    this.report(process, now);
  }

  private start(process: PodProcess, now: number): void {
    process.begin(now);
    for (const { name } of process.pod.spec.containers) {
      this.events.normal(process.pod, 'kubelet', 'Created', `Created container: ${name}`);
      this.events.normal(process.pod, 'kubelet', 'Started', `Started container ${name}`);
    }
    this.updateReadiness(process, now);
    this.report(process, now);
  }

  /** Looks after a running container: it may crash, fail its probes, or change its readiness. */
  private watch(process: PodProcess, now: number): void {
    const { run, behaviour } = process;
    if (!run) return;
    const uptime = now - run.startedAt;
    if ((behaviour.mode === 'crash' || process.broken) && uptime >= crashTime) return this.crash(process, 'FATAL exit at start', now);
    if (behaviour.failAfter > 0 && uptime >= behaviour.failAfter) {
      process.broken = true;
      return this.crash(process, `FATAL failed after ${behaviour.failAfter} ms`, now);
    }
    if (behaviour.crashEvery > 0 && uptime >= behaviour.crashEvery)
      return this.crash(process, `FATAL crashed after ${behaviour.crashEvery} ms`, now);
    if (process.probe('liveness') && behaviour.unhealthyAfter > 0 && uptime >= behaviour.unhealthyAfter)
      return this.killUnhealthy(process, now);
    this.updateReadiness(process, now);
  }

  private updateReadiness(process: PodProcess, now: number): void {
    const { run, behaviour } = process;
    if (!run) return;
    const probe = process.probe('readiness');
    const uptime = now - run.startedAt;
    const isDue = uptime >= (probe?.initialDelaySeconds ?? 0) * 1000;
    const willCrash = behaviour.mode === 'crash' || process.broken;
    const passes = !willCrash && passesReadiness(behaviour, uptime, probe !== undefined);
    if (probe && isDue && !passes && !willCrash && now >= process.nextProbeEvent) {
      process.nextProbeEvent = now + 1000;
      this.events.warning(process.pod, 'kubelet', 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503');
    }
    const ready = isDue && passes;
    if (ready === process.ready) return;
    process.ready = ready;
    this.report(process, now);
  }

  private killUnhealthy(process: PodProcess, now: number): void {
    const { name } = process.pod.spec.containers[0];
    this.events.warning(process.pod, 'kubelet', 'Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 503');
    this.events.normal(process.pod, 'kubelet', 'Killing', `Container ${name} failed liveness probe, will be restarted`);
    this.crash(process, 'INFO terminated', now);
  }

  /** The first restart is immediate, later ones wait: that is when a pod is in CrashLoopBackOff. */
  private crash(process: PodProcess, lastWords: string, now: number): void {
    process.run?.say(now, lastWords);
    process.exit(now, now);
    const delay = process.restarts === 0 ? 0 : process.behaviour.crashBackoff;
    process.stage = { name: 'backing-off', until: now + delay, delay };
    const { name: pod, namespace, uid } = process.pod.metadata;
    const { name } = process.pod.spec.containers[0];
    if (delay > 0)
      this.events.warning(
        process.pod,
        'kubelet',
        'BackOff',
        `Back-off restarting failed container ${name} in pod ${pod}_${namespace}(${uid})`,
      );
    this.report(process, now);
  }

  /** A deletion: go on serving for the stop time (others must learn first), let running requests end, be gone. */
  private terminate(process: PodProcess, now: number): void {
    if (process.stopAt === undefined) {
      process.stopAt = now + this.stopTime(process.pod);
      for (const { name } of process.pod.spec.containers)
        this.events.normal(process.pod, 'kubelet', 'Killing', `Stopping container ${name}`);
    }
    if (now < process.stopAt) return;
    process.exit(now, now + drainTime);
    this.store.remove('Pod', process.pod);
  }

  private stopTime({ metadata, spec }: KubeObject): number {
    const sleeps = spec.containers.map((container: KubeObject) => (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000);
    const stop = parseSpan(metadata.annotations?.[`${annotationPrefix}stop-delay`]) ?? Math.max(this.options.stopDelay, ...sleeps);
    return Math.min(stop, (metadata.deletionGracePeriodSeconds ?? 30) * 1000);
  }

  private forget(pod: KubeObject): void {
    const process = this.processes.get(pod.metadata.uid);
    // Removed without a grace period: running requests break.
    process?.exit(this.now(), this.now());
    this.processes.delete(pod.metadata.uid);
    this.places.get(ownerOf(pod))?.delete(pod.metadata.uid);
  }

  /** The lowest free place among the pods of the same owner. */
  private takePlace(pod: KubeObject): number {
    const siblings = this.places.get(ownerOf(pod)) ?? new Map<string, number>();
    this.places.set(ownerOf(pod), siblings);
    const taken = new Set(siblings.values());
    let place = 0;
    while (taken.has(place)) place += 1;
    siblings.set(pod.metadata.uid, place);
    return place;
  }

  private report(process: PodProcess, now: number): void {
    const status = podStatus(process, now);
    if (sameJson(status, process.pod.status)) return;
    this.store.modify('Pod', process.pod, (draft) => Object.assign(draft, { status }));
  }
}

function ownerOf(pod: KubeObject): string {
  return controllerOf(pod)?.uid ?? pod.metadata.uid;
}
