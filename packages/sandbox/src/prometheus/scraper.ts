import type { Cluster } from '../cluster.js';
import { samplesOf } from '../pods/metrics.js';
import type { PodProcess } from '../pods/pod-process.js';
import { portsOf } from '../pods/pod-process.js';
import { identityOf } from '../traffic/endpoints.js';
import type { Labels, SeriesStore } from './series-store.js';

/** Milliseconds between two scrapes. */
const interval = 1000;

/** Reads every running pod's metrics each second, as a Prometheus with pod discovery would. */
export class Scraper {
  private readonly timer: NodeJS.Timeout;
  /** Keys of the series that each pod showed last. */
  private alive = new Set<string>();

  constructor(
    private readonly cluster: Cluster,
    private readonly series: SeriesStore,
  ) {
    this.timer = setInterval(() => this.scrape(Date.now()), interval);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private scrape(now: number): void {
    const seen = new Set<string>();
    for (const process of this.cluster.kubelet.all()) this.scrapePod(process, now, seen);
    for (const key of this.alive) if (!seen.has(key)) this.series.markStale(key, now);
    this.alive = seen;
  }

  private scrapePod(process: PodProcess, now: number, seen: Set<string>): void {
    const reception = process.receive(now);
    const target = targetLabels(process);
    const { uid } = process.pod.metadata;
    const record = (name: string, labels: Labels, value: number) => {
      const key = `${uid} ${name} ${Object.values(labels).join(' ')}`;
      seen.add(key);
      this.series.append(key, () => ({ ...labels, ...target, __name__: name }), now, value);
    };
    record('up', {}, reception ? 1 : 0);
    if (!reception) return;
    for (const { name, labels, value } of samplesOf(reception.run)) record(name, labels, value);
  }
}

function targetLabels({ pod, ip }: PodProcess): Labels {
  const own = Object.entries(pod.metadata.labels ?? {}).map(([key, value]) => [key.replace(/[^a-zA-Z0-9_]/g, '_'), value]);
  const { workload, version } = identityOf(pod);
  const { namespace = '', name } = pod.metadata;
  return { ...Object.fromEntries(own), version, workload, namespace, pod: name, job: 'pods', instance: `${ip}:${portsOf(pod)[0]}` };
}
