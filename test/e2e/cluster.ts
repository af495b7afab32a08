import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
// The cluster's /stats has the shape of the sandbox's, so one definition of a failed request serves both.
import { failedRequests, type Stats, type StatsView, type TallyView, unansweredRequests } from '@slipway/sandbox';

const run = promisify(execFile);

/** What the requests of one service came to, seen from its users, between two instants. */
export interface UsersView {
  sent: number;
  failed: number;
  /** Failures that no pod answered: refused, reset, no endpoints, no route. The tool's own doing. */
  unanswered: number;
  /** Requests that met the version, and how many of them failed. */
  met: number;
  metFailed: number;
  /** Seconds from the first failed request of the version to the last request that it got; 0 when none failed. */
  badSeconds: number;
  /** Unix second of the last request that met the version; null when none did. */
  lastMet: number | null;
  /** What became of all requests, by kind. */
  kinds: TallyView;
}

/** The real cluster that the tests run against: kubectl for setting the scene, `/stats` for the truth about requests. */
export class TestCluster {
  constructor(
    private readonly kubectl: string,
    readonly kubeconfig: string,
    private readonly statsUrl: string,
    private readonly faultsUrl: string,
  ) {}

  static fromEnvironment(env = process.env): TestCluster | undefined {
    const { KUBECTL, KUBECONFIG, TESTCLUSTER_STATS, TESTCLUSTER_FAULTS } = env;
    if (!KUBECONFIG || !TESTCLUSTER_STATS || !TESTCLUSTER_FAULTS) return undefined;
    return new TestCluster(KUBECTL ?? 'kubectl', KUBECONFIG, TESTCLUSTER_STATS, TESTCLUSTER_FAULTS);
  }

  async apply(manifest: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(this.kubectl, ['apply', '-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
      let errors = '';
      child.stderr.on('data', (chunk) => {
        errors += chunk;
      });
      child.on('error', reject);
      child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`kubectl apply: ${errors}`))));
      child.stdin.end(manifest);
    });
  }

  async kube(...args: string[]): Promise<string> {
    const { stdout } = await run(this.kubectl, args, { maxBuffer: 16 * 1024 * 1024 });
    return stdout.trim();
  }

  /** A kubeconfig with the rights of one service account and no more. */
  async kubeconfigOf(serviceAccount: string): Promise<string> {
    const answer = await fetch(`${this.faultsUrl}/kubeconfig?serviceaccount=${serviceAccount}`);
    if (!answer.ok) throw new Error(`no kubeconfig for ${serviceAccount}: ${await answer.text()}`);
    return answer.text();
  }

  /** The next request that matches is done, and then whoever's process id is in the file gets SIGKILL before the answer reaches it. */
  async killOn(request: { method: string; path: string; pidFile: string }): Promise<void> {
    const answer = await fetch(`${this.faultsUrl}/faults`, {
      method: 'POST',
      body: JSON.stringify({ ...request, times: 1, action: 'kill-after' }),
    });
    if (!answer.ok) throw new Error(`the fault was not armed: ${await answer.text()}`);
  }

  private async stats(service: string, from: number, to: number): Promise<Stats> {
    const answer = await fetch(`${this.statsUrl}/stats?service=${service}&from=${Math.floor(from / 1000)}&to=${Math.ceil(to / 1000)}`);
    if (!answer.ok) throw new Error(`/stats answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Stats;
  }

  /** `from`, `to` in milliseconds since the epoch. */
  async usersView(service: string, version: string, from: number, to: number): Promise<UsersView> {
    const stats = await this.stats(service, from, to);
    const seconds = stats.seconds ?? [];
    const of = (second: StatsView) => second.byVersion?.[version];
    const firstBad = seconds.find((second) => failedRequests(of(second)) > 0);
    const lastMet = seconds.findLast((second) => (of(second)?.sent ?? 0) > 0);
    const total = stats.total;
    return {
      sent: total.sent,
      failed: failedRequests(total),
      unanswered: unansweredRequests(total),
      met: stats.byVersion?.[version]?.sent ?? 0,
      metFailed: failedRequests(stats.byVersion?.[version]),
      badSeconds: firstBad && lastMet ? lastMet.t - firstBad.t + 1 : 0,
      lastMet: lastMet?.t ?? null,
      kinds: total,
    };
  }
}
