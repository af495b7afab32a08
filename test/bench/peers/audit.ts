import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { CellResult, RequestCount } from './result.js';

interface AuditEvent {
  stage: string;
  verb: string;
  userAgent?: string;
  user?: { username?: string };
  impersonatedUser?: unknown;
  objectRef?: { namespace?: string; resource?: string; subresource?: string; name?: string };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}

/** One request of a client. */
export interface AuditedRequest {
  /** Milliseconds since the epoch. */
  at: number;
  verb: string;
  /** `deployments/shop`. */
  what: string;
  milliseconds: number;
  userAgent: string;
}

const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const controllers: Readonly<Record<string, string>> = { argo: 'argo-rollouts', flagger: 'flagger' };

/** Counts a peer's requests to the API server in each cell, from its start to its end. Those of the bench itself are not the tool's. */
export async function countPeers(auditLog: string, cells: readonly CellResult[]): Promise<Map<string, RequestCount>> {
  const byNamespace = new Map(cells.map((cell) => [cell.namespace, cell]));
  const totals = new Map<string, RequestCount>(cells.map(({ namespace }) => [namespace, { all: 0, writes: 0 }]));
  for await (const event of eventsOf(auditLog)) {
    const cell = byNamespace.get(event.objectRef?.namespace ?? '');
    const total = totals.get(cell?.namespace ?? '');
    if (cell && total && isOf(cell, event)) add(total, event.verb);
  }
  return totals;
}

/** The same of ours, which go through the bed's proxy: it also sees those for leases, of which the audit log says nothing. */
export async function countOurs(faultsUrl: string, cells: readonly CellResult[]): Promise<Map<string, RequestCount>> {
  const answer = await fetch(`${faultsUrl}/log`);
  if (!answer.ok) throw new Error(`/log answered ${answer.status}: ${await answer.text()}`);
  const { requests } = (await answer.json()) as { requests: { at: string; verb: string; path: string }[] };
  const count = ({ namespace, start, ended }: CellResult) => {
    const total: RequestCount = { all: 0, writes: 0 };
    for (const { at, verb, path } of requests) {
      const second = Date.parse(at) / 1000;
      if (path.includes(`/namespaces/${namespace}/`) && second >= start - 0.5 && second <= ended + 1) add(total, verb);
    }
    return total;
  };
  return new Map(cells.map((cell) => [cell.namespace, count(cell)]));
}

function add(total: RequestCount, verb: string): void {
  total.all++;
  if (writing.has(verb)) total.writes++;
}

/** The requests in a namespace between two instants (milliseconds) that are wanted, by time. */
export async function requestsBetween(
  auditLog: string,
  namespace: string,
  from: number,
  to: number,
  isWanted: (request: AuditedRequest) => boolean,
): Promise<AuditedRequest[]> {
  const requests: AuditedRequest[] = [];
  for await (const event of eventsOf(auditLog)) {
    const request = requestOf(event);
    const { at } = request;
    if (event.objectRef?.namespace === namespace && counts(event) && at >= from && at <= to && isWanted(request)) requests.push(request);
  }
  return requests.sort((a, b) => a.at - b.at);
}

async function* eventsOf(auditLog: string): AsyncGenerator<AuditEvent> {
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    // The last line may be half-written: the server goes on.
    if (line.endsWith('}')) yield JSON.parse(line) as AuditEvent;
  }
}

function requestOf({ verb, userAgent = '', objectRef = {}, requestReceivedTimestamp, stageTimestamp }: AuditEvent): AuditedRequest {
  const { resource = '', subresource, name } = objectRef;
  const at = Date.parse(requestReceivedTimestamp);
  const what = [resource, name, subresource].filter(Boolean).join('/');
  return { at, verb, what, milliseconds: Date.parse(stageTimestamp) - at, userAgent };
}

/** Each request has several events. A watch ends when its client goes, so it counts when it begins. */
function counts({ verb, stage }: AuditEvent): boolean {
  return stage === (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete');
}

function isOf({ tool, start, ended }: CellResult, event: AuditEvent): boolean {
  const at = Date.parse(event.requestReceivedTimestamp) / 1000;
  if (!counts(event) || event.impersonatedUser !== undefined || at < start - 0.5 || at > ended + 1) return false;
  const who = event.user?.username ?? '';
  return who.split(':').at(-1) === controllers[tool] || (event.userAgent?.startsWith('kubectl') ?? false);
}
