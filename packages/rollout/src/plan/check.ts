import { OperationError } from '@slipway/core';

/** Something that was looked at: `refused` would stop the rollout, `warning` would not. */
export interface Check {
  what: string;
  outcome: 'ok' | 'warning' | 'refused';
  words: string;
  next: readonly string[];
}

/** What a check refuses is told with all the others, not in place of them; what it returns are warnings. Throws when nothing can be asked. */
export async function check(what: string, body: () => Promise<unknown>): Promise<Check> {
  try {
    const answer = await body();
    const warnings = isWords(answer) ? answer : [];
    return { what, outcome: warnings.length > 0 ? 'warning' : 'ok', words: warnings.join(' '), next: [] };
  } catch (error) {
    if (!(error instanceof OperationError) || error.reason === 'UNAUTHENTICATED' || error.reason === 'API_UNAVAILABLE') throw error;
    return { what, outcome: 'refused', words: `${error.message} [${error.reason}]`, next: error.next };
  }
}

export function warning(what: string, words: string, next: readonly string[] = []): Check {
  return { what, outcome: 'warning', words, next };
}

function isWords(answer: unknown): answer is string[] {
  return Array.isArray(answer) && answer.every((words) => typeof words === 'string');
}
