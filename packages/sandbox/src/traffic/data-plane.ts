import type { KubeObject } from '../kube/object.js';
import type { Store } from '../kube/store.js';
import { drawError, drawHang, drawLatency } from '../pods/behaviour.js';
import type { ContainerRun } from '../pods/container-run.js';
import type { Kubelet } from '../pods/kubelet.js';
import type { SeededRandom } from '../seeded-random.js';
import { DelayedView } from './delayed-view.js';
import { Endpoints, identityOf } from './endpoints.js';
import type { GroundTruth } from './ground-truth.js';
import { type Decision, istioDecision, type RouteTarget } from './istio-routes.js';
import { type ClientRequest, type Load, readLoad } from './load.js';
import type { Tally } from './tally.js';

export interface DataPlaneOptions {
  /** Between a change of a VirtualService or DestinationRule and its effect, milliseconds. */
  applyDelay: number;
  /** How late clients learn that a pod has come or gone, milliseconds. */
  endpointDelay: number;
}

interface InFlight {
  request: ClientRequest;
  run: ContainerRun;
  tally: Tally;
  sentAt: number;
  /** When the client has its answer, or gives up. */
  endsAt: number;
  /** 0: never answered. */
  code: number;
  latency: number;
  gaveUp: boolean;
}

interface Clients {
  load: Load;
  next: number;
  sent: number;
}

/** Clients and their proxies: sends each Service its traffic as routes and endpoints say, and remembers what came of every request. */
export class DataPlane {
  private readonly routes: DelayedView;
  private readonly world: DelayedView;
  private readonly endpoints: Endpoints;
  private readonly clients = new Map<string, Clients>();
  private readonly turns = new Map<string, number>();
  private inFlight: InFlight[] = [];
  private seen = -1;

  constructor(
    private readonly store: Store,
    private readonly kubelet: Kubelet,
    private readonly truth: GroundTruth,
    private readonly random: SeededRandom,
    options: DataPlaneOptions,
    private readonly now: () => number,
  ) {
    this.routes = new DelayedView(store, ['VirtualService', 'DestinationRule'], options.applyDelay, now);
    this.world = new DelayedView(store, ['Pod', 'Service'], options.endpointDelay, now);
    this.endpoints = new Endpoints(this.world);
  }

  stop(): void {
    this.routes.stop();
    this.world.stop();
  }

  /** Sends what is due and ends what has ended. Called some 20 times a second. */
  tick(): void {
    const now = this.now();
    this.routes.advance(now);
    this.world.advance(now);
    this.configure(now);
    for (const [key, clients] of this.clients) this.sendDue(key, clients, now);
    this.settle(now);
  }

  /** What the data plane believes now for a Service's clients. Undefined for a Service without traffic. */
  describe(key: string, withHeader: boolean): object | undefined {
    const clients = this.clients.get(key);
    if (!clients) return undefined;
    const { route, targets } = this.decide(requestOf(clients, withHeader));
    const shown = targets.map((target) => ({
      service: `${target.namespace}/${target.service}`,
      subset: target.subset,
      weight: target.weight,
      fault: target.labels ? '' : `no subset ${target.subset}`,
      endpoints: this.endpoints.of(target).map((pod) => pod.metadata.name),
    }));
    return { route, code: targets.length > 0 ? 0 : 404, targets: shown };
  }

  services(): Record<string, number> {
    return Object.fromEntries([...this.clients].map(([key, { load }]) => [key, load.rps]));
  }

  private configure(now: number): void {
    if (Number(this.store.resourceVersion) === this.seen) return;
    this.seen = Number(this.store.resourceVersion);
    const wanted = new Set<string>();
    for (const service of this.store.list('Service')) {
      const load = readLoad(service);
      if (!load) continue;
      const key = `${load.namespace}/${load.service}`;
      wanted.add(key);
      const clients = this.clients.get(key);
      if (clients) clients.load = load;
      else this.clients.set(key, { load, next: now, sent: 0 });
    }
    for (const key of this.clients.keys()) if (!wanted.has(key)) this.clients.delete(key);
  }

