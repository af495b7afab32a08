import { OperationError } from '@slipway/core';

/**
 * Does the same to several named objects at once and to all of them, even when one fails. One failure of one object is thrown as it is; of several
 * objects, the error says which failed and, given `did` (`Written`), with which it was done. `kind` is their kind, `VirtualService`.
 */
export async function eachOf<T extends { name: string }, R>(
  kind: string,
  items: readonly T[],
  work: (item: T) => Promise<R>,
  did?: string,
): Promise<R[]> {
  const settled = await Promise.allSettled(items.map((item) => work(item)));
  const failed = settled.flatMap((result, index) =>
    result.status === 'rejected' ? [{ name: items[index]?.name ?? '', error: result.reason as unknown }] : [],
  );
  if (failed.length === 0) return settled.map((result) => (result as PromiseFulfilledResult<R>).value);
  const chief = chiefOf(failed.map(({ error }) => error));
  if (items.length === 1 || !(chief instanceof OperationError)) throw chief;
  const done = items.map(({ name }) => name).filter((name) => !failed.some((each) => each.name === name));
  const words = failed.map(({ name, error }) => `${kind} ${name}: ${messageOf(error)}`);
  if (did !== undefined) words.push(`${did}: ${done.join(', ') || 'none'}.`);
  throw new OperationError(words.join(' '), {
    reason: chief.reason,
    next: [...new Set(failed.flatMap(({ error }) => (error instanceof OperationError ? error.next : [])))],
    details: { ...chief.details, failed: failed.map(({ name }) => name), ...(did === undefined ? {} : { done }) },
    cause: chief,
  });
}

/** The failure that says most: that something is gone is often no harm, so any other stands before it. */
function chiefOf(errors: unknown[]): unknown {
  const unforeseen = errors.find((error) => !(error instanceof OperationError));
  return unforeseen ?? errors.find((error) => !(error as OperationError).reason.endsWith('_NOT_FOUND')) ?? errors[0];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
