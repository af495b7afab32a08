import { type ApiWrite, type KubeObject, type Sandbox, unansweredRequests } from '@slipway/sandbox';

/**
 * Sees to it that nobody is sent where nobody serves: after every write, each track that a route leads to must have a ready pod; and of the
 * requests that users sent, none may have gone without an answer of a pod.
 */
export class UsersWatch {
  private readonly seen: string[] = [];
  private readonly from = Date.now();

  constructor(private readonly sandbox: Sandbox) {
    sandbox.on('write', (write) => this.look(write));
  }

  /** What users met that they must not have met. */
  async problems(): Promise<string[]> {
    await this.sandbox.settled();
    const stats = this.sandbox.stats('shop/shop', { from: this.from });
    const unanswered = unansweredRequests(stats.total);
    const served = stats.total.sent > 0 ? [] : ['no user came: nothing is proved'];
    const lost =
      unanswered > 0 ? [`${unanswered} of ${stats.total.sent} requests were answered by no pod: ${JSON.stringify(stats.total)}`] : [];
    const former = stats.byTrack.stable?.['5xx'] ?? 0;
    const failed = former > 0 ? [`${former} requests failed at stable: ${JSON.stringify(stats.byVersion)}`] : [];
    return [...new Set(this.seen), ...served, ...lost, ...failed];
  }

  /** Percent of users that the VirtualService, if there is one, sends to the canary. */
  weight(): number {
    return shares(this.sandbox).get('canary') ?? 0;
  }

  private look({ verb, resource, name, status, dryRun }: ApiWrite): void {
    if (dryRun || status >= 300) return;
    for (const [track, weight] of shares(this.sandbox)) {
      if (weight > 0 && readyPods(this.sandbox, track) === 0) {
        this.seen.push(`after ${verb} ${resource}/${name}, ${weight} % were routed to ${track}, which had no ready pod`);
      }
    }
  }
}

interface HttpRoute {
  route: { destination: { subset?: string }; weight?: number }[];
}

/** Percent per subset; the largest of all routes. Without a VirtualService the Service's pods are the route. */
function shares(sandbox: Sandbox): Map<string, number> {
  const largest = new Map<string, number>();
  const routes: HttpRoute[] = sandbox.find('VirtualService', 'shop', 'shop')?.spec.http ?? [];
  for (const { route } of routes) {
    for (const { destination, weight = route.length === 1 ? 100 : 0 } of route) {
      const track = destination.subset ?? '';
      largest.set(track, Math.max(weight, largest.get(track) ?? 0));
    }
  }
  return largest;
}

export function readyPods(sandbox: Sandbox, track: string): number {
  return sandbox.list('Pod', 'shop').filter((pod) => pod.metadata.labels?.track === track && isReady(pod)).length;
}

function isReady({ metadata, status }: KubeObject): boolean {
  const conditions: { type: string; status: string }[] = status?.conditions ?? [];
  return metadata.deletionTimestamp === undefined && conditions.some((one) => one.type === 'Ready' && one.status === 'True');
}
