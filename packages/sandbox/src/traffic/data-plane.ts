import type { Store } from '../kube/store.js';
import { drawError, drawHang, drawLatency } from '../pods/behaviour.js';
import type { ContainerRun } from '../pods/container-run.js';
import type { Kubelet } from '../pods/kubelet.js';
import { portsOf } from '../pods/pod-process.js';
import type { SeededRandom } from '../seeded-random.js';
import { identityOf } from './endpoints.js';
import type { GroundTruth } from './ground-truth.js';
import { type Load, readLoad } from './load.js';
import type { ClientRequest, RouteTarget } from './route.js';
import { RouteTable, type RouteTableOptions } from './route-table.js';
import type { Tally } from './tally.js';

export type DataPlaneOptions = RouteTableOptions;

interface Clients {
  key: string;
  load: Load;
  next: number;
  sent: number;
  /** Requests that wait for their answers; copies of them are nobody's to wait for. */
  waiting: number;
}

interface InFlight {
  clients: Clients;
  request: ClientRequest;
  mirrored: boolean;
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

/** Clients and their proxies: sends each Service its traffic as routes and endpoints say, and remembers what came of every request. */
export class DataPlane {
  private readonly routes: RouteTable;
  private readonly clients = new Map<string, Clients>();
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
    this.routes = new RouteTable(store, options, now);
  }

  stop(): void {
    this.routes.stop();
  }

  /** Sends what is due and ends what has ended. Called some 20 times a second. */
  tick(): void {
    const now = this.now();
    this.routes.advance(now);
    this.configure(now);
    for (const clients of this.clients.values()) this.sendDue(clients, now);
    this.settle(now);
  }

  /** What the data plane believes now for a Service's clients. Undefined for a Service without traffic. */
  describe(key: string, withHeader: boolean): object | undefined {
    const clients = this.clients.get(key);
    if (!clients) return undefined;
    const { route, code, targets, mirrors } = this.routes.resolve(requestOf(clients, withHeader));
    const shown = targets.map((target) => ({
      service: `${target.namespace}/${target.service}`,
      subset: target.subset,
      weight: target.weight,
      fault: target.fault?.why ?? '',
      endpoints: this.routes.endpoints(target).map(({ pod }) => pod.metadata.name),
    }));
    return { route, code, targets: shown, mirrors: mirrors.length };
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
      else this.clients.set(key, { key, load, next: now, sent: 0, waiting: 0 });
    }
    for (const key of this.clients.keys()) if (!wanted.has(key)) this.clients.delete(key);
  }

  /** After a pause of the machine it catches up to a second's worth and drops the rest. */
  private sendDue(clients: Clients, now: number): void {
    const gap = 1000 / clients.load.rps;
    if (now - clients.next > 1000) {
      const missed = Math.floor((now - clients.next - 1000) / gap);
      this.truth.drop(clients.key, missed, now);
      clients.next += missed * gap;
    }
    for (; clients.next <= now; clients.next += gap) this.fire(clients, clients.next);
  }

  /** Sends one request, and copies of it to the mirrors. */
  private fire(clients: Clients, at: number): void {
    const { key, load } = clients;
    if (clients.waiting >= load.concurrency) return this.truth.drop(key, 1, at);
    clients.sent += 1;
    const header = Object.keys(load.headers).length > 0 && this.random.next() < load.headerShare;
    const request = requestOf(clients, header);
    const { code, targets, mirrors } = this.routes.resolve(request);
    for (const { target, percent } of mirrors) {
      if (this.random.next() * 100 < percent) this.send(clients, request, target, at, { header, mirrored: true });
    }
    const target = code === 0 ? this.choose(targets) : undefined;
    if (target) return this.send(clients, request, target, at, { header, mirrored: false });
    this.truth.begin(key, { ...nowhere, header, mirrored: false }, at).end('noRoute', code || 503, 0);
  }

  private send(
    clients: Clients,
    request: ClientRequest,
    target: RouteTarget,
    at: number,
    marks: { header: boolean; mirrored: boolean },
  ): void {
    const endpoint = target.fault ? undefined : this.routes.next(target);
    const who = endpoint ? identityOf(endpoint.pod) : nowhere;
    const tally = this.truth.begin(clients.key, { ...who, service: target.service, ...marks }, at);
    if (target.fault) return tally.end('noRoute', target.fault.code, 0);
    if (!endpoint) return tally.end('noEndpoints', 503, 0);
    const { pod, port } = endpoint;
    const reception = portsOf(pod).includes(port) ? this.kubelet.process(pod.metadata.uid)?.receive(at) : undefined;
    if (!reception) return tally.end('refused', 503, 0);
    const { run, behaviour, uptime } = reception;
    const hangs = drawHang(behaviour, uptime, this.random);
    const code = drawError(behaviour, uptime, request.path, this.random) ? behaviour.errorCode : 200;
    const latency = hangs ? Number.POSITIVE_INFINITY : drawLatency(behaviour, uptime, this.random);
    const { timeout } = clients.load;
    const flight = { clients, request, mirrored: marks.mirrored, run, tally, sentAt: at, code: hangs ? 0 : code, latency };
    this.inFlight.push({ ...flight, endsAt: at + Math.min(latency, timeout), gaveUp: latency > timeout });
    if (!marks.mirrored) clients.waiting += 1;
  }

  /** Draws a target by weight. */
  private choose(targets: readonly RouteTarget[]): RouteTarget | undefined {
    const total = targets.reduce((sum, target) => sum + target.weight, 0);
    let point = this.random.next() * total;
    return targets.find((target) => {
      point -= target.weight;
      return target.weight > 0 && point < 0;
    });
  }

  private settle(now: number): void {
    this.inFlight = this.inFlight.filter((flight) => {
      if (!isSettled(flight, now)) return true;
      if (!flight.mirrored) flight.clients.waiting -= 1;
      return false;
    });
  }
}

const nowhere = { pod: '', workload: '', version: '', track: '', service: '' };

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
  const { namespace, service, port, host, method, via, paths } = load;
  const path = paths[sent % paths.length] ?? '/';
  return { namespace, service, port, host, method, via, path, headers: withHeader ? load.headers : {} };
}
