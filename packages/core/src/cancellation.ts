/** Why the run's AbortSignal aborted: the process was told to end. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  constructor(readonly signal: NodeJS.Signals) {
    super(`cancelled by ${signal}`);
  }
}

/** The process as seen by `watchSignals`. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/**
 * An AbortSignal that aborts with a CancelledError on SIGINT or SIGTERM. GitHub's runner sends SIGINT, SIGTERM after 7.5 s and kills after 2.5 s
 * more (actions/runner, ProcessInvoker.cs): what comes after the first signal is left to the work that is being finished. Only a second SIGINT,
 * which a person at a terminal sends, calls `onImpatience`.
 */
export function watchSignals(source: SignalSource, onImpatience: () => void): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals) => {
    if (!controller.signal.aborted) controller.abort(new CancelledError(name));
    else if (name === 'SIGINT') onImpatience();
  };
  source.on('SIGINT', listener);
  source.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    stop() {
      source.off('SIGINT', listener);
      source.off('SIGTERM', listener);
    },
  };
}

/** Whether `error` is there because `signal` aborted: its reason, an AbortError, or an error caused by one of them. */
export function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  for (let current = error, depth = 0; current !== undefined && current !== null && depth < 20; depth++) {
    if (current === signal.reason || (current instanceof Error && current.name === 'AbortError')) return true;
    current = current instanceof Error ? current.cause : undefined;
  }
  return false;
}
