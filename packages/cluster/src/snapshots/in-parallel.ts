/**
 * Does `body` for each item, at most `limit` at once, and returns the results in the items' order. After a failure nothing more is begun; the
 * first error is thrown when all that was begun has ended.
 */
export async function inParallel<T, R>(limit: number, items: readonly T[], body: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length && errors.length === 0) {
      const index = next++;
      try {
        results[index] = await body(items[index] as T);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return results;
}
