import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, type ClusterOptions } from './cluster.js';
import { startGitHubServer } from './github/github-server.js';
import { GitHubWorld } from './github/github-world.js';
import type { ApiWrite } from './kube/api-server.js';
import type { PolicyRule } from './kube/authorizer.js';
import type { KubeObject } from './kube/object.js';
import { kubeconfigText } from './kubeconfig.js';
import { annotationPrefix } from './pods/behaviour.js';
import { startPrometheusServer } from './prometheus/prometheus-server.js';
import { Scraper } from './prometheus/scraper.js';
import { SeriesStore } from './prometheus/series-store.js';
import type { Faults } from './server/faults.js';
import type { LoopbackServer } from './server/loopback-server.js';
import type { RequestLog } from './server/request-log.js';
import type { Stats } from './traffic/ground-truth.js';
import { startStatsServer } from './traffic/stats-server.js';

export interface SandboxOptions extends Partial<ClusterOptions> {
  /** `owner/name` of the repository that the GitHub API serves. */
  repository?: string;
  /** Ports of the API server, stats, Prometheus and GitHub; default: free ones. */
  ports?: { api?: number; stats?: number; prometheus?: number; github?: number };
}

const defaults: ClusterOptions = {
  seed: 1,
  readyDelay: 200,
  stopDelay: 300,
  applyDelay: 300,
  endpointDelay: 100,
  tick: 50,
  nodes: { count: 3 },
  hpaInterval: 1000,
  hpaDownscaleWindow: 5000,
};

/** A small living world in this process: a Kubernetes cluster with pods and traffic, Prometheus and GitHub, all on loopback. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const given = Object.fromEntries(Object.entries(options).filter(([key, value]) => key in defaults && value !== undefined));
  const cluster = new Cluster({ ...defaults, ...given });
  const series = new SeriesStore();
  const scraper = new Scraper(cluster, series);
  const github = new GitHubWorld(options.repository ?? 'acme/shop');
  const api = await cluster.listen(options.ports?.api);
  const kubeconfig = (user: string) => kubeconfigText({ server: api.url, user, token: cluster.user(user).token });
  const { truth, dataPlane } = cluster;
  const servers = {
    api,
    stats: await startStatsServer({ truth, dataPlane, api, kubeconfig }, options.ports?.stats),
    prometheus: await startPrometheusServer(series, options.ports?.prometheus),
    github: await startGitHubServer(github, options.ports?.github),
  };
  return new Sandbox(cluster, github, servers, scraper);
}

interface Servers {
  api: LoopbackServer;
  stats: LoopbackServer;
  prometheus: LoopbackServer;
  github: LoopbackServer;
}

export class Sandbox {
  /** Harm to requests of the Kubernetes API; see `githubFaults` and `prometheusFaults` for the others. */
  readonly faults: Faults;
  readonly githubFaults: Faults;
  readonly prometheusFaults: Faults;
  /** Requests of the Kubernetes API. */
  readonly requestLog: RequestLog;
  readonly githubLog: RequestLog;

  constructor(
    readonly cluster: Cluster,
    readonly github: GitHubWorld,
    private readonly servers: Servers,
    private readonly scraper: Scraper,
  ) {
    cluster.user('admin', { admin: true });
    this.faults = servers.api.faults;
    this.githubFaults = servers.github.faults;
    this.prometheusFaults = servers.prometheus.faults;
    this.requestLog = servers.api.log;
    this.githubLog = servers.github.log;
  }

  get apiUrl(): string {
    return this.servers.api.url;
  }
  get statsUrl(): string {
    return this.servers.stats.url;
  }
  get prometheusUrl(): string {
    return this.servers.prometheus.url;
  }
  /** Base of the REST API, as `GITHUB_API_URL`. */
  get githubUrl(): string {
    return this.servers.github.url;
  }
  /** A token that the GitHub API accepts. */
  get githubToken(): string {
    return this.github.token;
  }

  /** A user of the API server with just these rights, beside what Roles in the cluster bind to the name. Answers the bearer token. */
  addUser(name: string, rights: { admin?: boolean; rules?: PolicyRule[]; namespaces?: string[] } = {}): string {
    return this.cluster.user(name, rights).token;
  }

  /** Writes a kubeconfig and answers its path. The default user, `admin`, may do everything; a new name may do what Roles grant it. */
  writeKubeconfig(file: string, { user = 'admin', namespace }: { user?: string; namespace?: string } = {}): string {
    const { token } = this.cluster.user(user);
    writeFileSync(file, kubeconfigText({ server: this.apiUrl, user, token, ...(namespace ? { namespace } : {}) }), { mode: 0o600 });
    return file;
  }

  /** As `writeKubeconfig`, to `<directory>/kubeconfig`. */
  kubeconfigPath(directory: string, options: { user?: string } = {}): string {
    mkdirSync(directory, { recursive: true });
    return this.writeKubeconfig(join(directory, 'kubeconfig'), options);
  }

  /** Creates or changes objects; YAML (several documents allowed) or an object. */
  apply(manifest: string | object): KubeObject[] {
    return this.cluster.apply(manifest);
  }
  get(kind: string, namespace: string, name: string): KubeObject {
    return this.cluster.get(kind, namespace, name);
  }
  find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.cluster.find(kind, namespace, name);
  }
  list(kind: string, namespace = ''): KubeObject[] {
    return this.cluster.list(kind, namespace);
  }
  remove(kind: string, namespace: string, name: string): void {
    this.cluster.remove(kind, namespace, name);
  }

  /** The truth about a Service's requests. `from`, `to`: milliseconds since the epoch, widened to whole seconds; default: the last hour. */
  stats(service: string, { from, to, seconds = false }: { from?: number; to?: number; seconds?: boolean } = {}): Stats {
    const now = Date.now();
    return this.cluster.truth.query(service, Math.floor((from ?? now - 3_600_000) / 1000), Math.floor((to ?? now) / 1000), seconds);
  }

  /** Requests per second to a Service (`namespace/name`); 0 stops them. */
  setRps(service: string, rps: number): void {
    const [namespace = '', name = ''] = service.split('/');
    const object = this.cluster.get('Service', namespace, name);
    this.cluster.store.modify('Service', object, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [`${annotationPrefix}rps`]: String(rps) };
    });
  }

  /** Every write that came in over the Kubernetes API, in order. */
  get writes(): readonly ApiWrite[] {
    return this.cluster.writes;
  }

  /** `write`: the API was asked for a change (done or refused). Answers a function that ends it. */
  on(_event: 'write', listener: (write: ApiWrite) => void): () => void {
    return this.cluster.onWrite(listener);
  }

  /** Waits until `condition` holds, looking every 20 ms. Throws after `timeout` milliseconds (default 10 s). */
  async until(what: string, condition: () => boolean, timeout = 10_000): Promise<void> {
    const end = Date.now() + timeout;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`Not within ${timeout} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until what is known now of routes and pods has reached the data plane. */
  settled(): Promise<void> {
    return this.cluster.settled();
  }

  /** Ends everything. Nothing keeps the process alive afterwards. */
  async stop(): Promise<void> {
    this.cluster.stop();
    this.scraper.stop();
    await Promise.all(Object.values(this.servers).map((server: LoopbackServer) => server.stop()));
  }
}
