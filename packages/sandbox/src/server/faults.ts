/** Harm that waits for its request: the one with number `at`, or those that match, after `skip` of them, `times` times (0: always). */
export interface FaultSpec {
  /** Number of the request since the start or the last reset, from 1. */
  at?: number;
  /** Regular expression for the whole method. */
  method?: string;
  /** Regular expression, found anywhere in the path. */
  path?: string;
  skip?: number;
  /** Default 1. */
  times?: number;
  /**
   * `status`: answered with `code` instead of being done. `drop-before`, `drop-after`: the connection breaks without an answer, before or
   * after the request was done. `hang`: no answer until the client gives up, or for `ms`. `delay`: done `ms` later. `kill-before`,
   * `kill-after`: the process `pid` (or the one in `pidFile`) gets SIGKILL, or `kill` is called, and the connection breaks.
   */
  action: 'status' | 'drop-before' | 'drop-after' | 'hang' | 'delay' | 'kill-before' | 'kill-after';
  code?: number;
  /** Seconds, as the `Retry-After` header. */
  retryAfter?: number;
  ms?: number;
  pid?: number;
  /** Where the process id is to be read when the fault strikes. */
  pidFile?: string;
  kill?: () => void;
  /** Called when the request arrives. */
  onStrike?: () => void;
}

export interface Fault extends FaultSpec {
  id: number;
  fired: number;
  skipped: number;
}

/** The faults armed on one server. They fire in the order of arming, one per request. */
export class Faults {
  private armed: Fault[] = [];
  private nextId = 1;
  /** Added to every request whose path matches. */
  latency: { ms: number; path?: string } = { ms: 0 };

  add(spec: FaultSpec): Fault {
    for (const pattern of [spec.method, spec.path]) if (pattern !== undefined) new RegExp(pattern);
    const fault: Fault = { ...spec, id: this.nextId++, fired: 0, skipped: 0 };
    this.armed.push(fault);
    return fault;
  }

  /** Calls `kill` when request number `n` arrives (`before`) or has been done (`after`); its client gets no answer either way. */
  killAt(n: number, kill: () => void, when: 'before' | 'after' = 'after'): Fault {
    return this.add({ at: n, action: `kill-${when}`, kill });
  }

  list(): readonly Fault[] {
    return this.armed;
  }

  clear(): void {
    this.armed = [];
    this.latency = { ms: 0 };
  }

  /** The fault that strikes this request, if any; it counts as fired. */
  strike(n: number, method: string, path: string): Fault | undefined {
    const due = this.armed.find((fault) => isDue(fault, n, method, path));
    if (!due) return undefined;
    due.fired += 1;
    due.onStrike?.();
    return due;
  }

  delayOf(path: string): number {
    const { ms, path: pattern } = this.latency;
    return !pattern || new RegExp(pattern).test(path) ? ms : 0;
  }
}

function isDue(fault: Fault, n: number, method: string, path: string): boolean {
  if (fault.at !== undefined) return fault.at === n && fault.fired === 0;
  if (fault.method && !new RegExp(`^(?:${fault.method})$`).test(method)) return false;
  if (fault.path && !new RegExp(fault.path).test(path)) return false;
  if (fault.skipped < (fault.skip ?? 0)) {
    fault.skipped += 1;
    return false;
  }
  const times = fault.times ?? 1;
  return times === 0 || fault.fired < times;
}