  /** After a pause of the machine it catches up to a second's worth and drops the rest. */
  private sendDue(key: string, clients: Clients, now: number): void {
    const gap = 1000 / clients.load.rps;
    if (now - clients.next > 1000) {
      const missed = Math.floor((now - clients.next - 1000) / gap);
      this.truth.drop(key, missed, now);
      clients.next += missed * gap;
    }
    for (; clients.next <= now; clients.next += gap) this.send(key, clients, clients.next);
  }

  private send(key: string, clients: Clients, at: number): void {
    const { load } = clients;
    if (this.inFlight.length >= load.concurrency) return this.truth.drop(key, 1, at);
    clients.sent += 1;
    const hasHeader = Object.keys(load.headers).length > 0 && this.random.next() < load.headerShare;
    const request = requestOf(clients, hasHeader);
    const target = this.choose(this.decide(request).targets);
    const pod = target && this.nextEndpoint(target);
    const who = pod ? identityOf(pod) : { pod: '', workload: '', version: '', track: '' };
    const tally = this.truth.begin(key, { ...who, service: target?.service ?? '', header: hasHeader }, at);
    if (!target) return tally.end('noRoute', 404, 0);
    if (!pod) return tally.end('noEndpoints', 503, 0);
    const reception = this.kubelet.process(pod.metadata.uid)?.receive(at);
    if (!reception) return tally.end('refused', 503, 0);
    const { run, behaviour, uptime } = reception;
    const hangs = drawHang(behaviour, uptime, this.random);
    const code = drawError(behaviour, uptime, request.path, this.random) ? behaviour.errorCode : 200;
    const latency = hangs ? Number.POSITIVE_INFINITY : drawLatency(behaviour, uptime, this.random);
    const gaveUp = latency > load.timeout;
    this.inFlight.push({
      request,
      run,
      tally,
      sentAt: at,
      endsAt: at + Math.min(latency, load.timeout),
      code: hangs ? 0 : code,
      latency,
      gaveUp,
    });
  }

  private decide(request: ClientRequest): Decision {
    const { namespace, service } = request;
    const plain = { route: `Service ${namespace}/${service}`, targets: [{ namespace, service, subset: '', labels: {}, weight: 1 }] };
    return istioDecision(this.routes, request) ?? plain;
  }

  private choose(targets: readonly RouteTarget[]): RouteTarget | undefined {
    const total = targets.reduce((sum, target) => sum + target.weight, 0);
    let point = this.random.next() * total;
    return targets.find((target) => {
      point -= target.weight;
      return target.weight > 0 && point < 0;
    });
  }

  private nextEndpoint(target: RouteTarget): KubeObject | undefined {
    const pods = this.endpoints.of(target);
    const key = `${target.namespace}/${target.service}/${target.subset}`;
    const turn = this.turns.get(key) ?? 0;
    this.turns.set(key, turn + 1);
    return pods[turn % pods.length];
  }

  private settle(now: number): void {
    this.inFlight = this.inFlight.filter((flight) => !isSettled(flight, now));
  }
}

/** Ends a request whose time has come, or whose pod's process is gone. */
function isSettled({ request, run, tally, sentAt, endsAt, code, latency, gaveUp }: InFlight, now: number): boolean {
  const brokenAt = run.ended && Math.max(run.ended.drainUntil, sentAt);
  if (brokenAt !== undefined && brokenAt < endsAt) {
    if (now < brokenAt) return false;
    tally.end('resets', 503, brokenAt - sentAt);
    return true;
  }
  if (now < endsAt) return false;
  if (!gaveUp) {
    run.count(code, request.method, request.path, latency, now);
    tally.end('answered', code, latency);
    return true;
  }
  // The client gave up. A slow handler notices and counts it as nginx would; a hanging one never gets there.
  const waited = endsAt - sentAt;
  if (code !== 0) run.count(499, request.method, request.path, waited, now);
  tally.end('timeouts', 504, waited);
  return true;
}

function requestOf({ load, sent }: Clients, withHeader: boolean): ClientRequest {
  const path = load.paths[sent % load.paths.length] ?? '/';
  return { namespace: load.namespace, service: load.service, method: load.method, path, headers: withHeader ? load.headers : {} };
}
