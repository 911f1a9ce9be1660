/**
 * Runs `work` over the items, at most `limit` at once, and gives the results in the items' order.
 * The first failure stops new work and is thrown after what is running has ended; an aborted signal does the same.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const runner = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        signal?.throwIfAborted();
        results[index] = await work(items[index] as T, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, runner));
  if (failure !== undefined) throw failure.error;
  return results;
}
