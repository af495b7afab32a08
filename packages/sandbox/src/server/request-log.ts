/** One request as the server met it. */
export interface LoggedRequest {
  /** From 1, since the start or the last reset. */
  n: number;
  /** Milliseconds since the epoch. */
  at: number;
  method: string;
  /** As RBAC calls it: get, list, watch, create, update, patch, delete. */
  verb: string;
  path: string;
  query: string;
  userAgent: string;
  /** 0: no answer (dropped, hanging, or still running). */
  status: number;
  ms: number;
  fault: string;
  done: boolean;
}

/** Every request since the start or the last reset, in order. */
export class RequestLog {
  private entries: LoggedRequest[] = [];
  private readonly listeners = new Set<(entry: LoggedRequest) => void>();

  begin(entry: Pick<LoggedRequest, 'at' | 'method' | 'verb' | 'path' | 'query' | 'userAgent'>): LoggedRequest {
    const logged = { ...entry, n: this.entries.length + 1, status: 0, ms: 0, fault: '', done: false };
    this.entries.push(logged);
    return logged;
  }

  end(entry: LoggedRequest, status: number, now: number): void {
    entry.status = status;
    entry.ms = now - entry.at;
    entry.done = true;
    for (const listener of this.listeners) listener(entry);
  }

  /** Called when a request has been answered. */
  onDone(listener: (entry: LoggedRequest) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get count(): number {
    return this.entries.length;
  }

  all(since = 0): readonly LoggedRequest[] {
    return this.entries.filter((entry) => entry.n > since);
  }

  /** `{ get: 12, patch: 3 }`. */
  perVerb(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { verb } of this.entries) counts[verb] = (counts[verb] ?? 0) + 1;
    return counts;
  }

  reset(): void {
    this.entries = [];
  }
}
