import { type Clock, OperationError, requestText } from '@slipway/core';

/** A gate has this long to answer, milliseconds. */
const TIMEOUT = 10_000;

/** Asks a step's gate whether users may be moved. Reason: GATE_CLOSED, whatever keeps it from answering 2xx. */
export async function askGate(url: string, { clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
  try {
    await requestText(url, { clock, signal, server: 'the gate', timeoutMs: TIMEOUT });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new OperationError(`The gate of this step is closed: ${error.message}`, {
      reason: 'GATE_CLOSED',
      next: ['When it is open (it must answer 2xx), run the same command again. `abort` sends users back.'],
      cause: error,
    });
  }
}
